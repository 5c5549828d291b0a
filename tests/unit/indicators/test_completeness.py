"""Is an incomplete year recognised by the months of its bookings, and are its rows provisional?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.unit.cells import HOSPITAL, cells, regions, specs, tables
from triple_aim.cubes.cells import Cells
from triple_aim.definitions.contracts import RunOff
from triple_aim.indicators.completeness import completed_shares
from triple_aim.indicators.compute import indicator_rows

RULE = RunOff(cube="claims_run_off", of=["claims"], complete_from=0.99)
PATTERN = np.array([0.5, 0.3, 0.2])  # booked in the month itself and in the two after it


def bookings(last_month: dict[int, int], known: bool = True, of_last: float = 1.0) -> Cells:
    """Twelve months of service of 100 euros each; ``last_month`` of booking, counted from January of the year.

    ``of_last`` is the share of that month that was booked before the delivery.
    """
    shape = (len(last_month), 1, 1, 1, 12, 3)
    month, delay = np.arange(12)[:, None], np.arange(3)
    euros = np.zeros(shape)
    for row, last in enumerate(last_month.values()):
        booked = np.where(month + delay < last, 100 * PATTERN, 0.0)
        euros[row, 0, 0, 0] = np.where(month + delay == last - 1, of_last, 1.0) * booked
    labels = ["00", "01", "02"] if known else ["unknown", "unknown_1", "unknown_2"]
    months = [f"{number:02d}" for number in range(1, 13)]
    return cells(
        {"amount_eur": euros},
        tuple(last_month),
        ("GM0034",),
        ("all",),
        ("all",),
        service_month=months,
        delay_month=labels,
    )


def claims(periods: tuple[int, ...] = (2022, 2023)) -> Cells:
    sums = {"insured_person_count": 100.0, "insured_years": 100.0, HOSPITAL: 1000.0, "amount_eur_sumsq": 1e6}
    return cells(sums, periods)


def test_a_full_year_is_complete_and_the_latest_is_not() -> None:
    shares = completed_shares(bookings({2022: 99, 2023: 12}), [2022, 2023])
    # December has its first month, November its first two: 1170 of 1200 euros less what is missing.
    observed = 10 * 100 + 80 + 50
    assert shares.tolist() == pytest.approx([1.0, observed / 1200])


def test_the_month_of_the_delivery_does_not_look_like_missing_claims() -> None:
    shares = completed_shares(bookings({2022: 99, 2023: 13}, of_last=0.1), [2022, 2023])
    # January has a tenth of the third month of November and of the second month of December, and nothing later.
    assert shares.tolist() == pytest.approx([1.0, (10 * 100 + 82 + 53) / 1200])


def test_a_year_without_bookings_is_unknown_and_not_complete() -> None:
    assert np.isnan(completed_shares(bookings({2022: 99}), [2023])).all()
    assert np.isnan(completed_shares(bookings({2022: 99}, known=False), [2022])).all()


def rows_of(indicator: str, last: int) -> pd.DataFrame:
    cubes = {"claims": claims(), "claims_run_off": bookings({2022: 99, 2023: last}), "vektis_open": cells({}, (), ())}
    rows = indicator_rows(specs()[indicator], cubes, regions(), tables(), RULE)
    return rows[(rows["region_type"] == "nl") & (rows["segment"] == "all") & (rows["sex"] == "all")].set_index("period")


def test_rows_of_an_incomplete_year_are_provisional_and_state_the_booked_share() -> None:
    rows = rows_of("zvw_cost_per_insured_year", 12)
    rows = rows[rows["age_group"] == "all"]
    assert rows["status"].to_dict() == {2022: "published", 2023: "provisional"}
    assert rows.loc[2023, "reason"].startswith("about 94 % of the euros of the year have been booked")


def test_a_completed_cost_is_the_booked_cost_over_its_share() -> None:
    rows = rows_of("zvw_cost_completed", 12)
    assert rows.loc[2022, "value"] == pytest.approx(10.0)
    assert rows.loc[2023, "value"] == pytest.approx(10.0 / (1130 / 1200))
    assert "completed" in rows.loc[2023, "reason"]
