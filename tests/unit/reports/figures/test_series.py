"""Do figures give the same bytes each time and show intervals, gaps, breaks and sources?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from matplotlib.markers import MarkerStyle

from triple_aim.definitions.contracts import Publication
from triple_aim.errors import NothingToPublish, ProjectError
from triple_aim.reports.figures.series import caterpillar, trend
from triple_aim.reports.figures.style import JUDGEMENTS, REGIONS, format_number

ONE = ("avoidable_mortality", "ggd_region", ["GG05"])
SEVERAL = ("zvw_cost", "ggd_region", ["GG00", "GG01"])


def texts(svg: bytes) -> set[str]:
    return set(re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode()))


def test_the_same_release_gives_the_same_bytes(release: Path, promise: Publication) -> None:
    for to in ("svg", "png"):
        assert trend(release, promise, *ONE, to=to) == trend(release, promise, *ONE, to=to)
        caterpillars = [caterpillar(release, promise, *ONE[:2], 2020, to=to) for _ in range(2)]
        assert caterpillars[0] == caterpillars[1]


@pytest.mark.parametrize("marker", sorted({marker for _, marker in [*JUDGEMENTS.values(), *REGIONS]}))
def test_a_provisional_point_can_be_drawn_open(marker: str) -> None:
    assert MarkerStyle(marker).is_filled()


def test_a_trend_shows_break_comparator_gaps_and_source(release: Path, promise: Publication) -> None:
    svg = trend(release, promise, *ONE)
    drawn = texts(svg)
    assert {
        "Vermijdbare sterfte onder 75",
        "trendbreuk",
        "rest van Nederland",
        "n.b.: niet beschikbaar",
    } <= drawn
    assert "streepjes: betrouwbaarheidsinterval" in drawn
    assert any(text.startswith("bron: ") and release.name in text for text in drawn)
    assert b'id="series-break-2015"' in svg
    assert "series break" in texts(trend(release, promise, *ONE, "en"))


def test_several_regions_are_compared_with_the_whole_country(release: Path, promise: Publication) -> None:
    drawn = texts(trend(release, promise, *SEVERAL))
    assert {"GGD Alfa", "GGD Beta", "Nederland", "voorlopig (open)"} <= drawn
    assert "rest van Nederland" not in drawn


def test_a_caterpillar_has_every_region_and_the_country(release: Path, promise: Publication) -> None:
    drawn = texts(caterpillar(release, promise, "avoidable_mortality", "ggd_region", 2023))
    assert {"GGD Alfa", "GGD Epsilon", "=GGD 'Ypsilon' &amp; Zuid", "n.b."} <= drawn
    assert any(re.fullmatch(r"Nederland \d+,\d", text) for text in drawn)
    assert any("dan de rest van Nederland" in text or text == "geen aantoonbaar verschil" for text in drawn)
    plain = texts(caterpillar(release, promise, "zvw_cost", "ggd_region", 2020, "en"))
    assert not any(text.startswith(("better", "worse")) for text in plain)


@pytest.mark.parametrize(
    ("value", "decimals", "nl", "en"), [(2625, 0, "2.625", "2,625"), (-1234.56, 1, "-1.234,6", "-1,234.6")]
)
def test_numbers_are_printed_in_the_language(value: float, decimals: int, nl: str, en: str) -> None:
    assert format_number(value, decimals, "nl") == nl
    assert format_number(value, decimals, "en") == en


def test_refusals(release: Path, promise: Publication) -> None:
    with pytest.raises(ProjectError):
        trend(release, promise, "zvw_cost", "ggd_region", [])
    with pytest.raises(NothingToPublish, match="GG99"):
        trend(release, promise, "zvw_cost", "ggd_region", ["GG00", "GG99"])
    with pytest.raises(NothingToPublish):
        caterpillar(release, promise, "zvw_cost", "ggd_region", 1999)
    with pytest.raises(NothingToPublish):
        trend(release, promise, "zvw_cost", "ggd_region", ["GG00"], source="another")
