"""Figures of one indicator: its course over the years, or the regions beside each other; as SVG or PNG.

Not here: which numbers there are (``selection``). A figure shows an interval wherever there is one, says what
is missing, and never tells by colour alone. The same release gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from triple_aim.definitions import Publication
from triple_aim.errors import NothingToPublish, ProjectError
from triple_aim.reports import NOT_AVAILABLE, Language, is_shown, select_indicator
from triple_aim.reports.figures.captions import WORDS
from triple_aim.reports.figures.style import (
    FAINT,
    GREY,
    JUDGEMENTS,
    REGIONS,
    STYLE,
    Kind,
    ages_of,
    canvas,
    course,
    drawn,
    hollow,
    line,
    mark_breaks,
    printed,
    series,
    signs,
    whiskers,
)
from triple_aim.vocabulary import ALL


def trend(
    release: Path,
    promise: Publication,
    indicator: str,
    region_type: str,
    regions: Sequence[str],
    language: Language = "nl",
    *,
    age_group: str = ALL,
    source: str | None = None,
    to: Kind = "svg",
) -> bytes:
    """One indicator over the years for up to six regions, beside the rest of the Netherlands."""
    if not 1 <= len(regions) <= len(REGIONS):
        raise ProjectError(f"{len(regions)} regions were named", "trend", f"name 1 to {len(REGIONS)} of them")
    found = select_indicator(release, promise, indicator, age_group, source)
    rows, about = found.rows, found.used_indicators.iloc[0]
    ours = rows[(rows["region_type"] == region_type) & rows["region_code"].isin(regions)]
    if absent := sorted(set(regions) - set(ours["region_code"])):
        raise NothingToPublish(f"there are no rows of {', '.join(absent)}", region_type, "check code and region type")
    words, breaks = WORDS[language], [int(year) for year in about["series_breaks"].split(", ") if year]
    years = range(int(ours["period"].min()), int(ours["period"].max()) + 1)
    with matplotlib.rc_context(STYLE):
        figure, axes = canvas(about, language, 4.8, ages=ages_of(age_group, language), above=16)
        for at, code in enumerate(regions):
            one = ours[ours["region_code"] == code].set_index("period").reindex(years)
            shift = 0.09 * (at - (len(regions) - 1) / 2)
            course(axes, one, breaks, shift, *REGIONS[at], label=str(one["region_name"].dropna().iloc[0]))
            gaps = [year + shift for year in one.index[~is_shown(one)]]
            bottom = axes.get_xaxis_transform()
            axes.plot(gaps, [0.025] * len(gaps), "x", color=REGIONS[at][0], transform=bottom)
        _draw_comparator(axes, ours if len(regions) == 1 else rows, years, breaks, language)
        mark_breaks(axes, years, breaks, words["break"])
        axes.set_xlim(years[0] - 0.5, years[-1] + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=13, min_n_ticks=1))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.grid(axis="y", color=FAINT, linewidth=0.6)
        handles = axes.get_legend_handles_labels()[0] + signs(ours, language)
        return drawn(figure, handles, found, language, to)


def caterpillar(
    release: Path,
    promise: Publication,
    indicator: str,
    region_type: str,
    period: int,
    language: Language = "nl",
    *,
    age_group: str = ALL,
    source: str | None = None,
    to: Kind = "svg",
) -> bytes:
    """All regions of a type in one year, sorted, with their intervals and the national value."""
    found = select_indicator(release, promise, indicator, age_group, source)
    rows, about = found.rows[found.rows["period"] == period], found.used_indicators.iloc[0]
    ours = rows[rows["region_type"] == region_type]
    shown = ours[is_shown(ours)].sort_values(["value", "region_code"])
    if shown.empty:
        raise NothingToPublish(
            "no region has a value to show", f"{indicator}, {region_type}, {period}", "try another year"
        )
    words, hidden = WORDS[language], ours[~is_shown(ours)].sort_values("region_name", ascending=False)
    ordered = pd.concat([hidden, shown]).reset_index(drop=True)
    many = len(ordered) > 60
    with matplotlib.rc_context(STYLE):
        height = 2.2 + len(ordered) * (0.12 if many else 0.2)
        kind = words.get(region_type, region_type.replace("_", " "))
        figure, axes = canvas(about, language, height, f"{kind}, {period}", ages_of(age_group, language))
        handles: list[Any] = []
        whole = rows[rows["region_type"] == "nl"]
        if is_shown(whole).any():
            value = float(whole["value"].iloc[0])
            label = f"{words['nl']} {printed(value, int(about['decimals']), language)}"
            handles.append(axes.axvline(value, color=GREY, linestyle="--", linewidth=1, label=label))
        told = ordered["judgement"].where(ordered["judgement"] != "no_judgement", ordered["difference"])
        for verdict, (colour, marker) in JUDGEMENTS.items():
            part = ordered[is_shown(ordered) & (told == verdict)]
            if len(part):
                bars = whiskers(part["value"], part["lower"], part["upper"])
                axes.errorbar(part["value"], part.index, xerr=bars, fmt="none", ecolor=colour, elinewidth=1)
                dots = axes.scatter(part["value"], part.index, s=22, c=colour, marker=marker, zorder=3)
                dots.set_label(words[verdict])
                handles.append(dots)
                hollow(axes, part["value"], part.index, part["status"], colour, marker)
        left = axes.get_yaxis_transform()
        for place in range(len(hidden)):
            axes.text(0.01, place, NOT_AVAILABLE[language], transform=left, va="center", color=GREY)
        axes.set_yticks(ordered.index, ordered["region_name"], fontsize=5.5 if many else 8)
        axes.set_ylim(-0.8, len(ordered) - 0.2)
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        handles += signs(shown, language)
        return drawn(figure, handles, found, language, to)


def _draw_comparator(axes: Axes, rows: pd.DataFrame, years: range, breaks: list[int], language: Language) -> None:
    """For one region the rest of the country, with its interval; for several the whole country."""
    words = WORDS[language]
    if rows["region_code"].nunique() > 1:
        whole = rows[rows["region_type"] == "nl"].set_index("period").reindex(years)
        return line(axes, whole["value"], breaks, color=GREY, linestyle="--", label=words["nl"])
    rest = rows.set_index("period").reindex(years)
    low, high = (rest[f"comparator_{side}"].astype(float) for side in ("lower", "upper"))
    for part in series(rest.index, breaks):
        axes.fill_between(rest.index, low, high, where=part, color=FAINT, alpha=0.6, linewidth=0, zorder=0)
    line(axes, rest["comparator_value"], breaks, color=GREY, linestyle="--", label=words["rest"])
