"""The other residents: provisions of the social domain, population and deaths.

Not here: insurance, claims (``care``) or answers to surveys (``surveys``). There are ten residents for every insured
person of the samples.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.places import (
    BANDS,
    HORIZON,
    NEVER,
    PLACES,
    YEARS,
    Array,
    age_in_band,
    age_shares,
    dates,
    death_rate,
    labels,
    pseudonyms,
    year_days,
)

#: Underlying cause, whose it is (a woman's, a man's, anyone's), and parts per thousand of the deaths at 0, 1-14, 15-44,
#: 45-64, 65-79 and from 80.
CAUSES = (
    ("P07.2", "", 400, 0, 0, 0, 0, 0),
    ("Q21.0", "", 200, 60, 10, 5, 2, 1),
    ("A41.9", "", 40, 40, 15, 15, 20, 25),
    ("A15.0", "", 0, 10, 5, 3, 2, 1),
    ("U07.1", "", 5, 10, 15, 40, 50, 60),
    ("C34.9", "", 0, 0, 40, 200, 170, 50),
    ("C18.9", "", 0, 0, 30, 65, 70, 40),
    ("C50.9", "F", 0, 0, 110, 110, 60, 35),
    ("C53.9", "F", 0, 0, 25, 12, 4, 1),
    ("C61", "M", 0, 0, 0, 25, 55, 50),
    ("C91.0", "", 0, 90, 15, 8, 8, 5),
    ("C71.9", "", 0, 120, 45, 30, 15, 3),
    ("I21.9", "", 0, 0, 45, 85, 60, 45),
    ("I50.9", "", 10, 10, 20, 30, 60, 110),
    ("I63.9", "", 5, 10, 25, 35, 50, 70),
    ("I71.3", "", 0, 0, 5, 12, 15, 10),
    ("J44.9", "", 0, 5, 5, 50, 80, 45),
    ("J18.9", "", 20, 30, 15, 20, 30, 50),
    ("J45.9", "", 0, 15, 5, 2, 1, 1),
    ("E11.9", "", 0, 5, 15, 20, 20, 20),
    ("K70.3", "", 0, 0, 30, 40, 12, 1),
    ("K85.2", "", 0, 0, 5, 4, 1, 0),
    ("N18.9", "", 5, 5, 5, 10, 15, 25),
    ("G30.9", "", 0, 0, 0, 5, 40, 80),
    ("F03", "", 0, 0, 0, 5, 50, 150),
    ("V89.2", "", 5, 120, 110, 15, 5, 2),
    ("W19", "", 10, 30, 15, 15, 25, 60),
    ("X70", "", 0, 60, 200, 40, 10, 2),
    ("X42", "", 0, 0, 60, 10, 1, 0),
    ("R99", "", 60, 60, 40, 35, 40, 50),
)
INFANT_DEATHS = 0.0033  # a live birth
UNKNOWN_CAUSES = 0.02
PAST = 10  # years before the first delivery in which provisions may have begun

#: Law, category, clients per 1,000 of these ages, first and last age on 1 January of the year in which it begins, euro
#: a year, mean duration in years.
PROVISIONS = (
    ("Wmo", "01", 95.0, 65, 100, 3000, 3.0),
    ("Wmo", "02", 18.0, 18, 100, 6000, 2.0),
    ("Wmo", "07", 35.0, 70, 100, 7000, 1.5),
    ("Wmo", "11", 25.0, 55, 100, 700, 4.0),
    ("Wmo", "15", 1.5, 18, 70, 35000, 3.0),
    ("Jeugdwet", "45", 60.0, 3, 20, 4500, 1.0),
    ("Jeugdwet", "54", 28.0, 5, 20, 5500, 1.2),
    ("Jeugdwet", "43", 4.0, 8, 20, 45000, 1.0),
    ("Participatiewet", "income", 36.0, 18, 66, 15000, 4.0),
    ("Participatiewet", "work", 8.0, 18, 66, 5000, 2.0),
)
END_REASONS = {
    "Wmo": (["02", "19", "31", "32", "33", "34"], [0.20, 0.28, 0.08, 0.12, 0.10, 0.22]),
    "Jeugdwet": (["31", "32", "33", "34", "35", "39"], [0.55, 0.10, 0.05, 0.15, 0.10, 0.05]),
    "Participatiewet": (["02", "19", "31"], [0.05, 0.85, 0.10]),
}


def resident_cells(total: int, year: int) -> Array:
    """Residents on 1 January by place, sex and age band."""
    cells = age_shares()[:, None, :] * np.array([0.5, 0.5])[:, None]
    residents: Array = np.rint(total * 1.006 ** (year - YEARS[0]) * cells)
    return residents


def population_table(residents: Array, next_year: Array) -> pd.DataFrame:
    """The open data of a year: counts and person-years by cell."""
    place, sex, band = map(np.ravel, np.indices(residents.shape))
    return pd.DataFrame(
        {
            "municipality_code": PLACES["code"].to_numpy()[place],
            "sex": np.where(sex == 1, "F", "M"),
            "age_band": BANDS[band],
            "resident_count": residents.ravel().astype(int),
            "person_years": (residents + next_year).ravel() / 2,
            # Whoever is born in a year is a fifth of the youngest band, near enough.
            "live_birth_count": pd.array(np.where(band == 0, np.rint(next_year.ravel() / 5), np.nan), dtype="Int64"),
        }
    )


def causes(rng: Generator, age: Array, sex: Array) -> Array:
    """An underlying cause for each death that fits its age and sex; one in fifty is empty."""
    codes, whose, *parts = (np.array(column) for column in zip(*CAUSES, strict=True))
    ends = np.stack([np.cumsum(part * np.isin(whose, ("", of))) for part in parts for of in ("M", "F")])
    row = np.digitize(age, (1, 15, 45, 65, 80)) * 2 + sex
    drawn = codes[(rng.random(len(age)) * ends[row, -1] >= ends[row].T).sum(axis=0)]
    named: Array = np.where(rng.random(len(age)) < UNKNOWN_CAUSES, "", drawn)
    return named


def deaths(rng: Generator, population: pd.DataFrame, year: int) -> pd.DataFrame:
    """Deaths among the residents, and three rows that break a rule."""
    band = population["age_band"].map({name: number for number, name in enumerate(BANDS)}).to_numpy()
    sex = (population["sex"] == "F").to_numpy(dtype=int)
    local = population["municipality_code"].map(PLACES.set_index("code")["deaths"]).to_numpy()
    fallen = rng.poisson(population["person_years"].to_numpy() * death_rate(band * 5 + 2.5, sex) * local)
    cell = np.repeat(np.arange(len(population)), fallen)
    age = age_in_band(rng, band[cell])
    infants, named = rng.spawn(2)
    births = population["live_birth_count"].fillna(0).to_numpy(dtype=float)
    born = np.repeat(np.arange(len(population)), infants.poisson(births * INFANT_DEATHS * local))
    cell = np.concatenate([cell, born])
    age = np.concatenate([age, np.zeros(len(born), dtype=int)])
    opens, closes = year_days(year)
    died = rng.integers(opens, closes, len(cell))
    # Who dies before the birthday of the year was born a year earlier than the age tells; one infant in six is.
    before_birthday = rng.integers(opens, closes, len(cell)) > died
    before_birthday[len(cell) - len(born) :] = infants.random(len(born)) < 1 / 6
    delivered = pd.DataFrame(
        {
            "death_id": labels("D", year, np.arange(len(cell))),
            "municipality_code": population["municipality_code"].to_numpy()[cell],
            "sex": population["sex"].to_numpy()[cell],
            "birth_year": year - age - before_birthday,
            "death_date": dates(died),
            "cause_icd10": causes(named, age, sex[cell]),
            "first_birthday_code": np.where(age == 0, "0", "1"),
        }
    )
    defects = delivered.head(3).copy()
    defects["death_id"] = [f"X{number}" for number in range(3)]
    defects.loc[:1, "death_date"] = pd.NaT
    defects.loc[2:, "sex"] = "9"
    return pd.concat([delivered, defects], ignore_index=True)


def drawn_allocations(rng: Generator, residents: Array) -> pd.DataFrame:
    """Provisions of the social domain with first and last day, the oldest PAST years old."""
    parts = []
    for law, category, clients, youngest, oldest, cost, duration in PROVISIONS:
        ages = np.minimum(np.arange(youngest, oldest + 1) // 5, len(BANDS) - 1)
        eligible = residents.sum(axis=1)[:, ages] / 5 * PLACES["social"].to_numpy()[:, None]
        # A stock of clients of mean duration d shows (d + 1) / d of itself in a calendar year.
        starts = rng.poisson(eligible * clients / 1000 / (duration + 1) * (PAST + 3))
        place, step = (np.repeat(index, starts.ravel()) for index in map(np.ravel, np.indices(starts.shape)))
        start = rng.integers(-PAST * 365, HORIZON, len(place))
        lasts = (rng.exponential(duration * 365, len(place))).astype(int) + 7
        open_ended = rng.random(len(place)) < 0.04
        reasons, chances = END_REASONS[law]
        parts.append(
            pd.DataFrame(
                {
                    "law": law,
                    "category": category,
                    "place": place,
                    "birth_year": YEARS[0] + start // 365 - (youngest + step) - 1,
                    "start": start,
                    "end": np.where(open_ended, NEVER, start + lasts),
                    "sex": (rng.random(len(place)) < (0.65 if law == "Wmo" else 0.45)).astype(int),
                    "yearly": cost * rng.lognormal(-0.08, 0.4, len(place)),
                    "end_reason": rng.choice(reasons, len(place), p=chances),
                    "delivery_form": np.where(rng.random(len(place)) < 0.06, "PGB", "ZIN"),
                }
            )
        )
    allocations = pd.concat(parts, ignore_index=True)
    allocations["person_key"] = pseudonyms(rng, len(allocations))
    # One in four clients has a second provision beside the first, now and then in another municipality.
    second = allocations[rng.random(len(allocations)) < 0.25].copy()
    second["category"] = second["category"].replace({"01": "02", "02": "07", "45": "54", "income": "work"})
    second["start"] += rng.integers(1, 300, len(second))
    moved = rng.random(len(second)) < 0.05
    second["place"] = np.where(moved, rng.choice(len(PLACES), len(second)), second["place"])
    second = second[second["start"] <= second["end"]]
    # One in twelve on social assistance is supported under the Wmo as well.
    income = allocations[allocations["category"] == "income"]
    supported = income[rng.spawn(1)[0].random(len(income)) < 1 / 12].assign(law="Wmo", category="02", end_reason="19")
    allocations = pd.concat([allocations, second, supported], ignore_index=True)
    allocations["allocation_id"] = labels("T", 0, np.arange(len(allocations)))
    allocations["restated"] = rng.random(len(allocations)) < 0.005
    return allocations


def provisions(allocations: pd.DataFrame, year: int) -> pd.DataFrame:
    """The allocations with a day in a year, superseded messages too, and four rows that break a rule."""
    opens, closes = year_days(year)
    active = allocations[(allocations["start"] < closes) & (allocations["end"] >= opens)].reset_index(drop=True)
    ended = active["end"] < closes
    days = np.minimum(active["end"] + 1, closes) - np.maximum(active["start"], opens)
    euros = active["yearly"] * 1.04 ** (year - YEARS[-1]) * days / 365
    delivered = pd.DataFrame(
        {
            "allocation_id": active["allocation_id"],
            "message_seq": np.where(active["restated"], 2, 1),
            "person_key": active["person_key"],
            "municipality_code": PLACES["code"].to_numpy()[active["place"]],
            "law": active["law"],
            "category": active["category"],
            "delivery_form": active["delivery_form"],
            "start_date": dates(active["start"]),
            "end_date": dates(np.where(ended, active["end"], NEVER)),
            "end_reason": active["end_reason"].where(ended),
            "sex": np.where(active["sex"] == 1, "2", "1"),
            "birth_year": active["birth_year"],
            "amount_eur": euros.round(2),
        }
    )
    superseded = delivered[delivered["message_seq"] == 2].assign(message_seq=1)
    defects = delivered.head(4).copy()
    defects["allocation_id"] = [f"X{number}" for number in range(4)]
    defects.loc[:1, "category"] = "99"
    defects.loc[2:, "end_date"] = pd.Timestamp("1999-12-31")
    return pd.concat([superseded, delivered, defects], ignore_index=True)
