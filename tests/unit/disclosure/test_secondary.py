"""Does secondary suppression hide enough, and no more, so that no withheld number follows from shown ones?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import specs
from tests.unit.countries import TOTAL, Parts, country, rows
from tests.unit.disclosure.modes import with_mode
from triple_aim.definitions.regions import Regions
from triple_aim.disclosure.protect import audit, protect
from triple_aim.disclosure.unknowns import SumConstraints, complementary_cells, determined_cells

SUPPRESS, THRESHOLDS = with_mode("suppress"), with_mode("as_delivered")
SHARE = specs()["polypharmacy_65_plus"]
WOMEN, MEN = ("F", "all", "none", "all"), ("M", "all", "none", "all")


def protected_rows(
    counts: dict[tuple[str, str, str, str], list[float]], indicator: str = SHARE.id, **kinds: Parts
) -> pd.DataFrame:
    """The rows after the gate, for municipalities A, B, … with these cases and 1,000 persons each."""
    regions = country("ABCDEFGH"[: len(counts[TOTAL])], **kinds)
    table = rows(counts, regions, 1000.0).assign(source=specs()[indicator].compute[0].cubes[0])
    return suppressed(table, regions, indicator)


def suppressed(table: pd.DataFrame, regions: Regions, indicator: str = SHARE.id) -> pd.DataFrame:
    """The rows in mode ``suppress``; ``is_secondary`` marks those that the thresholds alone do not withhold."""
    safe = protect(table, specs()[indicator], SUPPRESS, 2024, regions)
    audit(safe)
    by_thresholds = protect(table, specs()[indicator], THRESHOLDS, 2024, regions)
    return safe.assign(is_secondary=safe["status"].ne(by_thresholds["status"]))


def secondary_regions(safe: pd.DataFrame) -> set[str]:
    """The regions, with their sex, that secondary suppression withholds."""
    rows = safe[safe["is_secondary"]]
    return set(rows["region_code"].where(rows["sex"] == "all", rows["region_code"] + " " + rows["sex"]))


def test_the_smallest_neighbour_of_a_single_small_cell_is_withheld() -> None:
    safe = protected_rows({TOTAL: [5.0, 70, 20, 40, 60, 80]}, ggd_region={"one": "ABC", "two": "DEF"})
    assert secondary_regions(safe) == {"C"}
    assert safe.loc[safe["is_secondary"], "status"].eq("suppressed").all()
    assert safe.loc[safe["status"] == "suppressed", "reason"].nunique() == 1  # no reason shows which rule held


def test_without_small_cells_nothing_is_withheld() -> None:
    assert not secondary_regions(protected_rows({TOTAL: [30.0, 70, 20]}, ggd_region={"one": "ABC"}))


def test_two_small_cells_whose_sum_is_small_need_a_third() -> None:
    assert secondary_regions(protected_rows({TOTAL: [1.0, 2, 30, 20]})) == {"D"}
    assert not secondary_regions(protected_rows({TOTAL: [7.0, 8, 30, 20]}))


def test_the_other_sex_and_both_sexes_of_a_neighbour_are_withheld() -> None:
    women, men = [5.0, 50, 30, 40], [25.0, 50, 20, 60]
    total = [one + other for one, other in zip(women, men, strict=True)]
    assert secondary_regions(protected_rows({TOTAL: total, WOMEN: women, MEN: men})) == {"A M", "C F", "C M"}


def test_only_members_of_the_same_family_add_up() -> None:
    kinds = {name: ("all", "all", "condition", name) for name in ("asthma", "copd", "heart")}
    other = ("all", "all", "growth_basis", "nominal")
    counts = {TOTAL: [60.0], kinds["asthma"]: [5.0], kinds["copd"]: [20.0], kinds["heart"]: [35.0], other: [90.0]}
    safe = protected_rows(counts)
    assert set(safe.loc[safe["is_secondary"], "segment"]) == {"copd"}


def test_regions_that_differ_by_one_small_municipality_are_not_both_shown() -> None:
    kinds = {"ggd_region": {"one": "ABCD", "two": "EF"}, "own": {"ours": "BCD"}}
    safe = protected_rows({TOTAL: [5.0, 20, 30, 40, 50, 60]}, **kinds)
    assert {"ours", "one"} & secondary_regions(safe)


def test_a_small_rest_of_the_country_does_not_follow_from_shown_numbers() -> None:
    regions = country("ABCD", own={"ours": "AB", "theirs": "A"})
    table = rows({TOTAL: [400.0, 300, 2, 3]}, regions, 1000.0)
    table = table[table["region_type"] != "municipality"].reset_index(drop=True)
    assert secondary_regions(suppressed(table, regions)) == {"ours"}


def test_without_municipality_rows_overlapping_regions_are_protected() -> None:
    kinds = {"ggd_region": {"one": "AB", "two": "CD"}, "province": {"north": "ABC", "south": "D"}}
    regions = country("ABCD", **kinds)
    table = rows({TOTAL: [300.0, 400, 5, 200]}, regions, 1000.0)
    # The small municipality C has no row, but follows twice: two minus south, and north minus one.
    table = table[table["region_type"] != "municipality"].reset_index(drop=True)
    table.loc[table["region_code"] == "south", "status"] = "suppressed"
    safe = suppressed(table, regions)
    assert secondary_regions(safe) and "NL01" not in secondary_regions(safe)


def test_a_value_that_is_not_a_quotient_is_shown_without_its_sums() -> None:
    safe = protected_rows({TOTAL: [5.0, 70, 20]}, "life_expectancy").set_index("region_code")
    assert safe.loc["C", "status"] == "published" and safe.loc["C", "value"] == 1.0
    assert np.isnan(safe.loc["C", ["numerator", "denominator"]].to_numpy(dtype=float)).all()
    assert safe.loc["A", "status"] == "suppressed" and np.isnan(safe.loc["A", "value"])


def test_cells_that_follow_from_several_constraints_are_determined() -> None:
    # a + b, b + c and a + c are shown: all three follow from the three sums, none from a single one.
    pairs = SumConstraints(np.repeat([0, 1, 2], 3), np.array([3, 0, 1, 4, 1, 2, 5, 0, 2]), np.tile([1.0, -1, -1], 3))
    hidden = np.array([True, True, True, False, False, False])
    assert determined_cells(pairs, hidden).tolist() == hidden.tolist()
    hidden[3] = True
    assert determined_cells(pairs, hidden).tolist() == [False, False, False, False, False, False]


@pytest.mark.parametrize(("cells", "seed"), [(24, 9924), (27, 3407), (29, 2409)])
def test_nearly_dependent_sums_still_determine_their_cells(cells: int, seed: int) -> None:
    """The smallest singular value is about 1e-4."""
    matrix = -(np.random.default_rng(seed).random((cells, cells)) < 0.4).astype(float)
    constraint, cell = np.nonzero(matrix)
    assert np.linalg.matrix_rank(matrix) == cells  # so every cell is determined
    assert determined_cells(
        SumConstraints(constraint, cell, matrix[constraint, cell]), np.ones(cells, dtype=bool)
    ).all()


@pytest.mark.parametrize(("cells", "seed"), [(65, 1825), (79, 8839)])
def test_an_infeasible_programme_is_distinguished_from_an_unsolved_one(cells: int, seed: int) -> None:
    """HiGHS without presolve answers “unknown” (status 4); with presolve the same programme is infeasible (2)."""
    rng = np.random.default_rng(seed)
    matrix = np.zeros((cells, cells))
    for row in matrix:
        chosen = rng.choice(cells, int(rng.integers(2, 8)), replace=False)
        row[chosen] = -1
        row[chosen[0]] = 1
    cost = 1 + (10 ** rng.uniform(0, 6, cells)) ** 0.25
    constraint, cell = np.nonzero(matrix)
    hidden = rng.random(cells) < 0.5
    target = np.flatnonzero(hidden)[0]
    assert complementary_cells(SumConstraints(constraint, cell, matrix[constraint, cell]), hidden, target, cost) is None


def test_thirty_nested_sums_of_two_equal_parts_determine_all_cells() -> None:
    levels = 30
    twins = [[(2 * k, 1), (2 * k + 1, -1)] for k in range(levels)]
    sums = [[(2 * k + 2, 1), (2 * k, -1), (2 * k + 1, -1)] for k in range(levels)]
    one, other, shown = 2 * levels + 1, 2 * levels + 2, 2 * levels + 3
    pairs = [
        [(shown + at, 1), (first, -1), (second, -1)]
        for at, (first, second) in enumerate([(0, one), (one, other), (0, other)])
    ]
    entries = [(number, *entry) for number, row in enumerate([*twins, *sums, *pairs]) for entry in row]
    constraint, cell, sign = (np.array(column) for column in zip(*entries, strict=True))
    hidden = np.arange(shown + 3) < shown
    assert determined_cells(SumConstraints(constraint, cell, sign.astype(float)), hidden).sum() == shown
