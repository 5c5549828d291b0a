"""Has the catalogue enough indicators of each kind, and a complete entry for every measure of the menu?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.content import specs
from triple_aim.definitions.measures import Measure, load_menu
from triple_aim.vocabulary import Aim

ROOT = Path(__file__).parents[2]
SPECS = specs()
MENU = load_menu(ROOT / "reference")

#: The minimum number of indicators of each aim.
MINIMUM: dict[Aim, int] = {"health": 20, "quality": 20, "cost": 15}
MINIMUM_IN_ALL = 60


def test_every_aim_has_enough_indicators() -> None:
    number = Counter(spec.aim for spec in SPECS.values())
    assert not {aim: number[aim] for aim, least in MINIMUM.items() if number[aim] < least}
    assert len(SPECS) >= MINIMUM_IN_ALL


@pytest.mark.parametrize("domain", ["equity", "social", "social_domain"])
def test_equity_and_the_social_domain_have_indicators(domain: str) -> None:
    assert any(spec.domain == domain for spec in SPECS.values())


def test_the_menu_is_numbered_without_a_gap() -> None:
    assert list(MENU) == [f"TA{number:02d}" for number in range(1, len(MENU) + 1)]


@pytest.mark.parametrize("measure", [pytest.param(measure, id=name) for name, measure in MENU.items()])
def test_a_measure_says_what_it_asks_and_what_data_it_needs(measure: Measure) -> None:
    assert all(vars(measure).values())


def test_no_two_indicators_are_the_same_computation() -> None:
    first: dict[str, str] = {}
    for spec in SPECS.values():
        assert first.setdefault(repr(spec.compute), spec.id) == spec.id
