"""Do a spec and a cube give the right rows: value, comparator, status, coverage?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import FLEVOLAND, HOSPITAL, PHARMACY, cells, ggd_of, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.indicators.compute import indicator_rows

GGD = ggd_of("GM0034")


def claims(**sums: object) -> Cells:
    """Six municipalities, one year: 100 insured and 95 insured years a cell, 2,000 euros for each kind of care."""
    given = {
        "insured_person_count": 100.0,
        "insured_years": 95.0,
        HOSPITAL: 2000.0,
        PHARMACY: 2000.0,
        "amount_eur_sumsq": 500_000.0,
        "emergency_visit_count": 20.0,
        "emergency_visit_sumsq": 20.0,
        "emergency_visit_person_count": 20.0,
        **sums,
    }
    return cells({name: np.asarray(array, float) for name, array in given.items()})


def computed(indicator: str, cube: Cells, source: str = "claims") -> pd.DataFrame:
    spec = specs()[indicator]
    empty = cells({}, periods=(), codes=())
    cubes = {name: cube if name == source else empty for name in {*spec.route_of, source}}
    return indicator_rows(spec, cubes, regions(), tables())


def row(rows: pd.DataFrame, region: str, **chosen: object) -> pd.Series:
    wanted = {"sex": "all", "age_group": "all", "segment": "all", "period": 2022, "region_code": region, **chosen}
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_the_value_of_a_region_comes_from_sums() -> None:
    weights = np.array([1.0, 2, 3, 4, 5, 6]).reshape(1, 6, 1, 1)
    cube = claims(**{HOSPITAL: 2000 * weights}, insured_years=95 / weights, amount_eur_sumsq=1e9)
    rows = computed("zvw_cost_per_insured_year", cube)
    years = (95 / weights * 8).sum()
    euros = (2000 * weights * 8).sum() + 2000 * 8 * 6
    assert row(rows, GGD)["value"] == pytest.approx(euros / years)
    assert row(rows, GGD)["denominator"] == pytest.approx(years)


def test_parts_of_a_family_add_up_and_have_no_interval() -> None:
    rows = computed("zvw_cost_per_insured_year", claims())
    parts = rows[(rows["segment_type"] == "care_kind") & (rows["region_code"] == GGD)]
    assert parts["segment"].tolist() == ["hospital", "pharmacy"]
    assert parts["value"].sum() == pytest.approx(row(rows, GGD)["value"])
    assert parts["lower"].isna().all() and row(rows, GGD)["lower"] < row(rows, GGD)["value"]


def test_the_comparator_is_the_country_without_the_region() -> None:
    visits = np.array([20.0, 20, 20, 20, 20, 50]).reshape(1, 6, 1, 1)
    rows = computed("emergency_visits", claims(emergency_visit_count=visits, emergency_visit_sumsq=visits))
    seen = row(rows, "GM0995")
    assert seen["value"] == pytest.approx(1000 * 50 / 95)
    assert seen["comparator_value"] == pytest.approx(1000 * 20 / 95)
    assert (seen["difference"], seen["judgement"]) == ("higher", expected_judgement("emergency_visits", "higher"))
    assert pd.isna(row(rows, "NL01")["comparator_value"]) and row(rows, "NL01")["difference"] == "not_compared"
    assert row(rows, GGD)["difference"] == "not_compared"  # the rest of the country delivered nothing


def expected_judgement(indicator: str, difference: str) -> str:
    polarity = specs()[indicator].polarity
    worse = {"lower_is_better": "worse", "higher_is_better": "better"}
    return worse.get(polarity, "no_judgement") if difference == "higher" else "no_demonstrable_difference"


def test_nothing_delivered_is_not_zero() -> None:
    visits = np.full((2, 6, 2, 4), 20.0)
    visits[1, 0] = np.nan
    base = np.where(np.isnan(visits), np.nan, 95.0)
    cube = cells(
        {
            "emergency_visit_count": visits,
            "emergency_visit_sumsq": visits,
            "insured_years": base,
            "insured_person_count": base,
        },
        periods=(2021, 2022),
    )
    rows = computed("emergency_visits", cube)
    missing = row(rows, FLEVOLAND[0])
    assert (missing["status"], missing["reason"]) == ("not_delivered", "nothing was delivered")
    assert missing[["value", "numerator", "denominator"]].isna().all()
    partly = row(rows, GGD)
    assert partly["status"] == "published" and 0 < partly["coverage_share"] < 1
    assert partly["reason"].startswith("rests on 5 of 6 municipalities")
    assert partly["value"] == pytest.approx(1000 * 20 / 95)  # it counts in neither numerator nor denominator
    assert "GM0014" not in set(rows["region_code"])  # a region of which nothing was ever delivered has no row


def test_too_few_municipalities_give_no_value() -> None:
    visits = np.full((2, 6, 2, 4), 20.0)
    visits[1, :4] = np.nan
    base = np.where(np.isnan(visits), np.nan, 95.0)
    cube = cells(
        {
            "emergency_visit_count": visits,
            "emergency_visit_sumsq": visits,
            "insured_years": base,
            "insured_person_count": base,
        },
        periods=(2021, 2022),
    )
    thin = row(computed("emergency_visits", cube), GGD)
    assert (thin["status"], thin["reason"]) == ("not_computed", "too few municipalities delivered")
    assert thin[["value", "lower", "upper"]].isna().all()


def test_a_municipality_without_denominator_counts_in_no_numerator() -> None:
    years = np.full((1, 6, 2, 4), 95.0)
    years[0, 0] = np.nan
    rows = computed("emergency_visits", claims(insured_years=years))
    assert row(rows, GGD)["numerator"] == 5 * 8 * 20
    assert row(rows, GGD)["value"] == pytest.approx(1000 * 20 / 95)


def test_the_standardised_ratio_of_the_country_is_one() -> None:
    rng = np.random.default_rng(1)
    euros, years = rng.uniform(1000, 9000, (1, 6, 2, 4)), rng.uniform(50, 100, (1, 6, 2, 4))
    cube = cells({HOSPITAL: euros, "insured_years": years, "insured_person_count": years})
    rows = computed("zvw_cost_ratio", cube)
    assert row(rows, "NL01")["value"] == pytest.approx(1.0)
    expected = (euros.sum(axis=1) / years.sum(axis=1) * years[:, 0]).sum()
    assert row(rows, FLEVOLAND[0])["value"] == pytest.approx(euros[:, 0].sum() / expected)


def test_a_standardised_mean_does_not_depend_on_the_age_structure() -> None:
    level = np.array([1000.0, 2000, 4000, 8000])
    years = np.random.default_rng(2).uniform(50, 500, (1, 6, 2, 4))
    cube = claims(
        **{HOSPITAL: level * years, PHARMACY: 0.0}, insured_years=years, insured_person_count=years,
        amount_eur_sumsq=2 * level**2 * years,
    )  # fmt: skip
    rows = computed("zvw_cost_standardised", cube)
    values = rows[(rows["sex"] == "all") & (rows["segment"] == "all")]["value"]
    assert np.allclose(values, values.iloc[0])


def panel(visits: np.ndarray, periods: tuple[int, ...]) -> Cells:
    return cells(
        {HOSPITAL: visits, "insured_years": np.where(np.isnan(visits), np.nan, 100.0),
         "insured_person_count": np.where(np.isnan(visits), np.nan, 100.0)},
        periods=periods,
    )  # fmt: skip


def test_growth_comes_from_sums_and_has_a_segment_per_basis() -> None:
    euros = np.ones((3, 6, 2, 4)) * np.array([1000.0, 1100, 1320]).reshape(3, 1, 1, 1)
    rows = computed("zvw_cost_growth", panel(euros, (2020, 2021, 2022)))
    assert row(rows, GGD)["value"] == pytest.approx(20.0)
    assert row(rows, GGD, period=2021)["value"] == pytest.approx(10.0)
    index = tables().deflators["cpi"]
    real = 100 * (1.2 / (index[2022] / index[2021]) - 1)
    assert row(rows, GGD, segment="real")["value"] == pytest.approx(real)
    assert row(rows, GGD, segment="standardised")["value"] == pytest.approx(20.0)
    assert not (rows[rows["period"] == 2020]["status"] == "published").any()


def test_a_municipality_that_stops_reporting_is_no_growth() -> None:
    euros = np.ones((2, 6, 2, 4)) * np.array([1000.0, 1050]).reshape(2, 1, 1, 1)
    euros[:, 0] *= 10  # an expensive municipality…
    euros[1, 0] = np.nan  # …that stops reporting
    grown = row(computed("zvw_cost_growth", panel(euros, (2021, 2022))), GGD)
    assert grown["value"] == pytest.approx(5.0)
    assert grown["coverage_share"] < 1


def test_compound_growth_counts_from_the_base_year() -> None:
    euros = np.ones((4, 6, 2, 4)) * np.array([900.0, 1000, 1050, 1210]).reshape(4, 1, 1, 1)
    rows = computed("zvw_cost_growth_compound", panel(euros, (2020, 2021, 2022, 2023)))
    assert row(rows, GGD, period=2023)["value"] == pytest.approx(10.0)
    assert not (rows[rows["period"] <= 2021]["status"] == "published").any()


def test_growth_counts_the_persons_of_its_smaller_end() -> None:
    persons = np.ones((2, 6, 2, 4)) * np.array([0.5, 100.0]).reshape(2, 1, 1, 1)
    cube = cells({HOSPITAL: 1000.0, "insured_years": persons, "insured_person_count": persons}, periods=(2021, 2022))
    grown = row(computed("zvw_cost_growth", cube), FLEVOLAND[0])
    assert grown["persons"] == pytest.approx(0.5 * 8)  # sexes and age bands of the year before
