"""A control chart (XmR) of one region over the years: common-cause variation or a special cause?

Not here: limits and rules (``stats.control_chart``) or the trend of a few years (``series``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from triple_aim.definitions import Publication
from triple_aim.errors import NothingToPublish
from triple_aim.reports import Language, is_shown, select_indicator
from triple_aim.reports.figures.captions import WORDS
from triple_aim.reports.figures.style import (
    FAINT,
    GREY,
    STYLE,
    Kind,
    add_frame,
    age_label,
    draw_line,
    file_bytes,
    format_number,
    legend_signs,
    mark_breaks,
    mark_provisional,
    new_figure,
)
from triple_aim.stats.control_chart import (
    ENOUGH_POINTS,
    FEWEST_POINTS,
    Variation,
    special_causes,
    variation,
    xmr_limits,
)
from triple_aim.stats.estimate import Estimate

#: Both shape and colour differ; colour-blind readers and grey prints distinguish blue from vermilion.
MARKERS = {
    Variation.COMMON_CAUSE: ("common_cause", "#767676", "o"),
    Variation.IMPROVEMENT: ("improvement", "#0072B2", "D"),
    Variation.CONCERN: ("concern", "#D55E00", "s"),
    Variation.SPECIAL_CAUSE: ("special_cause", "#332288", "^"),
}


def chart(
    release: Path,
    promise: Publication,
    indicator: str,
    region: str,
    language: Language = "nl",
    *,
    age_group: str = "all",
    source: str | None = None,
    to: Kind = "svg",
) -> bytes:
    """One indicator of one region over the years, with process limits and the years with a special cause."""
    selection = select_indicator(release, promise, indicator, age_group, source)
    metadata, rows = selection.used_indicators.iloc[0], selection.rows[selection.rows["region_code"] == region]
    year_count = int(is_shown(rows).sum())
    if year_count < FEWEST_POINTS:
        raise NothingToPublish(
            f"a control chart needs {FEWEST_POINTS} years or more, and there are {year_count}",
            f"{indicator}, {region}",
            "draw a trend, or check the code of the region",
        )
    years = range(int(rows["period"].min()), int(rows["period"].max()) + 1)
    by_year = rows.set_index("period").reindex(years)
    breaks = [int(year) for year in metadata["series_breaks"].split(", ") if year]
    limits, verdicts = _limits_and_verdicts(by_year, metadata["polarity"])
    words = WORDS[language]
    place = f"{rows['region_name'].iloc[0]}, {years[0]}–{years[-1]}"
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(metadata, language, 5.0, place, age_label(age_group, language), above=16)
        handles = _draw_limits(axes, limits, int(metadata["decimals"]), language)
        value = by_year["value"].where(is_shown(by_year)).astype(float)
        draw_line(axes, value, breaks, color=GREY, linewidth=1.2, markersize=3)
        for verdict, (name, colour, marker) in MARKERS.items():
            part = by_year[verdicts == verdict]
            if len(part):
                size = 5.5 if verdict == Variation.COMMON_CAUSE else 8
                handles += axes.plot(
                    part.index, part["value"], marker, color=colour, markersize=size, label=words[name]
                )
                mark_provisional(axes, part.index, part["value"], part["status"], colour, marker)
        mark_breaks(axes, years, breaks, words["break"])
        handles += [mark for mark in axes.lines if mark.get_label() == words["break"]]
        handles += [sign for sign in legend_signs(by_year, language) if sign.get_label() != words["interval"]]
        axes.set_xlim(years[0] - 0.5, years[-1] + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=13, min_n_ticks=1))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.grid(axis="y", color=FAINT, linewidth=0.6)
        notes = [words["rules"]]
        if year_count < ENOUGH_POINTS:
            notes.append(words["few_years"].format(years=year_count, enough=ENOUGH_POINTS))
        if any(years[0] < year <= years[-1] for year in breaks):
            notes.append(words["across_breaks"])
        add_frame(figure, handles, selection, language, notes)
        return file_bytes(figure, selection, language, to)


def _limits_and_verdicts(by_year: pd.DataFrame, polarity: Any) -> tuple[Estimate, Any]:
    """Limits over all years, and the kind of variation of each year."""
    value = by_year["value"].where(is_shown(by_year)).to_numpy(dtype=float)
    limits = xmr_limits(value)
    return limits, variation(value, limits, special_causes(value, limits), polarity)


def _draw_limits(axes: Axes, limits: Estimate, decimals: int, language: Language) -> list[Any]:
    """Draw the mean and the two limits, each with its value at the right; returns the legend entries."""
    words, at_right = WORDS[language], axes.get_yaxis_transform()
    centre, lower, upper = (part.item() for part in (limits.value, limits.lower, limits.upper))
    for limit in (lower, centre, upper):
        text = format_number(limit, decimals, language)
        axes.text(1.01, limit, text, transform=at_right, va="center", fontsize=8, color=GREY)
    dashed: Any = {"color": GREY, "linestyle": "--", "linewidth": 1}
    axes.axhline(lower, **dashed)
    return [
        axes.axhline(centre, color="black", linewidth=1, label=words["centre"]),
        axes.axhline(upper, label=words["process_limits"], **dashed),
    ]
