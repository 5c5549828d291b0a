"""Is enough withheld further, and no more than that, that no withheld number is a difference of shown ones?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import ROOT, specs
from tests.unit.countries import TOTAL, Parts, country, rows
from triple_aim.definitions.contracts import load_publication
from triple_aim.disclosure.protect import FURTHER, audit, protect
from triple_aim.disclosure.unknowns import Additions, opening, told

PROMISE = load_publication(ROOT / "contracts")
SHARE = specs()["polypharmacy_65_plus"]
WOMEN, MEN = ("F", "all", "none", "all"), ("M", "all", "none", "all")


def gated(
    counts: dict[tuple[str, str, str, str], list[float]], indicator: str = SHARE.id, **kinds: Parts
) -> pd.DataFrame:
    """What the gate lets through of municipalities A, B, … with these cases among 1,000 persons each."""
    regions = country("ABCDEFGH"[: len(counts[TOTAL])], **kinds)
    table = rows(counts, regions, 1000.0).assign(source=specs()[indicator].compute[0].cubes[0])
    safe = protect(table, specs()[indicator], PROMISE, 2024, regions)
    audit(safe)
    return safe


def further(safe: pd.DataFrame) -> set[str]:
    """The regions, with their sex, that are withheld for the sake of others."""
    rows = safe[safe["reason"] == FURTHER]
    return set(rows["region_code"].where(rows["sex"] == "all", rows["region_code"] + " " + rows["sex"]))


def test_the_smallest_neighbour_is_withheld_beside_a_lone_small_cell() -> None:
    safe = gated({TOTAL: [5.0, 70, 20, 40, 60, 80]}, ggd_region={"one": "ABC", "two": "DEF"})
    assert further(safe) == {"C"}
    assert safe.loc[safe["reason"] == FURTHER, "status"].eq("suppressed").all()


def test_where_nothing_is_small_nothing_is_withheld() -> None:
    assert not further(gated({TOTAL: [30.0, 70, 20]}, ggd_region={"one": "ABC"}))


def test_two_small_cells_whose_sum_is_small_need_a_third() -> None:
    assert further(gated({TOTAL: [1.0, 2, 30, 20]})) == {"D"}
    assert not further(gated({TOTAL: [7.0, 8, 30, 20]}))


def test_the_other_sex_is_withheld_and_so_is_a_neighbour_of_both() -> None:
    women, men = [5.0, 50, 30, 40], [25.0, 50, 20, 60]
    total = [one + other for one, other in zip(women, men, strict=True)]
    assert further(gated({TOTAL: total, WOMEN: women, MEN: men})) == {"A M", "C F", "C M"}


def test_the_parts_of_a_family_add_up_and_those_of_another_kind_do_not() -> None:
    kinds = {name: ("all", "all", "condition", name) for name in ("asthma", "copd", "heart")}
    other = ("all", "all", "growth_basis", "nominal")
    counts = {TOTAL: [60.0], kinds["asthma"]: [5.0], kinds["copd"]: [20.0], kinds["heart"]: [35.0], other: [90.0]}
    safe = gated(counts)
    assert set(safe.loc[safe["reason"] == FURTHER, "segment"]) == {"copd"}


def test_regions_that_differ_in_one_small_municipality_are_not_both_shown() -> None:
    kinds = {"ggd_region": {"one": "ABCD", "two": "EF"}, "own": {"ours": "BCD"}}
    safe = gated({TOTAL: [5.0, 20, 30, 40, 50, 60]}, **kinds)
    assert {"ours", "one"} & further(safe)


def test_a_small_rest_of_the_country_is_no_difference_of_two_shown_numbers() -> None:
    regions = country("ABCD", own={"ours": "AB", "theirs": "A"})
    table = rows({TOTAL: [400.0, 300, 2, 3]}, regions, 1000.0)
    table = table[table["region_type"] != "municipality"].reset_index(drop=True)
    assert further(protect(table, SHARE, PROMISE, 2024, regions)) == {"ours"}


def test_without_rows_of_municipalities_regions_still_overlap() -> None:
    kinds = {"ggd_region": {"one": "AB", "two": "CD"}, "province": {"north": "ABC", "south": "D"}}
    regions = country("ABCD", **kinds)
    table = rows({TOTAL: [300.0, 400, 5, 200]}, regions, 1000.0)
    # The small one, C, is in no row of its own: two minus south, and north minus one.
    table = table[table["region_type"] != "municipality"].reset_index(drop=True)
    table.loc[table["region_code"] == "south", "status"] = "suppressed"
    safe = protect(table, SHARE, PROMISE, 2024, regions)
    assert further(safe) and "NL01" not in further(safe)


def test_a_value_that_is_no_quotient_of_its_sums_stays_and_they_go() -> None:
    safe = gated({TOTAL: [5.0, 70, 20]}, "life_expectancy").set_index("region_code")
    assert safe.loc["C", "status"] == "published" and safe.loc["C", "value"] == 1.0
    assert np.isnan(safe.loc["C", ["numerator", "denominator"]].to_numpy(dtype=float)).all()
    assert safe.loc["A", "status"] == "suppressed" and np.isnan(safe.loc["A", "value"])


def test_what_follows_from_relations_together_is_told() -> None:
    # a + b, b + c and a + c are shown: together they tell all three, though each alone tells none.
    pairs = Additions(np.repeat([0, 1, 2], 3), np.array([3, 0, 1, 4, 1, 2, 5, 0, 2]), np.tile([1.0, -1, -1], 3))
    unseen = np.array([True, True, True, False, False, False])
    assert told(pairs, unseen).tolist() == unseen.tolist()
    unseen[3] = True
    assert told(pairs, unseen).tolist() == [False, False, False, False, False, False]


@pytest.mark.parametrize(("cells", "seed"), [(24, 9924), (27, 3407), (29, 2409)])
def test_sums_that_nearly_repeat_each_other_can_be_told(cells: int, seed: int) -> None:
    """The smallest singular value is about 1e-4."""
    matrix = -(np.random.default_rng(seed).random((cells, cells)) < 0.4).astype(float)
    relation, cell = np.nonzero(matrix)
    assert np.linalg.matrix_rank(matrix) == cells  # so every cell follows
    assert told(Additions(relation, cell, matrix[relation, cell]), np.ones(cells, dtype=bool)).all()


@pytest.mark.parametrize(("cells", "seed"), [(65, 1825), (79, 8839)])
def test_a_programme_that_nothing_satisfies_is_told_from_one_that_was_not_solved(cells: int, seed: int) -> None:
    """HiGHS without presolve answers “unknown” (status 4); with presolve the same programme is infeasible (2)."""
    rng = np.random.default_rng(seed)
    matrix = np.zeros((cells, cells))
    for row in matrix:
        chosen = rng.choice(cells, int(rng.integers(2, 8)), replace=False)
        row[chosen] = -1
        row[chosen[0]] = 1
    cost = 1 + (10 ** rng.uniform(0, 6, cells)) ** 0.25
    relation, cell = np.nonzero(matrix)
    unseen = rng.random(cells) < 0.5
    asked = np.flatnonzero(unseen)[0]
    assert opening(Additions(relation, cell, matrix[relation, cell]), unseen, asked, cost) is None


def test_sums_that_double_thirty_times_are_told() -> None:
    levels = 30
    twins = [[(2 * k, 1), (2 * k + 1, -1)] for k in range(levels)]
    sums = [[(2 * k + 2, 1), (2 * k, -1), (2 * k + 1, -1)] for k in range(levels)]
    one, other, shown = 2 * levels + 1, 2 * levels + 2, 2 * levels + 3
    pairs = [
        [(shown + at, 1), (first, -1), (second, -1)]
        for at, (first, second) in enumerate([(0, one), (one, other), (0, other)])
    ]
    entries = [(number, *entry) for number, row in enumerate([*twins, *sums, *pairs]) for entry in row]
    relation, cell, sign = (np.array(column) for column in zip(*entries, strict=True))
    unseen = np.arange(shown + 3) < shown
    assert told(Additions(relation, cell, sign.astype(float)), unseen).sum() == shown
