"""Do the components add up to the change, over municipalities that reported in both years?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import FLEVOLAND, HOSPITAL, PHARMACY, cells, ggd_of, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.indicators.compute import indicator_rows
from triple_aim.vocabulary import part

GGD = ggd_of("GM0034")


def claims(end: dict[str, float], seed: int = 1, **sums: np.ndarray) -> Cells:
    """Two years; the second is the first times ``end`` by column."""
    rng = np.random.default_rng(seed)
    shape = (1, len(FLEVOLAND), 2, 4)
    given = {"insured_person_count": rng.integers(50, 90, shape).astype(float)}
    given["insured_years"] = given["insured_person_count"] * 0.95
    for kind in ("hospital", "pharmacy"):
        users = rng.integers(10, 40, shape).astype(float)
        lines = users * rng.integers(1, 5, shape)
        euros = lines * rng.integers(80, 120, shape)
        for total, array in {"user_count": users, "line_count": lines, "amount_eur": euros}.items():
            given[part(total, "care_kind", kind)] = array
    both = {name: np.concatenate([array, array * end.get(name, 1.0)]) for name, array in given.items()}
    return cells({**both, **sums}, periods=(2022, 2023))


def parts(cube: Cells) -> dict[str, float]:
    rows = indicator_rows(
        specs()["zvw_cost_change"], {"claims": cube, "vektis_open": cells({}, (), ())}, regions(), tables()
    )
    regional = rows[(rows["region_code"] == GGD) & (rows["period"] == 2023)]
    return dict(zip(regional["segment"], regional["value"], strict=True))


def test_components_add_to_the_change() -> None:
    rng = np.random.default_rng(2)
    euros = rng.uniform(1000, 9000, (2, len(FLEVOLAND), 2, 4))
    found = parts(claims({"insured_years": 1.02, "user_count[care_kind=hospital]": 1.1}, **{PHARMACY: euros}))
    total = found.pop("all")
    assert set(found) == {"structure", "use", "volume", "price", "unattributed"}
    assert sum(found.values()) == pytest.approx(total, rel=1e-12) and abs(total) > 1


def test_a_more_expensive_act_changes_the_price_only() -> None:
    found = parts(claims({HOSPITAL: 1.1, PHARMACY: 1.1}))
    assert found["price"] == pytest.approx(found["all"]) and found["all"] > 0
    assert [found[name] for name in ("structure", "use", "volume", "unattributed")] == pytest.approx([0] * 4, abs=1e-9)


def test_more_acts_of_the_same_users_are_volume() -> None:
    more = {
        f"{name}_{kind}_{unit}": 1.2
        for kind in ("hospital", "pharmacy")
        for name, unit in (("line", "count"), ("cost", "eur"))
    }
    found = parts(claims(more))
    assert found["volume"] == pytest.approx(found["all"]) and found["use"] == pytest.approx(0, abs=1e-9)


def test_euros_without_an_act_are_unattributed() -> None:
    cube = claims({})
    for name in ("user_count[care_kind=hospital]", "line_count[care_kind=hospital]"):
        cube.sums[name][:] = 0
    cube.sums[HOSPITAL][:] = np.array([10.0, 70.0]).reshape(2, 1, 1, 1)
    found = parts(cube)
    years = cube.sums["insured_years"][0].sum()
    assert found["unattributed"] == pytest.approx(found["all"]) == pytest.approx(60 * 48 / years)


def test_a_municipality_that_starts_to_report_is_in_neither_year() -> None:
    cube = claims({HOSPITAL: 1.5})
    with_it = parts(cube)
    for array in cube.sums.values():
        array[0, 0] = np.nan
    rest = parts(cube)
    without = claims({HOSPITAL: 1.5})
    keep = np.array([False] + [True] * 5)
    alone = parts(without.keep("municipality_code", keep))
    assert rest == pytest.approx(alone) and rest["all"] != pytest.approx(with_it["all"])


def test_the_first_year_has_no_change() -> None:
    rows = indicator_rows(
        specs()["zvw_cost_change"], {"claims": claims({}), "vektis_open": cells({}, (), ())}, regions(), tables()
    )
    assert isinstance(rows, pd.DataFrame) and set(rows["period"]) == {2023}


def test_a_cube_of_euros_alone_has_structure_and_rate() -> None:
    cube = claims({HOSPITAL: 1.1})
    euros = Cells(cube.labels, {n: a for n, a in cube.sums.items() if not n.startswith(("user_", "line_"))})
    rows = indicator_rows(
        specs()["zvw_cost_change"], {"claims": cells({}, (), ()), "vektis_open": euros}, regions(), tables()
    )
    assert set(rows["segment"]) == {"all", "structure", "rate", "unattributed"}
