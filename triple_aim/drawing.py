"""What every figure is drawn with: style, words, lines, signs, and a frame of title, legend and source.

Not here: what is drawn (``figures``).
"""

from __future__ import annotations

import io
import textwrap
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from triple_aim.selection import NOT_AVAILABLE, Language, Selection
from triple_aim.vocabulary import SHOWN

Kind = Literal["svg", "png"]

STYLE: Any = {
    "svg.hashsalt": "triple-aim",  # else every element gets a random name
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
WIDTH = 7.5  # inches
GREY, FAINT = "#595959", "#d9d9d9"
#: Okabe and Ito's colours, which stay apart for colour-blind readers; the marker tells the same again.
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
    "not_compared": ("#767676", "|"),
}
WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "better": "beter dan de rest van Nederland",
        "worse": "slechter dan de rest van Nederland",
        "higher": "hoger dan de rest van Nederland",
        "lower": "lager dan de rest van Nederland",
        "no_demonstrable_difference": "geen aantoonbaar verschil",
        "not_compared": "niet vergeleken",
        "rest": "rest van Nederland",
        "nl": "Nederland",
        "years": "jaar",
        "break": "trendbreuk",
        "missing": "niet beschikbaar",
        "provisional": "voorlopig (open)",
        "interval": "streepjes: betrouwbaarheidsinterval",
        "source": "bron",
        "release": "uitgave",
        "municipality": "gemeenten",
        "ggd_region": "GGD-regio's",
        "zorgkantoor_region": "zorgkantoorregio's",
        "corop_region": "COROP-gebieden",
        "province": "provincies",
    },
    "en": {
        "better": "better than the rest of the Netherlands",
        "worse": "worse than the rest of the Netherlands",
        "higher": "higher than the rest of the Netherlands",
        "lower": "lower than the rest of the Netherlands",
        "no_demonstrable_difference": "no demonstrable difference",
        "not_compared": "not compared",
        "rest": "rest of the Netherlands",
        "nl": "Netherlands",
        "years": "years",
        "break": "series break",
        "missing": "not available",
        "provisional": "provisional (open)",
        "interval": "whiskers: confidence interval",
        "source": "source",
        "release": "release",
        "municipality": "municipalities",
        "ggd_region": "GGD regions",
        "zorgkantoor_region": "zorgkantoor regions",
        "corop_region": "COROP areas",
        "province": "provinces",
    },
}


def printed(value: float, decimals: int, language: Language) -> str:
    """A number as it is printed: 1.234,5 in Dutch, 1,234.5 in English."""
    text = f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "nl" else text


def canvas(about: Any, language: Language, height: float, place: str = "", ages: str = "") -> tuple[Figure, Axes]:
    """An empty figure that says what is measured, in what, of whom and where."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    subtitle = ", ".join(filter(None, [str(about[f"unit_{language}"]), ages, place]))
    axes.set_title(subtitle, loc="left", fontsize=9, color=GREY, pad=6 if place else 16)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(_numbers(language))
    axes.xaxis.set_major_formatter(_numbers(language))
    return figure, axes


def course(
    axes: Axes, one: pd.DataFrame, breaks: list[int], shift: float, colour: str, marker: str, label: str
) -> None:
    """One region's line, with whiskers, interrupted where there is no value and where the series breaks."""
    value = one["value"].where(is_shown(one)).astype(float)
    years = one.index + shift
    line(axes, value.set_axis(years), breaks, color=colour, linewidth=1.6)
    bars = whiskers(value, one["lower"], one["upper"])
    axes.errorbar(years, value, yerr=bars, fmt="none", ecolor=colour, elinewidth=1, alpha=0.7, zorder=2)
    axes.plot(years, value, marker, color=colour, markersize=5, label=label, zorder=3)
    hollow(axes, years, value, one["status"], colour, marker)


