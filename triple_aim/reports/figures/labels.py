"""Names beside points in a figure, none over another.

Not here: which points deserve a name (``funnel``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike, NDArray

#: Where a name may stand, nearest first: distances in points of 1/72 inch, and sides of the point in degrees.
DISTANCES = (5.0, 11.0, 18.0, 26.0, 35.0, 45.0)
SIDES = np.deg2rad([0, 180, 35, -35, 145, -145, 60, -60, 120, -120, 90, -90])
CLEARANCE = 3.0


def name_points(
    axes: Axes, points: NDArray[Any], names: Sequence[str], dots: NDArray[Any], curves: NDArray[Any], **style: Any
) -> list[Bbox]:
    """Write each name near its point, unless no place is left that is not another name's; where the names stand.

    ``points`` have a row (x, y) each, as have ``dots``, which no name should hide nor a leader cross, and the points of
    ``curves``, which no name should hide. The layout of the figure has to be final, since room is measured in pixels.
    """
    figure = axes.get_figure(root=True)
    if figure is None or not names:
        return []
    figure.draw_without_rendering()
    room, pixel, to_pixels = axes.get_window_extent(), figure.dpi / 72, axes.transData
    ours, lines = to_pixels.transform(points), to_pixels.transform(curves)
    dots = np.vstack([ours, to_pixels.transform(dots)])
    look: Any = {
        "ha": "center",
        "va": "center",
        "arrowprops": {"arrowstyle": "-", "color": "#8c8c8c", "linewidth": 0.5, "shrinkA": 0, "shrinkB": CLEARANCE},
        "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.4},
    }
    taken: list[Bbox] = []
    for point, name in zip(ours, names, strict=True):
        written = axes.annotate(name, _pair(to_pixels.inverted().transform(point)), **look, **style)
        written.set_in_layout(False)
        size = Text.get_window_extent(written)  # the leader left out
        fitting = [
            (near, place)
            for near, place in _places(point, size.width, size.height, pixel)
            if _lies_within(place.padded(pixel), room) and not any(place.overlaps(other) for other in taken)
        ]
        if not fitting:
            written.remove()
            continue
        others = dots[(dots != point).any(axis=1)]
        # min takes the first of equals, which is the nearest.
        near, place = min(fitting, key=lambda fit: _harm(fit[1], point, others, lines, taken, CLEARANCE * pixel))
        written.set_position(_pair(to_pixels.inverted().transform(_middle(place))))
        if near and written.arrow_patch:
            written.arrow_patch.set_visible(False)
        taken.append(place)
        lines = np.vstack([lines, _leader(place, point)])
    return taken


def _places(point: NDArray[Any], width: float, height: float, pixel: float) -> Iterator[tuple[bool, Bbox]]:
    """Boxes of a size around a point, the nearest first, and whether they are so near that no leader is needed."""
    for distance in DISTANCES:
        for side in SIDES:
            x = point[0] + np.cos(side) * distance * pixel + np.sign(np.cos(side)) * width / 2
            y = point[1] + np.sin(side) * (distance * pixel + height / 2)
            yield distance == DISTANCES[0], Bbox.from_bounds(x - width / 2, y - height / 2, width, height)


def _lies_within(box: Bbox, room: Bbox) -> bool:
    return bool(box.x0 >= room.x0 and box.x1 <= room.x1 and box.y0 >= room.y0 and box.y1 <= room.y1)


def _harm(
    box: Bbox, point: NDArray[Any], dots: NDArray[Any], lines: NDArray[Any], taken: list[Bbox], radius: float
) -> int:
    """How much is lost by a name in this place: dots it hides weigh most, then dots that its leader crosses."""
    leader = _leader(box, point)
    crossed = np.hypot(*(leader[:, None] - dots[None]).transpose(2, 0, 1)).min(axis=0) < radius
    hidden = 4 * _number_in(box.padded(radius), dots) + _number_in(box, lines)
    return hidden + 2 * int(crossed.sum()) + sum(_number_in(other, leader) for other in taken)


def _leader(box: Bbox, point: NDArray[Any]) -> NDArray[Any]:
    """Points along the line from a name to what it names, the ends left out."""
    return np.linspace(_middle(box), point, 48)[1:-6]


def _number_in(box: Bbox, points: NDArray[Any]) -> int:
    return int(((points > box.min) & (points < box.max)).all(axis=1).sum())


def _middle(box: Bbox) -> NDArray[Any]:
    return np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2


def _pair(place: ArrayLike) -> tuple[float, float]:
    x, y = np.asarray(place, dtype=float)
    return float(x), float(y)
