"""Is a number made again from its strata, and are strata that are too small held back?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.cells import FLEVOLAND, cells, ggd_of, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.definitions.contracts import Threshold
from triple_aim.definitions.yaml_reader import Bilingual
from triple_aim.explain.differencing import shown_levels
from triple_aim.explain.strata import SPLIT, Workings, trace, workings
from triple_aim.indicators.compute import indicator_rows
from triple_aim.vocabulary import ALL

GGD = ggd_of("GM0034")
LEAST = Threshold(persons=10, cases=10, reason=Bilingual(nl="te weinig", en="too few"))
KINDS = (("cost", "eur"), ("user", "count"), ("line", "count"))
SES = ["1", "2", "3", "4", "5", "unknown"]


def claims(**further: list[str]) -> Cells:
    rng = np.random.default_rng(3)
    shape = (2, len(FLEVOLAND), 2, 4, *(len(labels) for labels in further.values()))
    base = rng.integers(400, 900, shape).astype(float)
    names = "emergency_visit_count emergency_visit_person_count emergency_visit_sumsq avoidable_admission_count "
    names += "avoidable_admission_sumsq avoidable_admission_person_count diabetes_person_count "
    events = {name: np.ceil(base * rng.uniform(0.1, 0.2)) for name in names.split()}
    euros = {"cost_hospital_eur": base * 900, "user_hospital_count": base / 4, "line_hospital_count": base / 2}
    sums = {
        "insured_person_count": base,
        "insured_years": base * 0.97,
        "amount_eur": base * 3000,
        "cost_sumsq": base * 1e8,
    }
    return cells({**sums, **events, **euros}, (2022, 2023), **further)


def of(indicator: str, cube: str, given: Cells, **part: str) -> tuple[Workings, float]:
    """The workings of a total or of a part in the last year, and the value that the night made."""
    spec = specs()[indicator]
    cubes = {name: given if name == cube else cells({}, (), ()) for name in {*spec.route_of, cube}}
    rows = indicator_rows(spec, cubes, regions(), tables()).query("region_code == @GGD and period == period.max()")
    for name, label in {"sex": ALL, "age_group": ALL, "segment": ALL, **part}.items():
        rows = rows[rows[name] == label]
    row = rows.to_dict("records")[0]
    found = workings(trace(spec, cubes, cube, regions(), tables()), row, LEAST)
    assert found is not None
    return found, float(row["value"])


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
def test_a_number_is_made_again_from_its_strata(indicator: str, axes: dict[str, list[str]], rows: int) -> None:
    cube = next(iter(specs()[indicator].route_of))
    found, value = of(indicator, cube, claims(**axes))
    assert found.again.value.item() == pytest.approx(value)
    assert len(found.strata) == rows and found.hidden == 0


def test_a_cube_that_holds_nothing_any_more_makes_nothing_again() -> None:
    spec, row = specs()["emergency_visits"], {"region_type": "ggd_region", "region_code": GGD, "period": 2023}
    traced = trace(spec, {"claims": cells({}, (), ())}, "claims", regions(), tables())
    assert workings(traced, row | {"sex": ALL, "age_group": ALL, "segment": ALL}, LEAST) is None


def test_expected_by_hand_is_base_times_reference() -> None:
    found, value = of("case_mix_adjusted_cost", "claims_case_mix", claims(condition_group=["none", "one"]))
    assert 100 * found.strata["numerator"].sum() / found.strata["expected"].sum() == pytest.approx(value)


def test_both_ends_of_growth_stand_in_its_strata() -> None:
    found, value = of("zvw_cost_growth", "claims", claims())
    assert found.again.value.item() == pytest.approx(value)
    ends = [found.strata[f"{when}_total"].sum() / found.strata[f"{when}_exposure"].sum() for when in ("end", "start")]
    assert 100 * (ends[0] / ends[1] - 1) == pytest.approx(value)


@pytest.mark.parametrize(
    ("indicator", "column"),
    [("emergency_visits", "emergency_visit_person_count"), ("zvw_cost_change", "user_hospital_count")],
)
def test_one_small_stratum_hides_them_all(indicator: str, column: str) -> None:
    cube = claims()
    cube.sums[column][:, :, 0, 0] = 1
    found, _ = of(indicator, "claims", cube)
    assert found.hidden == 1


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
def test_a_part_has_the_strata_of_that_part_alone(indicator: str, part: dict[str, str], rows: int) -> None:
    found, value = of(indicator, "claims", claims(), **part)
    assert found.again.value.item() == pytest.approx(value)
    assert len(found.strata) == rows
    assert set(found.strata["sex"]) == ({part["sex"]} if "sex" in part else {"F", "M"})


def test_one_small_stratum_of_the_men_hides_those_of_the_women() -> None:
    cube = claims()
    cube.sums["insured_person_count"][:, :, 1, 0] = 1
    found, _ = of("zvw_cost_per_insured_year", "claims", cube, sex="F")
    assert (found.strata["persons"] >= LEAST.persons).all() and found.hidden == 1 and found.size == 8


def test_one_small_stratum_of_a_kind_of_care_hides_those_of_the_other_kinds() -> None:
    cube = claims()
    cube.sums.update({f"{name}_dental_{unit}": cube.sums[f"{name}_hospital_{unit}"].copy() for name, unit in KINDS})
    cube.sums["user_dental_count"][:, :, 0, 0] = 1
    assert of("zvw_cost_per_insured_year", "claims", cube, segment="hospital")[0].hidden == 1
    assert of("zvw_cost_per_insured_year", "claims", cube)[0].hidden == 0


def test_parts_of_growth_are_hidden_for_nobody_counted_who_is_behind_them() -> None:
    cube = claims()
    cube.sums.update(
        {f"{name}_mental_health_{unit}": cube.sums[f"{name}_hospital_{unit}"].copy() for name, unit in KINDS}
    )
    found, value = of("zvw_cost_growth", "claims", cells(cube.sums, (2021, 2022)), segment="break_adjusted")
    assert found.strata["comparable"].tolist() == [1, 0] and found.strata["care_kind"].tolist()[1] == "mental_health"
    assert found.hidden == found.size == 2
    assert found.again.value.item() == pytest.approx(value)


@pytest.mark.parametrize(("basis", "rows"), [("all", 5), ("real", 5), ("standardised", 5 * 2 * 4)])
def test_a_trend_is_made_again_from_its_years(basis: str, rows: int) -> None:
    rng = np.random.default_rng(3)
    years = tuple(range(2018, 2024))
    base = rng.integers(400, 900, (len(years), len(FLEVOLAND), 2, 4)).astype(float)
    sums = {"insured_person_count": base, "insured_years": base * 0.97}
    euros = base * rng.uniform(900, 1100, base.shape)
    found, value = of(
        "zvw_cost_growth_trend", "claims", cells({**sums, "cost_hospital_eur": euros}, years), segment=basis
    )
    assert found.again.value.item() == pytest.approx(value)
    assert len(found.strata) == rows and sorted(set(found.strata["year"])) == [str(year) for year in years[1:]]


def levels(indicator: str, given: Cells) -> tuple[int, list[str]]:
    """How many strata of the GGD region are hidden, and the kinds of region whose strata may be shown."""
    spec = specs()[indicator]
    traced = trace(spec, {"claims": given}, "claims", regions(), tables())
    row = {"region_type": "ggd_region", "region_code": GGD, "period": 2023, **dict.fromkeys(SPLIT, ALL)}
    found = workings(traced, row, LEAST)
    assert found is not None
    return found.hidden, shown_levels(traced, row, LEAST)


def test_strata_of_all_regions_are_shown_where_no_municipality_has_a_small_one() -> None:
    hidden, shown = levels("emergency_visits", claims())
    assert hidden == 0 and shown[0] == "nl" and {"ggd_region", "municipality"} <= set(shown)


@pytest.mark.parametrize("cases", [0, 1])
def test_one_small_stratum_of_a_municipality_hides_those_of_all_municipalities(cases: int) -> None:
    cube = claims()
    cube.sums["emergency_visit_person_count"][1, 2, 0, 0] = cases
    hidden, shown = levels("emergency_visits", cube)
    assert hidden == 0 and "ggd_region" in shown and "municipality" not in shown


def test_growth_from_nobody_to_a_few_is_a_small_stratum() -> None:
    cube = claims()
    for name in ("insured_person_count", "insured_years"):
        cube.sums[name][0, :, 0, 0], cube.sums[name][1, :, 0, 0] = 0, 1
    assert of("zvw_cost_growth", "claims", cube)[0].hidden == 1
