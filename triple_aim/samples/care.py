"""Claims: care by age, sex and place, corrections of it, and a few rows that break a rule.

Not here: who is insured when (``insured``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.places import (
    BANDS,
    NEVER,
    PLACES,
    YEARS,
    Array,
    by_age,
    dates,
    labels,
    pseudonyms,
    year_days,
)

#: Euro per insured year in 2023 by five-year band, men and women.
COST = np.array(
    [
        [2710, 1527, 1286, 1327, 1317, 1388, 1480, 1555, 1716, 2001]
        + [2412, 3067, 3879, 4900, 6172, 7546, 8719, 9803, 11007],
        [2192, 1260, 1158, 1560, 2010, 2562, 3108, 2732, 2383, 2485]
        + [2834, 3160, 3731, 4494, 5353, 6478, 7680, 8981, 9936],
    ],
    dtype=float,
).T
COST_GROWTH = 1.03

#: Lines a year for ages 0-17, 18-64, 65-79 and 80+, and the mean amount before calibration to COST.
USE = {
    "mental_health": ((0.04, 0.10, 0.05, 0.04), 2600),
    "district_nursing": ((0.00, 0.01, 0.12, 0.60), 1800),
    "devices": ((0.05, 0.10, 0.25, 0.40), 700),
    "allied_health": ((0.10, 0.10, 0.20, 0.20), 500),
    "dental": ((0.60, 0.05, 0.08, 0.04), 250),
    "geriatric_rehabilitation": ((0.00, 0.00, 0.01, 0.05), 5000),
    "patient_transport": ((0.01, 0.02, 0.06, 0.15), 800),
    "maternity": ((0.00, 0.03, 0.00, 0.00), 1500),
    "other": ((0.02, 0.03, 0.03, 0.03), 600),
    "primary_care_stay": ((0.00, 0.00, 0.01, 0.05), 3000),
    "cross_border": ((0.01, 0.02, 0.02, 0.01), 1000),
    "gzsp": ((0.00, 0.003, 0.005, 0.02), 900),
}
AVOIDABLE = np.array(["J44.1", "I50.9", "J45.9", "E11.9", "I50.0", "J44.0", "E10.1", "I10"])
ACUTE = np.array(["I21.9", "S72.0", "J18.9", "N39.0", "K35.8", "I63.9", "A41.9", "K57.3", "R07.4", "G45.9"])
PLANNED = np.array(["M17.1", "M16.1", "K80.2", "C50.9", "C18.9", "I25.1", "H26.9", "K40.9"])
MEDICINES = np.array(
    ["A02BC01", "C07AB02", "C09AA02", "C10AA01", "B01AC06", "N06AB04", "A10BA02", "R03AC02", "C03CA01", "C08CA01"]
    + ["N02BE01", "M01AE01", "B01AF02", "H03AA01", "A12AX01", "R03BA02", "C09CA01", "A06AD65", "G04CA02", "N05CF02"]
)


def claimed(rng: Generator, people: pd.DataFrame, year: int) -> pd.DataFrame:
    """Everything claimed for a year: care, corrections, unknown persons, and nine rows that break a rule."""
    opens, closes = year_days(year)
    members = people.assign(
        age=year - people["birth_year"],
        first=people["start"].clip(lower=opens),
        last=people["end"].clip(upper=closes),
    )
    members = members[(members["last"] > members["first"]) & (members["age"] >= 0)].reset_index(drop=True)
    members["exposure"] = (members["last"] - members["first"]) / (closes - opens)
    lines = pd.concat(_care(rng, members), ignore_index=True)
    lines = lines.sort_values(["member", "day"], kind="stable", ignore_index=True)
    cents = _calibrated_cents(rng, lines, members, year)
    number = np.arange(len(lines))
    claims = pd.DataFrame(
        {
            "claim_id": labels("C", year, number),
            "person_key": members["person_key"].to_numpy()[lines["member"]],
            "care_kind": lines["care_kind"],
            "performance_code": lines["performance_code"],
            "diagnosis_icd10": lines["diagnosis_icd10"],
            "atc_code": lines["atc_code"],
            "start_date": dates(lines["day"]),
            "end_date": dates(np.where(lines["nights"] > 0, lines["day"] + lines["nights"], NEVER)),
            "provider_code": lines["provider_code"],
            "quantity": 1,
            "amount_cents": cents,
            "debit_credit": "D",
            "reference_number": labels("R", year, number),
            "previous_reference": None,
        }
    )
    unknown = rng.random(len(claims)) < 0.01
    claims.loc[unknown, "person_key"] = pseudonyms(rng, int(unknown.sum()))
    late = rng.choice(len(claims), 20, replace=False)
    claims.loc[late, ["start_date", "end_date"]] = [pd.Timestamp(year - 1, 12, 30), pd.NaT]
    return _with_corrections(rng, claims, year)


def _care(rng: Generator, members: pd.DataFrame) -> list[pd.DataFrame]:
    """What happened, kind by kind, as lines: whose, on which day, how many nights, a raw amount."""
    age, frailty, exposure = (members[name].to_numpy() for name in ("age", "frailty", "exposure"))
    acute = PLACES["acute"].to_numpy()[members["place"]]
    risk = frailty * exposure

    def happenings(rate: Array, care_kind: str, code: str, amount: float) -> pd.DataFrame:
        return _lines(rng, members, np.repeat(np.arange(len(members)), rng.poisson(rate)), care_kind, code, amount)

    contacts = happenings((1.8 + 0.055 * age) * (0.4 + 0.6 * frailty) * exposure, "general_practice", "GP", 60)
    usual = rng.random(len(contacts)) < 0.82
    practice = np.where(usual, members["practice"].to_numpy()[contacts["member"]], rng.integers(0, 4, len(contacts)))
    contacts["provider_code"] = contacts["provider_code"].str.replace("A", "H") + pd.Series(practice).astype(str)

    admitted = happenings(by_age(age, (0.03, 0.03, 0.11, 0.24)) * risk * acute, "hospital", "ADM-ACUTE", 5500)
    avoidable = rng.random(len(admitted)) < 0.18
    admitted["diagnosis_icd10"] = np.where(
        avoidable, rng.choice(AVOIDABLE, len(admitted)), rng.choice(ACUTE, len(admitted))
    )
    planned = happenings(by_age(age, (0.01, 0.02, 0.07, 0.06)) * risk, "hospital", "ADM-PLAN", 6500)
    planned["diagnosis_icd10"] = rng.choice(PLANNED, len(planned))
    admissions = pd.concat([admitted, planned], ignore_index=True)
    admissions["nights"] = rng.poisson(4, len(admissions))
    leaves = admissions["day"] + admissions["nights"]
    again = admissions.assign(performance_code="ADM-ACUTE", day=leaves + rng.integers(1, 31, len(admissions)))
    again = again[rng.random(len(again)) < 0.09]
    transferred = admissions.assign(day=leaves)[rng.random(len(admissions)) < 0.04]
    followed = pd.concat([again, transferred], ignore_index=True)
    followed = followed[followed["day"] < members["last"].to_numpy()[followed["member"]]]

    # Regular medicines come about three times a year; how many, a negative binomial says.
    groups = np.minimum(rng.poisson(by_age(age, (0.05, 0.35, 2.8, 4.2)) * rng.gamma(1.6, 1 / 1.6, len(age))), 12)
    taker = np.repeat(np.arange(len(members)), groups)
    nth = np.arange(len(taker)) - np.repeat(np.cumsum(groups) - groups, groups)
    medicine = MEDICINES[(members["birth_year"].to_numpy()[taker] + 7 * nth) % len(MEDICINES)]
    times = rng.binomial(3, np.where(exposure[taker] > 0.7, 0.96, exposure[taker]))
    dispensed = _lines(rng, members, np.repeat(taker, times), "pharmacy", "RX", 130)
    dispensed["atc_code"] = np.repeat(medicine, times)
    incidental = happenings(0.25 * risk, "pharmacy", "RX", 60)
    incidental["atc_code"] = "J01CA04"

    return [
        contacts,
        admissions,
        followed,
        happenings(by_age(age, (0.12, 0.10, 0.15, 0.28)) * risk * (1 + acute) / 2, "hospital", "ED", 350),
        happenings(by_age(age, (0.02, 0.06, 0.15, 0.12)) * risk, "hospital", "DAY", 1500),
        happenings(by_age(age, (0.20, 0.30, 0.70, 0.80)) * risk, "hospital", "OTHER", 1000),
        dispensed,
        incidental,
        *(happenings(by_age(age, rates) * risk, kind, "OTHER", mean) for kind, (rates, mean) in USE.items()),
    ]


def _lines(rng: Generator, members: pd.DataFrame, who: Array, care_kind: str, code: str, amount: float) -> pd.DataFrame:
    """One line for each row number in ``who``, on a random insured day, at a provider near home."""
    first, last = members["first"].to_numpy()[who], members["last"].to_numpy()[who]
    place = members["place"].to_numpy()[who]
    return pd.DataFrame(
        {
            "member": who,
            "day": first + (rng.random(len(who)) * (last - first)).astype(int),
            "nights": 0,
            "care_kind": care_kind,
            "performance_code": code,
            "diagnosis_icd10": None,
            "atc_code": None,
            "provider_code": np.array([f"A{number:02d}" for number in range(len(PLACES))])[place],
            "amount": amount,
        }
    )


def _calibrated_cents(rng: Generator, lines: pd.DataFrame, members: pd.DataFrame, year: int) -> Array:
    """Amounts scaled so that every age band and sex costs on average what COST says, times the region."""
    who = lines["member"].to_numpy()
    cell = np.minimum(members["age"].to_numpy() // 5, len(BANDS) - 1) * 2 + members["sex"].to_numpy()
    amount = lines["amount"].to_numpy(dtype=float) * rng.lognormal(-0.18, 0.6, len(lines))
    wanted = np.bincount(cell, members["exposure"], COST.size) * COST.ravel() * COST_GROWTH ** (year - YEARS[-1])
    found = np.bincount(cell[who], amount, COST.size)
    scale = np.divide(wanted, found, out=np.zeros(COST.size), where=found > 0)
    regional = PLACES["cost"].to_numpy()[members["place"].to_numpy()[who]]
    cents: Array = np.maximum(np.rint(100 * amount * scale[cell[who]] * regional), 1).astype(np.int64)
    return cents


def _with_corrections(rng: Generator, claims: pd.DataFrame, year: int) -> pd.DataFrame:
    """Add credits that take lines back, a few that lower them, and the planted defects."""
    corrected = claims.iloc[np.sort(rng.choice(len(claims), max(len(claims) // 200, 4), replace=False))]
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
