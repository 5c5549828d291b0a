"""The other residents: provisions of the social domain, population, deaths and survey answers.

Not here: insurance and claims. There are ten residents for every insured person of the samples.
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

SURVEY_YEAR = 2022
CAUSES = np.array(["I21", "I50", "I63", "C34", "C18", "C50", "J44", "F03", "G30", "E11", "W19", "J18"])
PAST = 10  # years before the first delivery in which provisions may have begun

#: Law, category, clients per 1,000 of these ages, first and last age, euro a year, mean duration in years.
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

#: Item, weight, share of yes at 18-64 and 65+, and how it moves with poor health.
ITEMS = (
    ("KLGGA208", "ewCBSGGD", 0.77, 0.65, -1.0),
    ("CALGA260", "ewCBSGGD", 0.30, 0.49, 0.8),
    ("AGGWS205", "ewCBSGGD", 0.15, 0.17, 0.5),
    ("LFRKA205", "ewCBSGGD", 0.18, 0.09, 0.4),
    ("GGEES209", "ewGGD", 0.14, 0.10, 0.6),
    ("GGADA201_3", "ewGGD", 0.11, 0.04, 0.3),
)


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
        }
    )


def deaths(rng: Generator, population: pd.DataFrame, year: int) -> pd.DataFrame:
    """Deaths among the residents, and three rows that break a rule."""
    band = population["age_band"].map({name: number for number, name in enumerate(BANDS)}).to_numpy()
    sex = (population["sex"] == "F").to_numpy(dtype=int)
    local = population["municipality_code"].map(PLACES.set_index("code")["deaths"]).to_numpy()
    fallen = rng.poisson(population["person_years"].to_numpy() * death_rate(band * 5 + 2, sex) * local)
    cell = np.repeat(np.arange(len(population)), fallen)
    opens, closes = year_days(year)
    delivered = pd.DataFrame(
        {
            "death_id": labels("D", year, np.arange(len(cell))),
            "municipality_code": population["municipality_code"].to_numpy()[cell],
            "sex": population["sex"].to_numpy()[cell],
            "birth_year": year - age_in_band(rng, band[cell]),
            "death_date": dates(rng.integers(opens, closes, len(cell))),
            "cause_icd10": rng.choice(CAUSES, len(cell)),
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
                    "birth_year": YEARS[0] + start // 365 - (youngest + step),
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
    allocations = pd.concat([allocations, second], ignore_index=True)
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


def answers(rng: Generator, residents: Array, per_stratum: int) -> pd.DataFrame:
    """Respondents in strata of municipality and age group, and three rows that break a rule."""
    place, older = (np.repeat(index, per_stratum) for index in map(np.ravel, np.indices((len(PLACES), 2))))
    count = len(place)
    by_place = residents.sum(axis=1)
    people = np.stack([by_place[:, 4:13].sum(axis=1), by_place[:, 13:].sum(axis=1)], axis=1)[place, older]
    code, group = PLACES["code"].to_numpy()[place], np.array(["18-64", "65+"])[older]
    response = rng.lognormal(0, 0.35, count)
    by_ggd = rng.random(count) < 0.7
    survey = pd.DataFrame(
        {
            "respondent_id": labels("S", SURVEY_YEAR, np.arange(count)),
            "Gemeentecode": code,
            "Stratum": pd.Series(code) + " " + group,
            "AGGSA202": (1 + rng.integers(0, 2, count)).astype(float),
            "age_group": group,
            "ewCBSGGD": (people / per_stratum * response).round(6),
            "ewGGD": np.where(by_ggd, (people / per_stratum / 0.7 * response).round(6), np.nan),
        }
    )
    poor = PLACES["poor_health"].to_numpy()[place]
    for item, _, younger, elder, moves in ITEMS:
        yes = rng.random(count) < np.where(older, elder, younger) + moves * poor
        silent = rng.choice([0, 8, 9], count, p=[0.965, 0.005, 0.03])
        survey[item] = np.where(silent > 0, silent, yes).astype(float)
    survey.loc[count - 3 : count - 2, "KLGGA208"] = 7.0
    survey.loc[count - 1, "Gemeentecode"] = "GM9999"
    return survey
