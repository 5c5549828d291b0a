"""What residents answer to the surveys, each respondent with weights.

Not here: who lives where (``residents``) or how a file is written (``writing``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.places import PLACES, Array, labels

SURVEY_YEAR = 2022
EXPERIENCE_YEAR = 2023

#: Item, weight, share of yes at 18-64 and 65+, and how it moves with poor health.
ITEMS = (
    ("KLGGA208", "ewCBSGGD", 0.77, 0.65, -1.0),
    ("CALGA260", "ewCBSGGD", 0.30, 0.49, 0.8),
    ("AGGWS205", "ewCBSGGD", 0.15, 0.17, 0.5),
    ("LFRKA205", "ewCBSGGD", 0.18, 0.09, 0.4),
    ("GGEES209", "ewGGD", 0.14, 0.10, 0.6),
    ("GGADA201_3", "ewGGD", 0.11, 0.04, 0.3),
    ("AGGWS204", "ewCBSGGD", 0.47, 0.57, 0.6),
    ("KI_RLBEW2017_100", "ewCBSGGD", 0.51, 0.41, -0.5),
    ("MCMZGS204_1", "ewCBSGGD", 0.24, 0.19, 0.2),
    ("CALGS267", "ewGGD", 0.25, 0.45, 0.9),
    ("GGVKS201", "ewGGD", 0.15, 0.13, 0.5),
    ("MMIKA201", "ewGGD", 0.16, 0.06, 0.5),
    ("LFALA219", "ewGGD", 0.10, 0.06, 0.1),
    ("RegieLeven", "ewGGD", 0.89, 0.85, -0.4),
)
CARERS = ("MCMZGS204_1", 0.145)  # the item that only informal carers answer, and how many they are
#: Shares of low, middle, high and unknown education at 18-64 and 65+, and what each is to poor health.
EDUCATION = np.array([(0.18, 0.40, 0.40, 0.02), (0.42, 0.32, 0.22, 0.04)])
POORER = np.array([0.10, 0.01, -0.08, 0.03])

#: Score, mean at 18-64 and 65+, how it moves with poor health, spread, lowest, highest and the step it is rounded to.
SCORES = (
    ("sf12_physical", 51.5, 45.5, -18.0, 9.0, 10, 75, 0.1),
    ("sf12_mental", 48.5, 51.5, -15.0, 9.5, 10, 75, 0.1),
    ("pam13", 61.5, 57.5, -12.0, 13.0, 0, 100, 0.1),
    ("gp_rating", 7.6, 8.1, -1.5, 1.4, 0, 10, 1.0),
    ("recommendation", 7.5, 7.9, -2.0, 1.7, 0, 10, 1.0),
    ("coordination", 3.4, 3.7, -0.6, 0.8, 1, 5, 0.2),
)
CHRONIC = (0.30, 0.49, 0.8)  # who is asked of the coordination of care: at 18-64 and 65+, and how it moves
SHARED = (0.72, -0.5)  # share who decided together, and how it moves
SILENT = {"answer": (0.005, 0.03), "score": (0.0, 0.04), "shared_decision": (0.11, 0.04)}  # not applicable, unknown


def answers(rng: Generator, residents: Array, per_stratum: int) -> pd.DataFrame:
    """Respondents of the health monitor, and three rows that break a rule."""
    sample = drawn_sample(rng, residents, per_stratum, SURVEY_YEAR)
    count, older = len(sample), sample["older"].to_numpy()
    by_ggd = rng.random(count) < 0.7
    survey = pd.DataFrame(
        {
            "respondent_id": sample["respondent_id"],
            "Gemeentecode": sample["municipality_code"],
            "Stratum": sample["stratum"],
            "AGGSA202": (1 + rng.integers(0, 2, count)).astype(float),
            "age_group": sample["age_group"],
            "Opleiding": np.where(sample["education"] == 4, 9.0, sample["education"]),
            "ewCBSGGD": sample["weight"],
            "ewGGD": np.where(by_ggd, (sample["weight"] / 0.7).round(6), np.nan),
        }
    )
    for item, _, younger, elder, moves in ITEMS:
        yes = rng.random(count) < np.where(older, elder, younger) + moves * sample["poor"].to_numpy()
        silent = rng.choice([0, 8, 9], count, p=[0.965, *SILENT["answer"]])
        if item == CARERS[0]:
            silent = np.where(rng.random(count) < CARERS[1], silent, 8)
        survey[item] = np.where(silent > 0, silent, yes).astype(float)
    survey.loc[count - 3 : count - 2, "KLGGA208"] = 7.0
    survey.loc[count - 1, "Gemeentecode"] = "GM9999"
    return survey


def experiences(rng: Generator, residents: Array, per_stratum: int) -> pd.DataFrame:
    """Respondents of the region's own questionnaire, and two rows that break a rule."""
    sample = drawn_sample(rng, residents, per_stratum, EXPERIENCE_YEAR)
    count, older, poor = len(sample), sample["older"].to_numpy(), sample["poor"].to_numpy()
    survey = sample[["respondent_id", "municipality_code", "stratum"]].copy()
    survey["sex"] = rng.choice(["M", "F"], count)
    survey["age_group"] = sample["age_group"]
    survey["education"] = sample["education"].replace(4, 9)
    survey["weight"] = sample["weight"]
    chronic = rng.random(count) < np.where(older, CHRONIC[1], CHRONIC[0]) + CHRONIC[2] * poor
    for name, younger, elder, moves, spread, lowest, highest, step in SCORES:
        score = rng.normal(np.where(older, elder, younger) + moves * poor, spread)
        told = rng.random(count) < 1 - SILENT["score"][1]
        if name == "coordination":
            told &= chronic
        survey[name] = np.where(told, (np.clip(score, lowest, highest) / step).round() * step, np.nan).round(1)
    shared = rng.random(count) < SHARED[0] + SHARED[1] * poor
    silent = rng.choice([0, 8, 9], count, p=[0.85, *SILENT["shared_decision"]])
    survey["shared_decision"] = np.where(silent > 0, silent, shared)
    survey.loc[count - 2, "gp_rating"] = 11.0
    survey.loc[count - 1, "sex"] = "X"
    return survey


def drawn_sample(rng: Generator, residents: Array, per_stratum: int, year: int) -> pd.DataFrame:
    """Respondents in strata of municipality and age group, with education, weight and what makes them answer poorly."""
    place, older = (np.repeat(index, per_stratum) for index in map(np.ravel, np.indices((len(PLACES), 2))))
    count = len(place)
    by_place = residents.sum(axis=1)
    people = np.stack([by_place[:, 4:13].sum(axis=1), by_place[:, 13:].sum(axis=1)], axis=1)[place, older]
    code, group = PLACES["code"].to_numpy()[place], np.array(["18-64", "65+"])[older]
    education = (rng.random(count)[:, None] > EDUCATION.cumsum(axis=1)[older]).sum(axis=1)
    return pd.DataFrame(
        {
            "respondent_id": labels("S" if year == SURVEY_YEAR else "E", year, np.arange(count)),
            "municipality_code": code,
            "stratum": pd.Series(code) + " " + group,
            "age_group": group,
            "older": older,
            "education": education + 1,
            "weight": (people / per_stratum * rng.lognormal(0, 0.35, count)).round(6),
            "poor": PLACES["poor_health"].to_numpy()[place] + POORER[education],
        }
    )
