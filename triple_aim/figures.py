"""Figures of one indicator: its course over the years, and the regions beside each other. SVG or PNG, always the same.

Not here: which numbers there are (``selection``). A figure shows an interval wherever there is one, says what is
missing, and never tells by colour alone.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from triple_aim.contracts import Publication
from triple_aim.errors import NothingToPublish, ProjectError
from triple_aim.selection import NOT_AVAILABLE, SHOWN, Language, Selection, select
from triple_aim.vocabulary import ALL

Kind = Literal["svg", "png"]

STYLE = {
    "svg.hashsalt": "triple-aim",  # else every element gets a random name
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
GREY, FAINT = "#595959", "#d9d9d9"
#: Okabe and Ito's colours, which stay apart for colour-blind readers; the marker tells the same again.
REGIONS = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#56B4E9", "v"), ("#000000", "P"))
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
        "break": "trendbreuk",
        "missing": "niet beschikbaar",
        "provisional": "voorlopig (open)",
        "interval": "streepjes: 95%-interval",
        "source": "bron",
        "release": "uitgave",
        "municipality": "gemeenten",
        "ggd_region": "GGD-regio's",
        "zorgkantoor_region": "zorgkantoorregio's",
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
        "break": "series break",
        "missing": "not available",
        "provisional": "provisional (open)",
        "interval": "whiskers: 95% interval",
        "source": "source",
        "release": "release",
        "municipality": "municipalities",
        "ggd_region": "GGD regions",
        "zorgkantoor_region": "zorgkantoor regions",
    },
}
