"""From lines of care to claims as delivered: amounts, booking dates, corrections, and rows that break a rule.

Not here: which care there is (``care``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.places import BANDS, DELIVERED, NEVER, PLACES, YEARS, Array, dates, labels, pseudonyms

HERE = Path(__file__).parent
#: Rounded national means: euro per insured year by five-year band and sex in three years; euro and days until a line is
#: booked by kind of care.
MEANS, KINDS = (pd.read_csv(HERE / f"{name}.csv") for name in ("cost", "kinds"))
COST = MEANS.pivot(index="age_band", columns="sex", values="euro_2023")[["M", "F"]].to_numpy(dtype=float)
COST_GROWTH = 1.03
BOOKING = KINDS.set_index("care_kind")["booking_days"]  # half the mean number of days
SLOWEST = DELIVERED - (YEARS[-1] - YEARS[0]) * 365 + 1  # days, so that every year but the last is complete


def billed(rng: Generator, lines: pd.DataFrame, members: pd.DataFrame, year: int) -> pd.DataFrame:
    """The claims of a year as they stood on the day of the delivery."""
    booked = _booking_days(rng, lines)
    claims = pd.DataFrame(
        {
            "claim_id": "",
            "person_key": members["person_key"].to_numpy()[lines["member"]],
            "care_kind": lines["care_kind"],
            "performance_code": lines["performance_code"],
            "diagnosis_icd10": lines["diagnosis_icd10"],
            "atc_code": lines["atc_code"],
            "start_date": dates(lines["day"]),
            "end_date": dates(np.where(lines["nights"] > 0, lines["day"] + lines["nights"], NEVER)),
            "booking_date": dates(np.where(rng.random(len(lines)) < 0.002, NEVER, booked)),
            "provider_code": lines["provider_code"],
            "quantity": 1,
            "ddd_quantity": lines["ddd"],
            "amount_cents": _calibrated_cents(rng, lines, members, year),
            "debit_credit": "D",
            "reference_number": "",
            "previous_reference": None,
        }
    )
    claims = claims[booked <= DELIVERED].reset_index(drop=True)
    number = np.arange(len(claims))
    claims["claim_id"], claims["reference_number"] = labels("C", year, number), labels("R", year, number)
    unknown = rng.random(len(claims)) < 0.01
    claims.loc[unknown, "person_key"] = pseudonyms(rng, int(unknown.sum()))
    late = rng.choice(len(claims), 20, replace=False)
    claims.loc[late, ["start_date", "end_date"]] = [pd.Timestamp(year - 1, 12, 30), pd.NaT]
    return _with_corrections(rng, claims, year)


def _booking_days(rng: Generator, lines: pd.DataFrame) -> Array:
    half = lines["care_kind"].map(BOOKING).to_numpy()
    ends = (lines["day"] + lines["nights"]).to_numpy()
    booked: Array = ends + 1 + rng.gamma(2, half).astype(int)
    latest: Array = np.maximum(lines["day"].to_numpy() + SLOWEST, ends)
    return np.minimum(booked, latest)


def _calibrated_cents(rng: Generator, lines: pd.DataFrame, members: pd.DataFrame, year: int) -> Array:
    """Amounts scaled so that every age band and sex costs on average what COST says, more in one place than another."""
    who = lines["member"].to_numpy()
    cell = np.minimum(members["age"].to_numpy() // 5, len(BANDS) - 1) * 2 + members["sex"].to_numpy()
    regional = PLACES["cost"].to_numpy()[members["place"].to_numpy()[who]]
    amount = lines["amount"].to_numpy(dtype=float) * rng.lognormal(-0.18, 0.6, len(lines)) * regional
    wanted = np.bincount(cell, members["exposure"], COST.size) * COST.ravel() * COST_GROWTH ** (year - YEARS[-1])
    found = np.bincount(cell[who], amount, COST.size)
    scale = np.divide(wanted, found, out=np.zeros(COST.size), where=found > 0)
    cents: Array = np.maximum(np.rint(100 * amount * scale[cell[who]]), 1).astype(np.int64)
    return cents


def _with_corrections(rng: Generator, claims: pd.DataFrame, year: int) -> pd.DataFrame:
    """Add credits that take lines back, a few that lower them, and the planted defects."""
    corrected = claims.iloc[np.sort(rng.choice(len(claims), max(len(claims) // 200, 4), replace=False))]
    noticed = pd.to_timedelta(rng.integers(30, 150, len(corrected)), unit="D")
    corrected = corrected.assign(booking_date=corrected["booking_date"] + noticed)
    # What is noticed after the delivery is not in it.
    corrected = corrected[corrected["booking_date"] <= dates([DELIVERED])[0]]
    credits = corrected.assign(debit_credit="C", previous_reference=corrected["reference_number"])
    credits.iloc[::10, credits.columns.get_loc("amount_cents")] //= 2
    again = corrected.iloc[::2].assign(previous_reference=corrected["reference_number"].iloc[::2])
    defects = claims.tail(9).copy().reset_index(drop=True)
    defects.loc[:2, "end_date"] = pd.Timestamp("1999-12-31")
    defects.loc[3:5, "performance_code"] = "ZZZ"
    defects.loc[6:7, "previous_reference"] = "R0"
    defects.loc[8, "debit_credit"] = "X"
    added = pd.concat([credits, again, defects], ignore_index=True)
    number = len(claims) + np.arange(len(added))
    added["claim_id"], added["reference_number"] = labels("C", year, number), labels("R", year, number)
    return pd.concat([claims, added], ignore_index=True)
