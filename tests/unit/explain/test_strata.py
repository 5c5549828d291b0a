"""Is a number recomputed from its strata, and are strata that are too small hidden?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.cells import FLEVOLAND, HOSPITAL, cells, ggd_of, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.definitions.contracts import Threshold
from triple_aim.explain.differencing import shown_levels
from triple_aim.explain.strata import SPLIT, Derivation, derive, trace
from triple_aim.indicators.compute import indicator_rows
from triple_aim.vocabulary import ALL

GGD = ggd_of("GM0034")
THRESHOLD = Threshold(mode="cell_key", persons=10, cases=10)
SUMS = ("amount_eur", "user_count", "line_count")
USERS = "user_count[care_kind=hospital]"
SES = ["1", "2", "3", "4", "5", "unknown"]


def claims(**axes: list[str]) -> Cells:
    rng = np.random.default_rng(3)
    shape = (2, len(FLEVOLAND), 2, 4, *(len(labels) for labels in axes.values()))
    base = rng.integers(400, 900, shape).astype(float)
    names = "emergency_visit_count emergency_visit_person_count emergency_visit_sumsq avoidable_admission_count "
    names += "avoidable_admission_sumsq avoidable_admission_person_count diabetes_person_count "
    events = {name: np.ceil(base * rng.uniform(0.1, 0.2)) for name in names.split()}
    care = {HOSPITAL: base * 900, USERS: base / 4, "line_count[care_kind=hospital]": base / 2}
    sums = {
        "insured_person_count": base,
        "insured_years": base * 0.97,
        "amount_eur": base * 3000,
        "amount_eur_sumsq": base * 1e8,
    }
    return cells({**sums, **events, **care}, (2022, 2023), **axes)


def derive_row(indicator: str, cube: str, given: Cells, **part: str) -> tuple[Derivation, float]:
    """The derivation of a total or of a part in the last year, and the value of the indicator."""
    spec = specs()[indicator]
    cubes = {name: given if name == cube else cells({}, (), ()) for name in {*spec.route_of, cube}}
    rows = indicator_rows(spec, cubes, regions(), tables()).query("region_code == @GGD and period == period.max()")
    for name, label in {"sex": ALL, "age_group": ALL, "segment": ALL, **part}.items():
        rows = rows[rows[name] == label]
    row = rows.to_dict("records")[0]
    result = derive(trace(spec, cubes, cube, regions(), tables()), row, THRESHOLD)
    assert result is not None
    return result, float(row["value"])


@pytest.mark.parametrize(
    ("indicator", "axes", "rows"),
    [
        ("emergency_visits", {}, 8),
        ("zvw_cost_per_insured_year", {}, 8),
        ("avoidable_admissions_slope", {"ses_quintile": SES}, 5 * 2 * 3),
        ("diabetes_concentration", {"ses_quintile": SES}, 5 * 2 * 4),
        ("case_mix_adjusted_cost", {"condition_group": ["none", "one"]}, 2 * 4 * 2),
    ],
)
def test_a_number_is_recomputed_from_its_strata(indicator: str, axes: dict[str, list[str]], rows: int) -> None:
    cube = next(iter(specs()[indicator].route_of))
    result, value = derive_row(indicator, cube, claims(**axes))
    assert result.recomputed.value.item() == pytest.approx(value)
    assert len(result.strata) == rows and result.small_count == 0


def test_an_empty_cube_gives_no_derivation() -> None:
    spec, row = specs()["emergency_visits"], {"region_type": "ggd_region", "region_code": GGD, "period": 2023}
    traced = trace(spec, {"claims": cells({}, (), ())}, "claims", regions(), tables())
    assert derive(traced, row | {"sex": ALL, "age_group": ALL, "segment": ALL}, THRESHOLD) is None


def test_the_expected_sum_is_base_times_reference() -> None:
    result, value = derive_row("case_mix_adjusted_cost", "claims_case_mix", claims(condition_group=["none", "one"]))
    assert 100 * result.strata["numerator"].sum() / result.strata["expected"].sum() == pytest.approx(value)


def test_the_strata_of_growth_have_both_ends() -> None:
    result, value = derive_row("zvw_cost_growth", "claims", claims())
    assert result.recomputed.value.item() == pytest.approx(value)
    ends = [result.strata[f"{when}_total"].sum() / result.strata[f"{when}_exposure"].sum() for when in ("end", "start")]
    assert 100 * (ends[0] / ends[1] - 1) == pytest.approx(value)


@pytest.mark.parametrize(
    ("indicator", "column"),
    [("emergency_visits", "emergency_visit_person_count"), ("zvw_cost_change", USERS)],
)
def test_one_small_stratum_hides_them_all(indicator: str, column: str) -> None:
    cube = claims()
    cube.sums[column][:, :, 0, 0] = 1
    result, _ = derive_row(indicator, "claims", cube)
    assert result.small_count == 1


@pytest.mark.parametrize(
    ("indicator", "part", "rows"),
    [
        ("zvw_cost_per_insured_year", {"sex": "M"}, 4),
        ("zvw_cost_per_insured_year", {"age_group": "00-19"}, 2),
        ("zvw_cost_per_insured_year", {"segment": "hospital"}, 8),
        ("zvw_cost_standardised", {"sex": "F"}, 4),
        ("emergency_visits", {"sex": "M"}, 4),
    ],
)
def test_a_part_has_only_its_own_strata(indicator: str, part: dict[str, str], rows: int) -> None:
    result, value = derive_row(indicator, "claims", claims(), **part)
    assert result.recomputed.value.item() == pytest.approx(value)
    assert len(result.strata) == rows
    assert set(result.strata["sex"]) == ({part["sex"]} if "sex" in part else {"F", "M"})


def test_one_small_stratum_of_the_men_hides_those_of_the_women() -> None:
    cube = claims()
    cube.sums["insured_person_count"][:, :, 1, 0] = 1
    result, _ = derive_row("zvw_cost_per_insured_year", "claims", cube, sex="F")
    assert (result.strata["persons"] >= THRESHOLD.persons).all()
    assert result.small_count == 1 and result.stratum_count == 8


def test_one_small_stratum_of_a_kind_of_care_hides_those_of_the_other_kinds() -> None:
    cube = claims()
    cube.sums.update({f"{name}[care_kind=dental]": cube.sums[f"{name}[care_kind=hospital]"].copy() for name in SUMS})
    cube.sums["user_count[care_kind=dental]"][:, :, 0, 0] = 1
    assert derive_row("zvw_cost_per_insured_year", "claims", cube, segment="hospital")[0].small_count == 1
    assert derive_row("zvw_cost_per_insured_year", "claims", cube)[0].small_count == 0


def test_parts_of_growth_are_hidden_because_their_users_are_not_counted() -> None:
    cube = claims()
    cube.sums.update(
        {f"{name}[care_kind=mental_health]": cube.sums[f"{name}[care_kind=hospital]"].copy() for name in SUMS}
    )
    result, value = derive_row("zvw_cost_growth", "claims", cells(cube.sums, (2021, 2022)), segment="break_adjusted")
    assert result.strata["comparable"].tolist() == [1, 0] and result.strata["care_kind"].tolist()[1] == "mental_health"
    assert result.small_count == result.stratum_count == 2
    assert result.recomputed.value.item() == pytest.approx(value)


@pytest.mark.parametrize(("basis", "rows"), [("all", 5), ("real", 5), ("standardised", 5 * 2 * 4)])
def test_a_trend_is_recomputed_from_its_years(basis: str, rows: int) -> None:
    rng = np.random.default_rng(3)
    years = tuple(range(2018, 2024))
    base = rng.integers(400, 900, (len(years), len(FLEVOLAND), 2, 4)).astype(float)
    sums = {"insured_person_count": base, "insured_years": base * 0.97}
    euros = base * rng.uniform(900, 1100, base.shape)
    result, value = derive_row(
        "zvw_cost_growth_trend", "claims", cells({**sums, HOSPITAL: euros}, years), segment=basis
    )
    assert result.recomputed.value.item() == pytest.approx(value)
    assert len(result.strata) == rows and sorted(set(result.strata["year"])) == [str(year) for year in years[1:]]


def small_and_shown(indicator: str, given: Cells) -> tuple[int, list[str]]:
    """The number of small strata of the GGD region, and the kinds of region whose strata may be shown."""
    spec = specs()[indicator]
    traced = trace(spec, {"claims": given}, "claims", regions(), tables())
    row = {"region_type": "ggd_region", "region_code": GGD, "period": 2023, **dict.fromkeys(SPLIT, ALL)}
    result = derive(traced, row, THRESHOLD)
    assert result is not None
    return result.small_count, shown_levels(traced, row, THRESHOLD)


def test_strata_of_all_regions_are_shown_where_no_municipality_has_a_small_one() -> None:
    small, shown = small_and_shown("emergency_visits", claims())
    assert small == 0 and shown[0] == "nl" and {"ggd_region", "municipality"} <= set(shown)


@pytest.mark.parametrize("cases", [0, 1])
def test_one_small_stratum_of_a_municipality_hides_those_of_all_municipalities(cases: int) -> None:
    cube = claims()
    cube.sums["emergency_visit_person_count"][1, 2, 0, 0] = cases
    small, shown = small_and_shown("emergency_visits", cube)
    assert small == 0 and "ggd_region" in shown and "municipality" not in shown


def test_growth_from_nobody_to_a_few_is_a_small_stratum() -> None:
    cube = claims()
    for name in ("insured_person_count", "insured_years"):
        cube.sums[name][0, :, 0, 0], cube.sums[name][1, :, 0, 0] = 0, 1
    assert derive_row("zvw_cost_growth", "claims", cube)[0].small_count == 1
