"""Hospital care: admissions with their causes, how they begin at the emergency department and what follows them.

Not here: psychiatric stays (``care``) or when the bill comes (``billing``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.lines import happenings, lines_of
from triple_aim.samples.places import NEVER, PLACES, Array, by_age, year_days

_ACUTE = ("hospital", "ADM-ACUTE", 5500.0)
_PLANNED = ("hospital", "ADM-PLAN", 6500.0)
ACUTE = ("J18.9", "N39.0", "K35.8", "A41.9", "K57.3", "R07.4", "G45.9", "I48.9", "K92.2", "S06.0")
PLANNED = ("M17.1", "M16.1", "K80.2", "C50.9", "C18.9", "I25.1", "H26.9", "K40.9")
#: Acute admissions a year at ages 0-17, 18-64, 65-79 and 80+ and their principal diagnoses: of those who have a trait
#: (what good primary care may prevent), and of everybody.
AVOIDABLE = (
    ("lung_disease", (0, 0.013, 0.040, 0.055), ("J44.1", "J44.0")),
    ("lung_disease", (0.008, 0.008, 0.004, 0.003), ("J45.9",)),
    ("cardiovascular", (0, 0.003, 0.011, 0.034), ("I50.9", "I50.0", "I11.0")),
    ("cardiovascular", (0, 0.002, 0.002, 0.003), ("I10",)),
    ("diabetes", (0.02, 0.012, 0.010, 0.017), ("E11.6", "E10.1", "E11.0")),
)
OTHERS = (0.025, 0.017, 0.058, 0.130)
INFARCTION = ((0, 0.0016, 0.0085, 0.020), 1.3, ("I21.9", "I21.0", "I21.4"))  # and how men compare with the average
STROKE = ((0, 0.0011, 0.0085, 0.026), 1.1, ("I63.9", "I63.4", "I64"))
#: Hip fractures a year from 65, 75 and 85 on, men and women.
HIP = np.array([[0.0001, 0.0014, 0.006, 0.017], [0.0001, 0.0028, 0.011, 0.028]])
AMPUTATIONS = 0.014  # a year at 45 and over with diabetes; far more than in reality, or too few to publish
BY_EMERGENCY = 0.85
NOT_ADMITTED = (0.078, 0.058, 0.080, 0.110)


def hospital_care(rng: Generator, members: pd.DataFrame, year: int) -> list[pd.DataFrame]:
    """Every line of the hospital for the members of a year."""
    age, exposure = members["age"].to_numpy(), members["exposure"].to_numpy()
    acute = PLACES["acute"].to_numpy()[members["place"]]
    risk = members["frailty"].to_numpy() * members["burden"].to_numpy() * exposure

    admitted = _acute_admissions(rng, members, risk * acute, exposure)
    admitted = pd.concat([admitted, _last_admissions(rng, members, year)], ignore_index=True)
    planned = _caused(rng, happenings(rng, members, by_age(age, (0.01, 0.02, 0.07, 0.06)) * risk, *_PLANNED), PLANNED)
    amputees = happenings(rng, members, AMPUTATIONS * members["diabetes"].to_numpy() * (age >= 45) * risk, *_PLANNED)
    amputees = amputees.assign(diagnosis_icd10="I70.2", nights=9)
    planned["nights"] = rng.poisson(4, len(planned))
    amputations = amputees.assign(performance_code="AMP", nights=0, amount=2500)
    first = pd.concat([admitted, planned, amputees], ignore_index=True)

    leaves = first["day"] + first["nights"]
    again = first.assign(performance_code="ADM-ACUTE", day=leaves + rng.integers(1, 31, len(first)))
    again = again[rng.random(len(again)) < 0.09]
    transferred = first.assign(day=leaves)[rng.random(len(first)) < 0.04]
    admissions = pd.concat([first, again, transferred], ignore_index=True)
    admissions = _while_alive(admissions, members)

    visitors = pd.concat([admitted, again], ignore_index=True)
    visitors = visitors[rng.random(len(visitors)) < BY_EMERGENCY]
    entry = visitors.assign(performance_code="ED", nights=0, diagnosis_icd10=None, amount=350)
    # One in four comes in the evening and lies in a bed the next day.
    entry["day"] -= rng.random(len(entry)) < 0.25
    entry["day"] = np.maximum(entry["day"], members["first"].to_numpy()[entry["member"]])
    visits = happenings(rng, members, by_age(age, NOT_ADMITTED) * risk * (1 + acute) / 2, "hospital", "ED", 350)
    return [
        admissions,
        _while_alive(amputations, members),
        _while_alive(entry, members),
        visits,
        happenings(rng, members, by_age(age, (0.02, 0.06, 0.15, 0.12)) * risk, "hospital", "DAY", 1500),
        happenings(rng, members, by_age(age, (0.20, 0.30, 0.70, 0.80)) * risk, "hospital", "OTHER", 1000),
    ]


def _acute_admissions(rng: Generator, members: pd.DataFrame, risk: Array, exposure: Array) -> pd.DataFrame:
    age, sex = members["age"].to_numpy(), members["sex"].to_numpy()
    parts = [
        _caused(rng, happenings(rng, members, by_age(age, rates) * members[trait].to_numpy() * risk, *_ACUTE), causes)
        for trait, rates, causes in AVOIDABLE
    ]
    for rates, men, causes in (INFARCTION, STROKE):
        rate = by_age(age, rates) * np.array([men, 2 - men])[sex] * exposure
        parts.append(_caused(rng, happenings(rng, members, rate, *_ACUTE), causes))
    hips = HIP[sex, np.digitize(age, (65, 75, 85))] * exposure
    parts.append(_caused(rng, happenings(rng, members, hips, *_ACUTE), ("S72.0", "S72.1")))
    parts.append(_caused(rng, happenings(rng, members, by_age(age, OTHERS) * risk, *_ACUTE), ACUTE))
    admitted = pd.concat(parts, ignore_index=True)
    admitted["nights"] = rng.poisson(5, len(admitted))
    return admitted


def _last_admissions(rng: Generator, members: pd.DataFrame, year: int) -> pd.DataFrame:
    """Admissions in the last weeks of those who die; some of them for an infarction or a stroke."""
    opens, closes = year_days(year)
    death = members["end"].to_numpy() - 1
    dying = np.flatnonzero(members["died"] & (death >= opens) & (death < closes))
    dying = dying[rng.random(len(dying)) < 0.45]
    lines = _caused(rng, lines_of(rng, members, dying, *_ACUTE), ACUTE)
    cause = np.where(members["age"].to_numpy()[dying] >= 45, rng.random(len(dying)), 1)
    for low, high, causes in ((0, 0.075, INFARCTION[2]), (0.075, 0.155, STROKE[2])):
        struck = (cause >= low) & (cause < high)
        lines.loc[struck, "diagnosis_icd10"] = rng.choice(causes, int(struck.sum()))
    earliest = np.maximum(death[dying] - 27, members["first"].to_numpy()[dying])
    lines["day"] = earliest + (rng.random(len(dying)) * (death[dying] - earliest + 1)).astype(int)
    lines["nights"] = rng.poisson(7, len(lines))
    return lines


def _caused(rng: Generator, lines: pd.DataFrame, causes: tuple[str, ...]) -> pd.DataFrame:
    return lines.assign(diagnosis_icd10=rng.choice(causes, len(lines)))


def _while_alive(lines: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """The lines that begin on an insured day; who dies in hospital stays until then."""
    lines = lines[lines["day"] < members["last"].to_numpy()[lines["member"]]]
    until = (members["end"] - 1).where(members["died"], NEVER).to_numpy()[lines["member"]]
    return lines.assign(nights=np.minimum(lines["nights"], until - lines["day"]))
