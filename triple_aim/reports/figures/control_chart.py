"""A control chart (XmR) of one region's years: is the series stable, or does it more than wobble?

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
    ages_of,
    canvas,
    frame,
    hollow,
    line,
    mark_breaks,
    printed,
    saved,
    signs,
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

#: Shape and colour both tell; blue and vermilion stay apart for colour-blind readers and in grey print.
SIGNS = {
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
    """One indicator of one region over the years, with process limits and the years that have a special cause."""
    found = select_indicator(release, promise, indicator, age_group, source)
    about, ours = found.used_indicators.iloc[0], found.rows[found.rows["region_code"] == region]
    known = int(is_shown(ours).sum())
    if known < FEWEST_POINTS:
        raise NothingToPublish(
            f"a control chart needs {FEWEST_POINTS} years or more, and there are {known}",
            f"{indicator}, {region}",
            "draw a trend, or check the code of the region",
        )
    years = range(int(ours["period"].min()), int(ours["period"].max()) + 1)
    one = ours.set_index("period").reindex(years)
    breaks = [int(year) for year in about["series_breaks"].split(", ") if year]
    limits, verdicts = _judged(one, about["polarity"])
    words = WORDS[language]
    place = f"{ours['region_name'].iloc[0]}, {years[0]}–{years[-1]}"
    with matplotlib.rc_context(STYLE):
        figure, axes = canvas(about, language, 5.0, place, ages_of(age_group, language), above=16)
        handles = _draw_limits(axes, limits, int(about["decimals"]), language)
        value = one["value"].where(is_shown(one)).astype(float)
        line(axes, value, breaks, color=GREY, linewidth=1.2, markersize=3)
        for verdict, (name, colour, marker) in SIGNS.items():
            part = one[verdicts == verdict]
            if len(part):
                size = 5.5 if verdict == Variation.COMMON_CAUSE else 8
                handles += axes.plot(
                    part.index, part["value"], marker, color=colour, markersize=size, label=words[name]
                )
                hollow(axes, part.index, part["value"], part["status"], colour, marker)
        mark_breaks(axes, years, breaks, words["break"])
        handles += [mark for mark in axes.lines if mark.get_label() == words["break"]]
        handles += [sign for sign in signs(one, language) if sign.get_label() != words["interval"]]
        axes.set_xlim(years[0] - 0.5, years[-1] + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=13, min_n_ticks=1))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.grid(axis="y", color=FAINT, linewidth=0.6)
        notes = [words["rules"]]
        if known < ENOUGH_POINTS:
            notes.append(words["few_years"].format(years=known, enough=ENOUGH_POINTS))
        if any(years[0] < year <= years[-1] for year in breaks):
            notes.append(words["across_breaks"])
        frame(figure, handles, found, language, notes)
        return saved(figure, found, language, to)


def _judged(one: pd.DataFrame, polarity: Any) -> tuple[Estimate, Any]:
    """Limits over all years, and what the rules say of each year."""
    value = one["value"].where(is_shown(one)).to_numpy(dtype=float)
    limits = xmr_limits(value)
    return limits, variation(value, limits, special_causes(value, limits), polarity)


def _draw_limits(axes: Axes, limits: Estimate, decimals: int, language: Language) -> list[Any]:
    """The mean and the two limits, each with its value at the right."""
    words, beside = WORDS[language], axes.get_yaxis_transform()
    centre, lower, upper = (part.item() for part in (limits.value, limits.lower, limits.upper))
    for limit in (lower, centre, upper):
        text = printed(limit, decimals, language)
        axes.text(1.01, limit, text, transform=beside, va="center", fontsize=8, color=GREY)
    dashed: Any = {"color": GREY, "linestyle": "--", "linewidth": 1}
    axes.axhline(lower, **dashed)
    return [
        axes.axhline(centre, color="black", linewidth=1, label=words["centre"]),
        axes.axhline(upper, label=words["process_limits"], **dashed),
    ]
