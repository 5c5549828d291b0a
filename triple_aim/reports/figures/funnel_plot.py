"""A funnel plot: each region of a type against its size, with the limits of chance around the national value.

Not here: sizes, limits and verdicts (``funnel_limits``) or where names find room (``labels``).
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
from triple_aim.reports import Language, Selection, in_dutch, select_indicator
from triple_aim.reports.figures.captions import WORDS
from triple_aim.reports.figures.funnel_limits import Funnel, funnel_of
from triple_aim.reports.figures.labels import name_points
from triple_aim.reports.figures.style import (
    FAINT,
    GREY,
    STYLE,
    Kind,
    Numbers,
    ages_of,
    canvas,
    frame,
    hollow,
    printed,
    saved,
    signs,
)
from triple_aim.stats.compare import Significance

MOST_NAMES = 12
#: Beyond the outer limits: the shape tells the side, the colour and the legend what to think of it.
SIDES = {"above": "^", "below": "v"}
COLOURS = {"favourable": "#0072B2", "unfavourable": "#D55E00", "": "#332288"}
FAVOURABLE = {"higher_is_better": "above", "lower_is_better": "below"}
OF_WHAT = re.compile(r"^(?:per [\d.,]+ |procent van (?:de )?|percent of )")


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
    """Each region of a type in one year against its size, with limits of 95 % and 99.8 % around the national value."""
    found = select_indicator(release, promise, indicator, age_group, source)
    made = funnel_of(found, region_type, period, overdispersed=overdispersed)
    about, words, regions = found.used_indicators.iloc[0], WORDS[language], made.regions
    kind = words.get(region_type, region_type.replace("_", " "))
    with matplotlib.rc_context(STYLE):
        figure, axes = canvas(about, language, 5.6, f"{kind}, {period}", ages_of(age_group, language))
        handles = _draw_limits(axes, made, about, language)
        handles += _draw_regions(axes, regions, about["polarity"], language)
        handles += [sign for sign in signs(regions, language) if sign.get_label() == words["provisional"]]
        axes.set_xlabel(_size(about, made, language), fontsize=9)
        axes.grid(axis="y", color=FAINT, linewidth=0.6)
        frame(figure, handles, found, language, _notes(made, found, kind, language, overdispersed))
        _name(axes, made)
        return saved(figure, found, language, to)


def _draw_limits(axes: Axes, made: Funnel, about: Any, language: Language) -> list[Any]:
    """The national value as a line and two pairs of curves over all sizes that occur."""
    words, sizes = WORDS[language], made.sizes()
    if made.is_wide:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(Numbers(language))
    axes.set_xlim(sizes[0], sizes[-1])
    value = float(made.country["value"])
    label = f"{words['nl']} {printed(value, int(about['decimals']), language)}"
    handles: list[Any] = [axes.axhline(value, color="black", linewidth=1, label=label, zorder=1.5)]
    for limits, style, name in zip(made.limits(sizes), ("--", "-"), ("limits_95", "limits_998"), strict=True):
        axes.plot(sizes, limits.lower, color=GREY, linestyle=style, linewidth=0.9, zorder=1.4)
        handles += axes.plot(
            sizes, limits.upper, color=GREY, linestyle=style, linewidth=0.9, zorder=1.4, label=words[name]
        )
    return handles


def _draw_regions(axes: Axes, regions: pd.DataFrame, polarity: str, language: Language) -> list[Any]:
    """A grey dot a region; beyond the outer limits a triangle that points away from the country."""
    words, beyond = WORDS[language], regions["significance"]
    groups = {
        "within": beyond.abs() < Significance.FAR_ABOVE,
        "above": beyond == Significance.FAR_ABOVE,
        "below": beyond == Significance.FAR_BELOW,
    }
    handles = []
    for side, members in groups.items():
        part, label, colour, marker = regions[members], words[side], "#8c8c8c", SIDES.get(side, "o")
        if side in SIDES:
            judged = (
                {FAVOURABLE.get(polarity): "favourable"}.get(side, "unfavourable") if polarity in FAVOURABLE else ""
            )
            colour = COLOURS[judged]
            label += f" ({words[judged]})" if judged else ""
        if len(part):
            dots = axes.scatter(
                part["exposure"], part["value"], s=16, c=colour, marker=marker, linewidths=0.7, label=label, zorder=3
            )
            handles.append(dots)
            hollow(axes, part["exposure"], part["value"], part["status"], colour, marker)
    return handles


def _name(axes: Axes, made: Funnel) -> None:
    """The names of the regions farthest out."""
    named, place, sizes = made.outside.head(MOST_NAMES), ["exposure", "value"], made.sizes()
    limits = made.limits(sizes)
    curves = [np.column_stack([sizes, side]) for pair in limits for side in (pair.lower, pair.upper)]
    dots = made.regions.drop(named.index)[place].to_numpy()
    points, names = named[place].to_numpy(), named["region_name"].tolist()
    name_points(axes, points, names, dots, np.vstack(curves), fontsize=7)


def _size(about: Any, made: Funnel, language: Language) -> str:
    """What the horizontal axis counts: ``per 1.000 inwoners`` is about a number of inwoners."""
    words, unit = WORDS[language], str(about[f"unit_{language}"])
    told = words["denominator"]
    if about["methods"] == "indirectly_standardised_ratio":
        told = words["expected"]
    elif OF_WHAT.match(unit):
        told = f"{words['number']} {OF_WHAT.sub('', unit)}"
    return f"{told} ({words['logarithmic']})" if made.is_wide else told


def _notes(made: Funnel, found: Selection, kind: str, language: Language, overdispersed: bool) -> list[str]:
    """What the limits say, how many regions are beyond them, and who is not in the figure."""
    words, outside = WORDS[language], len(made.outside)
    limits = words["overdispersed" if overdispersed and made.phi > 1 else "by_chance"]
    notes = [
        limits.format(regions=kind, family=words[made.family]),
        words["spread"].format(regions=kind, phi=printed(made.phi, 1, language)),
    ]
    if outside > MOST_NAMES:
        notes[1] += " " + words["named"].format(outside=outside, regions=kind, named=MOST_NAMES)
    if len(made.hidden):
        whole = len(made.hidden) + len(made.regions)
        notes.append(words["hidden"].format(hidden=len(made.hidden), all=whole, regions=kind))
    country = made.country.to_frame().T
    remark = (in_dutch(country, found.indicators, found.promise) if language == "nl" else country)["reason"].iloc[0]
    if remark:
        notes.append(f"{words['nl']}: {remark}.")
    return notes
