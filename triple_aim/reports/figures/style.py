"""The shared parts of figures: style, lines, legend signs, and the frame of title, legend and source.

Not here: the figures (``series``, ``funnel_plot``, ``control_chart``) or their texts (``captions``).
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import Formatter
from numpy.typing import NDArray

from triple_aim.reports import NOT_AVAILABLE, Language, Selection, is_shown
from triple_aim.reports.figures.captions import WORDS
from triple_aim.vocabulary import ALL

Kind = Literal["svg", "png"]

STYLE: Any = {
    "svg.hashsalt": "triple-aim",  # without it every element gets a random id
    "svg.fonttype": "none",  # text stays text, for screen readers, search and copy
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
WIDTH = 7.5  # inches
GREY, FAINT = "#595959", "#d9d9d9"
#: Colours of Okabe and Ito, which colour-blind readers can distinguish; the markers differ as well.
REGIONS = (
    ("#0072B2", "o"),
    ("#D55E00", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "D"),
    ("#56B4E9", "v"),
    ("#000000", "P"),
)
JUDGEMENTS = {
    "better": ("#0072B2", "o"),
    "worse": ("#D55E00", "s"),
    "higher": ("#332288", "^"),
    "lower": ("#882255", "v"),
    "no_demonstrable_difference": ("#767676", "D"),
    "not_compared": ("#767676", "P"),
}


def format_number(value: float, decimals: int, language: Language) -> str:
    """A number in the notation of the language: 1.234,5 in Dutch, 1,234.5 in English."""
    text = f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "nl" else text


def new_figure(
    metadata: Any, language: Language, height: float, place: str = "", ages: str = "", above: float = 6
) -> tuple[Figure, Axes]:
    """An empty figure with unit, ages and place as subtitle; ``above`` is the space between subtitle and axes."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    subtitle = ", ".join(filter(None, [str(metadata[f"unit_{language}"]), ages, place]))
    axes.set_title(subtitle, loc="left", fontsize=9, color=GREY, pad=above)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(NumberFormatter(language))
    axes.xaxis.set_major_formatter(NumberFormatter(language))
    return figure, axes


def draw_region(
    axes: Axes, by_year: pd.DataFrame, breaks: list[int], shift: float, colour: str, marker: str, label: str
) -> None:
    """Draw the line and intervals of one region, interrupted at missing values and series breaks."""
    value = by_year["value"].where(is_shown(by_year)).astype(float)
    years = by_year.index + shift
    draw_line(axes, value.set_axis(years), breaks, color=colour, linewidth=1.6)
    bars = error_bar_lengths(value, by_year["lower"], by_year["upper"])
    axes.errorbar(years, value, yerr=bars, fmt="none", ecolor=colour, elinewidth=1, alpha=0.7, zorder=2)
    axes.plot(years, value, marker, color=colour, markersize=5, label=label, zorder=3)
    mark_provisional(axes, years, value, by_year["status"], colour, marker)


def draw_line(axes: Axes, value: pd.Series, breaks: list[int], label: str | None = None, **style: Any) -> None:
    """Draw a line that is interrupted at series breaks and missing values."""
    for number, part in enumerate(split_at_breaks(value.index, breaks)):
        marker = "_" if part.sum() == 1 else None  # a line through one year is invisible
        shown = value.where(part).astype(float)
        axes.plot(value.index, shown, marker=marker, label=None if number else label, zorder=1.5, **style)


def mark_breaks(axes: Axes, years: range, breaks: list[int], label: str) -> None:
    """Draw a dotted line before the first year of each new series, and write that year above the axes."""
    for number, year in enumerate(year for year in breaks if years[0] < year <= years[-1]):
        legend_label = None if number else label
        axes.axvline(year - 0.5, color=GREY, linestyle=":", gid=f"series-break-{year}", label=legend_label)
        above = axes.get_xaxis_transform()
        axes.text(year - 0.5, 1.01, str(year), transform=above, ha="center", fontsize=8, color=GREY)


def age_label(age_group: str, language: Language) -> str:
    """The age group in words; empty for all ages."""
    return "" if age_group == ALL else f"{age_group} {WORDS[language]['years']}"


