"""What every figure is drawn with: style, lines, signs, and a frame of title, legend and source.

Not here: what is drawn (``series``, ``funnel``, ``control_chart``) or the words (``captions``).
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
    "not_compared": ("#767676", "P"),
}


def printed(value: float, decimals: int, language: Language) -> str:
    """A number as it is printed: 1.234,5 in Dutch, 1,234.5 in English."""
    text = f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "nl" else text


def canvas(
    about: Any, language: Language, height: float, place: str = "", ages: str = "", above: float = 6
) -> tuple[Figure, Axes]:
    """An empty figure that says what is measured, in what, of whom and where; ``above`` the axes is that much room."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    subtitle = ", ".join(filter(None, [str(about[f"unit_{language}"]), ages, place]))
    axes.set_title(subtitle, loc="left", fontsize=9, color=GREY, pad=above)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(Numbers(language))
    axes.xaxis.set_major_formatter(Numbers(language))
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


def mark_breaks(axes: Axes, years: range, breaks: list[int], label: str) -> None:
    """A dotted line before the first year of each new series, that year above the plot, where no point can be."""
    for at, year in enumerate(year for year in breaks if years[0] < year <= years[-1]):
        named = None if at else label
        axes.axvline(year - 0.5, color=GREY, linestyle=":", gid=f"series-break-{year}", label=named)
        above = axes.get_xaxis_transform()
        axes.text(year - 0.5, 1.01, str(year), transform=above, ha="center", fontsize=8, color=GREY)


def ages_of(age_group: str, language: Language) -> str:
    """The age group in words; nothing for everybody."""
    return "" if age_group == ALL else f"{age_group} {WORDS[language]['years']}"


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


class Numbers(Formatter):
    """Tick labels in the notation of a language, all with the decimals that the steps between them need."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, value: float, position: int | None = None) -> str:
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        decimals = max((len(f"{value:.6f}".rstrip("0").split(".")[1]) for value in values), default=0)
        return [printed(value, decimals, self.language) for value in values]


def drawn(figure: Figure, handles: list[Any], found: Selection, language: Language, to: Kind) -> bytes:
    """The figure in its frame, as a file's bytes."""
    frame(figure, handles, found, language)
    return saved(figure, found, language, to)


def frame(figure: Figure, handles: list[Any], found: Selection, language: Language, notes: Sequence[str] = ()) -> None:
    """Title above; legend, notes, source and release below, each in room of its own."""
    words, title = WORDS[language], _title(found, language)
    foot = f"{words['source']}: {found.source_line(language)}; {words['release']} {found.release.name}"
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


def saved(figure: Figure, found: Selection, language: Language, to: Kind) -> bytes:
    """A file's bytes."""
    sink, title = io.BytesIO(), _title(found, language)
    metadata = {"Date": None, "Title": title} if to == "svg" else {"Software": None, "Title": title}
    figure.savefig(sink, format=to, dpi=160, metadata=metadata)
    return sink.getvalue()


def _title(found: Selection, language: Language) -> str:
    return str(found.used_indicators.iloc[0][f"title_{language}"])
