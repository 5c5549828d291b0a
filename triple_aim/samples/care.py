"""Claims: what happened to the insured in a year, kind of care by kind of care, and the bill for it.

Not here: who is insured when (``insured``), what ails them (``conditions``), hospital and pharmacy in detail
(``hospital``, ``medicines``), or amounts and bookings (``billing``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.billing import billed
from triple_aim.samples.hospital import hospital_care
from triple_aim.samples.lines import happenings, lines_of
from triple_aim.samples.medicines import dispensings
from triple_aim.samples.places import Array, by_age, year_days
from triple_aim.samples.streams import stream

#: Lines a year for ages 0-17, 18-64, 65-79 and 80+, and the mean amount before calibration.
USE = {
    "district_nursing": ((0.00, 0.01, 0.12, 0.60), 2400),
    "devices": ((0.05, 0.10, 0.25, 0.40), 600),
    "allied_health": ((0.10, 0.10, 0.20, 0.20), 400),
    "dental": ((0.60, 0.05, 0.08, 0.04), 220),
    "geriatric_rehabilitation": ((0.00, 0.00, 0.01, 0.05), 7000),
    "patient_transport": ((0.01, 0.02, 0.06, 0.15), 900),
    "other": ((0.02, 0.03, 0.03, 0.03), 600),
    "primary_care_stay": ((0.00, 0.00, 0.01, 0.05), 3000),
    "cross_border": ((0.01, 0.02, 0.02, 0.01), 800),
    "gzsp": ((0.00, 0.003, 0.005, 0.02), 1000),
}
#: Share with mental health care, and admissions a year, for who has the trait; then for everybody else.
MENTAL = {"psychosis": (0.60, 0.090), "depression": (0.45, 0.020)}
MENTAL_ELSE = ((0.050, 0.040, 0.015, 0.010), (0.0002, 0.0018, 0.0008, 0.0003))
FOLLOWED_UP = 0.64  # share of psychiatric discharges after which a contact within 30 days was planned


def claimed(seed: int, people: pd.DataFrame, regimens: pd.DataFrame, year: int) -> pd.DataFrame:
    """Everything claimed for a year: care, corrections, unknown persons, and nine rows that break a rule."""
    opens, closes = year_days(year)
    members = people.assign(
        person=np.arange(len(people)),
        age=year - people["birth_year"],
        first=people["start"].clip(lower=opens),
        last=people["end"].clip(upper=closes),
        place=people["second_place"].where(people["split"] < closes, people["place"]),
    )
    members = members[(members["last"] > members["first"]) & (members["age"] >= 0)].reset_index(drop=True)
    members["exposure"] = (members["last"] - members["first"]) / (closes - opens)
    parts = [
        _general_practice(stream(seed, "general practice", year), members),
        *hospital_care(stream(seed, "hospital", year), members, year),
        *dispensings(stream(seed, "medicines", year), members, regimens, year),
        *_mental_health(stream(seed, "mental health", year), members),
        *_other_care(stream(seed, "other care", year), members),
    ]
    lines = pd.concat(parts, ignore_index=True).sort_values(["member", "day"], kind="stable", ignore_index=True)
    return billed(stream(seed, "billing", year), lines, members, year)


def _general_practice(rng: Generator, members: pd.DataFrame) -> pd.DataFrame:
    age, frailty, burden, exposure = (members[name].to_numpy() for name in ("age", "frailty", "burden", "exposure"))
    rate = (1.6 + 0.048 * age) * (0.4 + 0.6 * frailty * burden) * exposure
    contacts = happenings(rng, members, rate, "general_practice", "GP", 60)
    usual = rng.random(len(contacts)) < 0.82
    practice = np.where(usual, members["practice"].to_numpy()[contacts["member"]], rng.integers(0, 4, len(contacts)))
    contacts["provider_code"] = contacts["provider_code"].str.replace("A", "H") + pd.Series(practice).astype(str)
    return contacts


def _mental_health(rng: Generator, members: pd.DataFrame) -> list[pd.DataFrame]:
    """Contacts, admissions, and the contacts that follow a discharge."""
    age, exposure = members["age"].to_numpy(), members["exposure"].to_numpy()
    share, admission = (by_age(age, rates) for rates in MENTAL_ELSE)
    for trait, (treated, admitted) in MENTAL.items():
        has = members[trait].to_numpy()
        share, admission = np.where(has, treated, share), np.where(has, admitted, admission)
    in_care = rng.random(len(members)) < share * (0.5 + 0.5 * members["frailty"].to_numpy())
    contacts = happenings(rng, members, 5 * in_care * exposure, "mental_health", "GGZ-CONTACT", 450)
    stays = happenings(rng, members, admission * exposure, "mental_health", "GGZ-ADM", 9000)
    # A stay of weeks that begins in the year may end after it, never after the person.
    end = members["end"].to_numpy()[stays["member"]]
    stays["nights"] = np.minimum(3 + rng.gamma(1.5, 12, len(stays)).astype(int), end - 1 - stays["day"])
    seen = stays[rng.random(len(stays)) < FOLLOWED_UP]
    waited = 1 + np.minimum(rng.exponential(7, len(seen)).astype(int), 29)
    after = lines_of(rng, members, seen["member"].to_numpy(), "mental_health", "GGZ-CONTACT", 450)
    after["day"] = (seen["day"] + seen["nights"] + waited).to_numpy()
    after = after[after["day"] < members["last"].to_numpy()[after["member"]]]
    return [contacts, stays, after]


def _other_care(rng: Generator, members: pd.DataFrame) -> list[pd.DataFrame]:
    age = members["age"].to_numpy()
    risk: Array = (members["frailty"] * members["burden"] * members["exposure"]).to_numpy()
    bearing = 0.09 * ((members["sex"] == 1) & members["age"].between(20, 44)) * members["exposure"]
    return [
        happenings(rng, members, bearing.to_numpy(), "maternity", "OTHER", 2500),
        *(
            happenings(rng, members, by_age(age, rates) * risk, kind, "OTHER", mean)
            for kind, (rates, mean) in USE.items()
        ),
    ]