def split_at_breaks(years: pd.Index, breaks: list[int]) -> list[NDArray[np.bool_]]:
    """A mask of years per series; points shifted within their year stay in it."""
    series_number = np.searchsorted(np.array(sorted(breaks)) - 0.5, years.to_numpy(dtype=float))
    return [series_number == number for number in range(len(breaks) + 1)]


def mark_provisional(axes: Axes, x: Any, y: Any, status: pd.Series, colour: str, marker: str) -> None:
    """Draw open markers over the provisional points."""
    provisional = (status == "provisional").to_numpy(dtype=bool)
    if provisional.any():
        x, y = pd.Series(x).to_numpy()[provisional], pd.Series(y).to_numpy()[provisional]
        axes.scatter(x, y, s=22, c="white", marker=marker, edgecolors=colour, zorder=4)


def error_bar_lengths(value: pd.Series, lower: pd.Series, upper: pd.Series) -> Any:
    """Distances from the value to both limits; 0 without an interval."""
    return [
        (value - lower).clip(lower=0).fillna(0).to_numpy(),
        (upper - value).clip(lower=0).fillna(0).to_numpy(),
    ]


def legend_signs(rows: pd.DataFrame, language: Language) -> list[Line2D]:
    """Legend entries for intervals, provisional points and missing values, where they occur."""
    words = WORDS[language]
    entries: list[Line2D] = []
    if rows["lower"].notna().any():
        entries.append(Line2D([], [], color=GREY, linewidth=1, label=words["interval"]))
    if (rows["status"] == "provisional").any():
        ring = Line2D([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="")
        ring.set_label(words["provisional"])
        entries.append(ring)
    if not is_shown(rows).all():
        label = f"{NOT_AVAILABLE[language]}: {words['missing']}"
        entries.append(Line2D([], [], color=GREY, marker="x", linestyle="", label=label))
    return entries


class NumberFormatter(Formatter):
    """Tick labels in the notation of a language, all with the number of decimals that the most precise one needs."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, value: float, position: int | None = None) -> str:
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        decimals = max((len(f"{value:.6f}".rstrip("0").split(".")[1]) for value in values), default=0)
        return [format_number(value, decimals, self.language) for value in values]


def framed_bytes(figure: Figure, handles: list[Any], selection: Selection, language: Language, to: Kind) -> bytes:
    """Add the frame and return the figure as a file's bytes."""
    add_frame(figure, handles, selection, language)
    return file_bytes(figure, selection, language, to)


def add_frame(
    figure: Figure, handles: list[Any], selection: Selection, language: Language, notes: Sequence[str] = ()
) -> None:
    """Add the title above, and legend, notes, source and release below."""
    words, title = WORDS[language], _title(selection, language)
    foot = f"{words['source']}: {selection.source_line(language)}; {words['release']} {selection.release.name}"
    heading = textwrap.wrap(title, 74)
    footing = [part for text in (*notes, foot) for part in textwrap.wrap(text, 138)]
    height = figure.get_figheight()
    above = (0.1 + 0.19 * len(heading)) / height
    foot_top = (0.1 + 0.13 * len(footing)) / height
    below = foot_top + (0.12 + 0.17 * ((len(handles) + 1) // 2)) / height
    figure.text(0.012, 1 - 0.08 / height, "\n".join(heading), va="top", fontsize=11, fontweight="bold")
    figure.text(0.012, foot_top, "\n".join(footing), va="top", fontsize=7, color=GREY)
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, foot_top), ncols=2, fontsize=8)
    figure.set_layout_engine("constrained", rect=(0.005, below, 0.99, 1 - below - above))


def file_bytes(figure: Figure, selection: Selection, language: Language, to: Kind) -> bytes:
    """The figure as the bytes of a file, without date, so that the same figure gives the same bytes."""
    sink, title = io.BytesIO(), _title(selection, language)
    metadata = {"Date": None, "Title": title} if to == "svg" else {"Software": None, "Title": title}
    figure.savefig(sink, format=to, dpi=160, metadata=metadata)
    return sink.getvalue()


def _title(selection: Selection, language: Language) -> str:
    return str(selection.used_indicators.iloc[0][f"title_{language}"])