def line(axes: Axes, value: pd.Series, breaks: list[int], label: str | None = None, **style: Any) -> None:
    """A line that does not suggest a course across a series break or a gap."""
    for at, part in enumerate(series(value.index, breaks)):
        alone = "_" if part.sum() == 1 else None  # a line through one year cannot be seen
        shown = value.where(part).astype(float)
        axes.plot(value.index, shown, marker=alone, label=None if at else label, zorder=1.5, **style)


def series(years: pd.Index, breaks: list[int]) -> list[NDArray[np.bool_]]:
    """Which years belong to each series; a shifted point still belongs to its year."""
    number = np.searchsorted(np.array(sorted(breaks)) - 0.5, years.to_numpy(dtype=float))
    return [number == at for at in range(len(breaks) + 1)]


def hollow(axes: Axes, x: Any, y: Any, status: pd.Series, colour: str, marker: str) -> None:
    """Open markers over the provisional points."""
    open_ = (status == "provisional").to_numpy(dtype=bool)
    if open_.any():
        x, y = pd.Series(x).to_numpy()[open_], pd.Series(y).to_numpy()[open_]
        axes.scatter(x, y, s=22, c="white", marker=marker, edgecolors=colour, zorder=4)


def whiskers(value: pd.Series, lower: pd.Series, upper: pd.Series) -> Any:
    """How far the interval reaches to either side; nowhere when there is none."""
    return [
        (value - lower).clip(lower=0).fillna(0).to_numpy(),
        (upper - value).clip(lower=0).fillna(0).to_numpy(),
    ]


def is_shown(rows: pd.DataFrame) -> pd.Series:
    """Which rows have a value that readers may see."""
    return rows["status"].isin(SHOWN) & rows["value"].notna()


def signs(rows: pd.DataFrame, language: Language) -> list[Line2D]:
    """Legend entries for the signs that occur."""
    words = WORDS[language]
    found: list[Line2D] = []
    if rows["lower"].notna().any():
        found.append(Line2D([], [], color=GREY, linewidth=1, label=words["interval"]))
    if (rows["status"] == "provisional").any():
        ring = Line2D([], [], color=GREY, marker="o", markerfacecolor="white", linestyle="")
        ring.set_label(words["provisional"])
        found.append(ring)
    if not is_shown(rows).all():
        label = f"{NOT_AVAILABLE[language]}: {words['missing']}"
        found.append(Line2D([], [], color=GREY, marker="x", linestyle="", label=label))
    return found


def _numbers(language: Language) -> FuncFormatter:
    """Tick labels with no more decimals than the steps need."""

    def label(value: float, position: int | None = None) -> str:
        decimals = len(f"{value:.6f}".rstrip("0").split(".")[1])
        return printed(value, decimals, language)

    return FuncFormatter(label)


def drawn(figure: Figure, handles: list[Any], found: Selection, language: Language, to: Kind) -> bytes:
    """Title above; legend, source and release below, each in room of its own; then the file's bytes."""
    words, title = WORDS[language], str(found.used_indicators.iloc[0][f"title_{language}"])
    foot = f"{words['source']}: {found.source_line(language)}; {words['release']} {found.release.name}"
    heading, footing = textwrap.wrap(title, 74), textwrap.wrap(foot, 118)
    height = figure.get_figheight()
    above = (0.1 + 0.19 * len(heading)) / height
    foot_top = (0.1 + 0.13 * len(footing)) / height
    below = foot_top + (0.12 + 0.17 * ((len(handles) + 1) // 2)) / height
    figure.text(0.012, 1 - 0.08 / height, "\n".join(heading), va="top", fontsize=11, fontweight="bold")
    figure.text(0.012, foot_top, "\n".join(footing), va="top", fontsize=7, color=GREY)
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, foot_top), ncols=2, fontsize=8)
    figure.set_layout_engine("constrained", rect=(0.005, below, 0.99, 1 - below - above))
    sink = io.BytesIO()
    metadata = {"Date": None, "Title": title} if to == "svg" else {"Software": None, "Title": title}
    figure.savefig(sink, format=to, dpi=160, metadata=metadata)
    return sink.getvalue()
