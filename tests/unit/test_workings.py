"""Is a number made again from its strata, and are strata that are too small held back?"""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.cells import FLEVOLAND, cells, ggd_of, regions, specs, tables
from triple_aim.content import Bilingual
from triple_aim.contracts import Threshold
from triple_aim.cubes import Cells
from triple_aim.indicators import indicator_rows
from triple_aim.workings import Workings, workings

GGD = ggd_of("GM0034")
LEAST = Threshold(persons=10, cases=10, reason=Bilingual(nl="te weinig", en="too few"))
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


def of(indicator: str, cube: str, given: Cells) -> tuple[Workings | None, float]:
    spec = specs()[indicator]
    cubes = {name: given if name == cube else cells({}, (), ()) for name in {*spec.route_of, cube}}
    found = workings(spec, cubes, cube, regions(), tables(), GGD, 2023, LEAST)
    rows = indicator_rows(spec, cubes, regions(), tables())
    row = rows.query(
        "region_code == @GGD and period == 2023 and sex == 'all' and age_group == 'all' and segment == 'all'"
    )
    return found, float(row["value"].iloc[0])


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
    assert found is not None and found.again is not None
    assert found.again.value.item() == pytest.approx(value)
    assert len(found.strata) == rows and found.hidden == 0


def test_expected_by_hand_is_base_times_reference() -> None:
    found, value = of("case_mix_adjusted_cost", "claims_case_mix", claims(condition_group=["none", "one"]))
    assert found is not None
    assert 100 * found.strata["numerator"].sum() / found.strata["expected"].sum() == pytest.approx(value)


def test_both_ends_of_growth_stand_in_its_strata() -> None:
    found, value = of("zvw_cost_growth", "claims", claims())
    assert found is not None and found.again is None
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
    assert found is not None and found.hidden == 1
