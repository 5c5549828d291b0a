"""Placement of names next to points in a figure, without overlap.

Not here: the choice of the points that get a name (``funnel_plot``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike, NDArray

#: Positions that are tried for a name, nearest first: distances in points of 1/72 inch, directions in degrees.
DISTANCES = (5.0, 11.0, 18.0, 26.0, 35.0, 45.0)
DIRECTIONS = np.deg2rad([0, 180, 35, -35, 145, -145, 60, -60, 120, -120, 90, -90])
CLEARANCE = 3.0


def label_points(
    axes: Axes, points: NDArray[Any], names: Sequence[str], dots: NDArray[Any], curves: NDArray[Any], **style: Any
) -> list[Bbox]:
    """Write each name near its point and return the boxes of the names; a name without free space is left out.

    ``points``, ``dots`` and ``curves`` have one row (x, y) per point. Names avoid dots and curves, and leader lines
    avoid dots. The layout of the figure must be final, because positions are computed in pixels.
    """
    figure = axes.get_figure(root=True)
    if figure is None or not names:
        return []
    figure.draw_without_rendering()
    room, pixel, to_pixels = axes.get_window_extent(), figure.dpi / 72, axes.transData
    anchors, lines = to_pixels.transform(points), to_pixels.transform(curves)
    dots = np.vstack([anchors, to_pixels.transform(dots)])
    look: Any = {
        "ha": "center",
        "va": "center",
        "arrowprops": {"arrowstyle": "-", "color": "#8c8c8c", "linewidth": 0.5, "shrinkA": 0, "shrinkB": CLEARANCE},
        "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.4},
    }
    taken: list[Bbox] = []
    for point, name in zip(anchors, names, strict=True):
        label = axes.annotate(name, _coordinates(to_pixels.inverted().transform(point)), **look, **style)
        label.set_in_layout(False)
        size = Text.get_window_extent(label)  # without the leader line
        fitting = [
            (is_near, box)
            for is_near, box in _candidate_boxes(point, size.width, size.height, pixel)
            if _is_within(box.padded(pixel), room) and not any(box.overlaps(other) for other in taken)
        ]
        if not fitting:
            label.remove()
            continue
        others = dots[(dots != point).any(axis=1)]
        # Of boxes with equal cost, min takes the first, which is the nearest.
        is_near, box = min(fitting, key=lambda fit: _cost(fit[1], point, others, lines, taken, CLEARANCE * pixel))
        label.set_position(_coordinates(to_pixels.inverted().transform(_centre(box))))
        if is_near and label.arrow_patch:
            label.arrow_patch.set_visible(False)
        taken.append(box)
        lines = np.vstack([lines, _leader(box, point)])
    return taken


def _candidate_boxes(point: NDArray[Any], width: float, height: float, pixel: float) -> Iterator[tuple[bool, Bbox]]:
    """Boxes around a point, the nearest first, each with whether it is near enough to need no leader line."""
    for distance in DISTANCES:
        for angle in DIRECTIONS:
            x = point[0] + np.cos(angle) * distance * pixel + np.sign(np.cos(angle)) * width / 2
            y = point[1] + np.sin(angle) * (distance * pixel + height / 2)
            yield distance == DISTANCES[0], Bbox.from_bounds(x - width / 2, y - height / 2, width, height)


def _is_within(box: Bbox, room: Bbox) -> bool:
    return bool(box.x0 >= room.x0 and box.x1 <= room.x1 and box.y0 >= room.y0 and box.y1 <= room.y1)


def _cost(
    box: Bbox, point: NDArray[Any], dots: NDArray[Any], lines: NDArray[Any], taken: list[Bbox], radius: float
) -> int:
    """The cost of a name in this box: 4 per hidden dot, 2 per dot that the leader crosses, 1 per point of a line."""
    leader = _leader(box, point)
    crossed = np.hypot(*(leader[:, None] - dots[None]).transpose(2, 0, 1)).min(axis=0) < radius
    hidden = 4 * _points_in(box.padded(radius), dots) + _points_in(box, lines)
    return hidden + 2 * int(crossed.sum()) + sum(_points_in(other, leader) for other in taken)


def _leader(box: Bbox, point: NDArray[Any]) -> NDArray[Any]:
    """Points along the line from a name to its point, without the ends."""
    return np.linspace(_centre(box), point, 48)[1:-6]


def _points_in(box: Bbox, points: NDArray[Any]) -> int:
    return int(((points > box.min) & (points < box.max)).all(axis=1).sum())


def _centre(box: Bbox) -> NDArray[Any]:
    return np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2


def _coordinates(position: ArrayLike) -> tuple[float, float]:
    x, y = np.asarray(position, dtype=float)
    return float(x), float(y)
