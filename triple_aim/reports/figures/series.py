"""Figures of one indicator: the trend of regions over the years, and the caterpillar plot of all regions in one year.

Not here: the choice of rows (``selection``). A figure shows every interval and marks missing values. Colour is never
the only sign. The same release gives the same bytes.
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
    age_label,
    draw_line,
    draw_region,
    error_bar_lengths,
    format_number,
    framed_bytes,
    legend_signs,
    mark_breaks,
    mark_provisional,
    new_figure,
    split_at_breaks,
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
    """One indicator over the years for up to six regions; one region is compared with the rest of the Netherlands."""
    if not 1 <= len(regions) <= len(REGIONS):
        raise ProjectError(f"a trend cannot show {len(regions)} regions", "trend", f"name 1 to {len(REGIONS)} regions")
    selection = select_indicator(release, promise, indicator, age_group, source)
    rows, metadata = selection.rows, selection.used_indicators.iloc[0]
    selected = rows[(rows["region_type"] == region_type) & rows["region_code"].isin(regions)]
    if absent := sorted(set(regions) - set(selected["region_code"])):
        raise NothingToPublish(f"there are no rows of {', '.join(absent)}", region_type, "check code and region type")
    words, breaks = WORDS[language], [int(year) for year in metadata["series_breaks"].split(", ") if year]
    years = range(int(selected["period"].min()), int(selected["period"].max()) + 1)
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(metadata, language, 4.8, ages=age_label(age_group, language), above=16)
        for number, code in enumerate(regions):
            by_year = selected[selected["region_code"] == code].set_index("period").reindex(years)
            shift = 0.09 * (number - (len(regions) - 1) / 2)
            name = str(by_year["region_name"].dropna().iloc[0])
            draw_region(axes, by_year, breaks, shift, *REGIONS[number], label=name)
            gaps = [year + shift for year in by_year.index[~is_shown(by_year)]]
            bottom = axes.get_xaxis_transform()
            axes.plot(gaps, [0.025] * len(gaps), "x", color=REGIONS[number][0], transform=bottom)
        _draw_comparator(axes, selected if len(regions) == 1 else rows, years, breaks, language)
        mark_breaks(axes, years, breaks, words["break"])
        axes.set_xlim(years[0] - 0.5, years[-1] + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=13, min_n_ticks=1))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.grid(axis="y", color=FAINT, linewidth=0.6)
        handles = axes.get_legend_handles_labels()[0] + legend_signs(selected, language)
        return framed_bytes(figure, handles, selection, language, to)


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
    selection = select_indicator(release, promise, indicator, age_group, source)
    rows, metadata = selection.rows[selection.rows["period"] == period], selection.used_indicators.iloc[0]
    selected = rows[rows["region_type"] == region_type]
    shown = selected[is_shown(selected)].sort_values(["value", "region_code"])
    if shown.empty:
        raise NothingToPublish(
            "no region has a value to show", f"{indicator}, {region_type}, {period}", "try another year"
        )
    words, hidden = WORDS[language], selected[~is_shown(selected)].sort_values("region_name", ascending=False)
    ordered = pd.concat([hidden, shown]).reset_index(drop=True)
    many = len(ordered) > 60
    with matplotlib.rc_context(STYLE):
        height = 2.2 + len(ordered) * (0.12 if many else 0.2)
        kind = words.get(region_type, region_type.replace("_", " "))
        figure, axes = new_figure(metadata, language, height, f"{kind}, {period}", age_label(age_group, language))
        handles: list[Any] = []
        national = rows[rows["region_type"] == "nl"]
        if is_shown(national).any():
            value = float(national["value"].iloc[0])
            label = f"{words['nl']} {format_number(value, int(metadata['decimals']), language)}"
            handles.append(axes.axvline(value, color=GREY, linestyle="--", linewidth=1, label=label))
        verdicts = ordered["judgement"].where(ordered["judgement"] != "no_judgement", ordered["difference"])
        for verdict, (colour, marker) in JUDGEMENTS.items():
            part = ordered[is_shown(ordered) & (verdicts == verdict)]
            if len(part):
                bars = error_bar_lengths(part["value"], part["lower"], part["upper"])
                axes.errorbar(part["value"], part.index, xerr=bars, fmt="none", ecolor=colour, elinewidth=1)
                dots = axes.scatter(part["value"], part.index, s=22, c=colour, marker=marker, zorder=3)
                dots.set_label(words[verdict])
                handles.append(dots)
                mark_provisional(axes, part["value"], part.index, part["status"], colour, marker)
        left = axes.get_yaxis_transform()
        for place in range(len(hidden)):
            axes.text(0.01, place, NOT_AVAILABLE[language], transform=left, va="center", color=GREY)
        axes.set_yticks(ordered.index, ordered["region_name"], fontsize=5.5 if many else 8)
        axes.set_ylim(-0.8, len(ordered) - 0.2)
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        handles += legend_signs(shown, language)
        return framed_bytes(figure, handles, selection, language, to)


def _draw_comparator(axes: Axes, rows: pd.DataFrame, years: range, breaks: list[int], language: Language) -> None:
    """Draw the rest of the country with its interval for one region, the whole country for several."""
    words = WORDS[language]
    if rows["region_code"].nunique() > 1:
        national = rows[rows["region_type"] == "nl"].set_index("period").reindex(years)
        return draw_line(axes, national["value"], breaks, color=GREY, linestyle="--", label=words["nl"])
    rest = rows.set_index("period").reindex(years)
    low, high = (rest[f"comparator_{side}"].astype(float) for side in ("lower", "upper"))
    for part in split_at_breaks(rest.index, breaks):
        axes.fill_between(rest.index, low, high, where=part, color=FAINT, alpha=0.6, linewidth=0, zorder=0)
    draw_line(axes, rest["comparator_value"], breaks, color=GREY, linestyle="--", label=words["rest"])
