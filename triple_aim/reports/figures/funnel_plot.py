"""A funnel plot: each region of a type by its size, with control limits around the national value.

Not here: sizes, limits and significance (``funnel_limits``) or the placement of names (``labels``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from triple_aim.definitions import Publication
from triple_aim.reports import Language, Selection, select_indicator, translate_to_dutch
from triple_aim.reports.figures.captions import WORDS
from triple_aim.reports.figures.funnel_limits import Funnel, compute_funnel
from triple_aim.reports.figures.labels import label_points
from triple_aim.reports.figures.style import (
    FAINT,
    GREY,
    STYLE,
    Kind,
    NumberFormatter,
    add_frame,
    age_label,
    file_bytes,
    format_number,
    legend_signs,
    mark_provisional,
    new_figure,
)
from triple_aim.stats.compare import Significance

MOST_NAMES = 12
#: Outside the outer limits the shape shows the side; colour and legend show whether it is favourable.
SIDES = {"above": "^", "below": "v"}
COLOURS = {"favourable": "#0072B2", "unfavourable": "#D55E00", "": "#332288"}
FAVOURABLE = {"higher_is_better": "above", "lower_is_better": "below"}
UNIT_PREFIX = re.compile(r"^(?:per [\d.,]+ |procent van (?:de )?|percent of )")


def funnel(
    release: Path,
    promise: Publication,
    indicator: str,
    region_type: str,
    period: int,
    language: Language = "nl",
    *,
    overdispersed: bool = False,
    age_group: str = "all",
    source: str | None = None,
    to: Kind = "svg",
) -> bytes:
    """Each region of a type in one year by its size, with limits of 95 % and 99.8 % around the national value."""
    selection = select_indicator(release, promise, indicator, age_group, source)
    data = compute_funnel(selection, region_type, period, overdispersed=overdispersed)
    metadata, words, regions = selection.used_indicators.iloc[0], WORDS[language], data.regions
    kind = words.get(region_type, region_type.replace("_", " "))
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(metadata, language, 5.6, f"{kind}, {period}", age_label(age_group, language))
        handles = _draw_limits(axes, data, metadata, language)
        handles += _draw_regions(axes, regions, metadata["polarity"], language)
        handles += [sign for sign in legend_signs(regions, language) if sign.get_label() == words["provisional"]]
        axes.set_xlabel(_size_label(metadata, data, language), fontsize=9)
        axes.grid(axis="y", color=FAINT, linewidth=0.6)
        add_frame(figure, handles, selection, language, _notes(data, selection, kind, language, overdispersed))
        _label_outside(axes, data)
        return file_bytes(figure, selection, language, to)


def _draw_limits(axes: Axes, data: Funnel, metadata: Any, language: Language) -> list[Any]:
    """Draw the national value and two pairs of limits over all sizes; returns the legend entries."""
    words, sizes = WORDS[language], data.sizes()
    if data.is_wide:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(NumberFormatter(language))
    axes.set_xlim(sizes[0], sizes[-1])
    value = float(data.country["value"])
    label = f"{words['nl']} {format_number(value, int(metadata['decimals']), language)}"
    handles: list[Any] = [axes.axhline(value, color="black", linewidth=1, label=label, zorder=1.5)]
    for limits, style, name in zip(data.limits(sizes), ("--", "-"), ("limits_95", "limits_998"), strict=True):
        axes.plot(sizes, limits.lower, color=GREY, linestyle=style, linewidth=0.9, zorder=1.4)
        handles += axes.plot(
            sizes, limits.upper, color=GREY, linestyle=style, linewidth=0.9, zorder=1.4, label=words[name]
        )
    return handles


def _draw_regions(axes: Axes, regions: pd.DataFrame, polarity: str, language: Language) -> list[Any]:
    """Draw a grey dot per region, and outside the outer limits a triangle; returns the legend entries."""
    words, significance = WORDS[language], regions["significance"]
    groups = {
        "within": significance.abs() < Significance.FAR_ABOVE,
        "above": significance == Significance.FAR_ABOVE,
        "below": significance == Significance.FAR_BELOW,
    }
    handles = []
    for side, members in groups.items():
        part, label, colour, marker = regions[members], words[side], "#8c8c8c", SIDES.get(side, "o")
        if side in SIDES:
            judgement = (
                {FAVOURABLE.get(polarity): "favourable"}.get(side, "unfavourable") if polarity in FAVOURABLE else ""
            )
            colour = COLOURS[judgement]
            label += f" ({words[judgement]})" if judgement else ""
        if len(part):
            dots = axes.scatter(
                part["exposure"], part["value"], s=16, c=colour, marker=marker, linewidths=0.7, label=label, zorder=3
            )
            handles.append(dots)
            mark_provisional(axes, part["exposure"], part["value"], part["status"], colour, marker)
    return handles


def _label_outside(axes: Axes, data: Funnel) -> None:
    """Write the names of the regions farthest outside the limits."""
    named, position, sizes = data.outside.head(MOST_NAMES), ["exposure", "value"], data.sizes()
    limits = data.limits(sizes)
    curves = [np.column_stack([sizes, side]) for pair in limits for side in (pair.lower, pair.upper)]
    dots = data.regions.drop(named.index)[position].to_numpy()
    points, names = named[position].to_numpy(), named["region_name"].tolist()
    label_points(axes, points, names, dots, np.vstack(curves), fontsize=7)


def _size_label(metadata: Any, data: Funnel, language: Language) -> str:
    """The label of the horizontal axis: for the unit ``per 1,000 residents`` it is ``number of residents``."""
    words, unit = WORDS[language], str(metadata[f"unit_{language}"])
    label = words["denominator"]
    if metadata["methods"] == "indirectly_standardised_ratio":
        label = words["expected"]
    elif UNIT_PREFIX.match(unit):
        label = f"{words['number']} {UNIT_PREFIX.sub('', unit)}"
    return f"{label} ({words['logarithmic']})" if data.is_wide else label


def _notes(data: Funnel, selection: Selection, kind: str, language: Language, overdispersed: bool) -> list[str]:
    """The meaning of the limits, the number of regions outside them and the number of regions not drawn."""
    words, outside = WORDS[language], len(data.outside)
    limits = words["overdispersed" if overdispersed and data.phi > 1 else "by_chance"]
    notes = [
        limits.format(regions=kind, family=words[data.family]),
        words["spread"].format(regions=kind, phi=format_number(data.phi, 1, language)),
    ]
    if outside > MOST_NAMES:
        notes[1] += " " + words["named"].format(outside=outside, regions=kind, named=MOST_NAMES)
    if len(data.hidden):
        total = len(data.hidden) + len(data.regions)
        notes.append(words["hidden"].format(hidden=len(data.hidden), all=total, regions=kind))
    country = data.country.to_frame().T
    if language == "nl":
        country = translate_to_dutch(country, selection.indicators, selection.promise)
    if reason := country["reason"].iloc[0]:
        notes.append(f"{words['nl']}: {reason}.")
    return notes
