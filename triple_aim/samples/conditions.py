"""What ails the insured for long and the medicines they take for it, as traits of a person.

Not here: the dispensings of a year (``medicines``) or the admissions that conditions lead to (``hospital``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.places import YEARS, Array

AGES = (18, 45, 65, 80)

#: Share at 0-17, 18-44, 45-64, 65-79 and 80+; women against men; slope over the socio-economic fifths; medicines with
#: the share of holders that takes each, the first of them by whoever would take none.
CONDITIONS = {
    "diabetes": (
        (0.002, 0.010, 0.060, 0.150, 0.170),
        0.85,
        0.13,
        {"A10BA02": 0.75, "A10BB09": 0.30, "A10AE04": 0.20, "A10AB05": 0.15, "A10BK03": 0.20},
    ),
    "lung_disease": (
        (0.035, 0.035, 0.065, 0.120, 0.130),
        1.05,
        0.11,
        {"R03AC02": 0.60, "R03BA02": 0.40, "R03AK06": 0.35, "R03BB04": 0.25},
    ),
    "cardiovascular": (
        (0.002, 0.025, 0.210, 0.560, 0.720),
        0.92,
        0.03,
        {"C07AB02": 0.42, "C09AA02": 0.35, "C10AA01": 0.60, "B01AC06": 0.32, "C03CA01": 0.20, "C08CA01": 0.28}
        | {"C09CA01": 0.22, "B01AF02": 0.15},
    ),
    "depression": ((0.004, 0.050, 0.080, 0.080, 0.090), 1.8, 0.09, {"N06AB04": 0.65, "N06AX16": 0.25, "N06AA09": 0.20}),
    "dementia": ((0, 0, 0.0006, 0.014, 0.060), 1.2, 0.03, {"N06DA02": 0.60, "N06DA04": 0.40}),
    "epilepsy": ((0.005, 0.012, 0.022, 0.032, 0.030), 1.1, 0.06, {"N03AX16": 0.50, "N03AG01": 0.25, "N03AX14": 0.30}),
    "parkinson": ((0, 0, 0.003, 0.014, 0.022), 0.75, 0, {"N04BA02": 0.90, "N04BC05": 0.25}),
    "psychosis": ((0.003, 0.011, 0.014, 0.016, 0.035), 0.95, 0.15, {"N05AH04": 0.55, "N05AX08": 0.35, "N05AD01": 0.15}),
    "rheumatism": ((0.001, 0.006, 0.015, 0.020, 0.014), 1.8, 0.02, {"L04AX03": 0.75, "P01BA02": 0.30, "L04AB04": 0.15}),
    "thyroid": ((0.001, 0.014, 0.038, 0.058, 0.065), 4.5, 0, {"H03AA01": 1.0}),
    "inflammatory_bowel": ((0.0005, 0.004, 0.006, 0.006, 0.004), 1.1, 0, {"A07EC02": 0.90, "A07EA06": 0.20}),
    "osteoporosis": ((0, 0, 0.012, 0.055, 0.090), 5.0, 0, {"M05BA04": 1.0}),
    "glaucoma": ((0, 0.002, 0.014, 0.055, 0.100), 1.0, 0, {"S01EE01": 0.70, "S01ED01": 0.40}),
    "hiv": ((0, 0.002, 0.002, 0.0005, 0), 0.2, 0, {"J05AR18": 1.0}),
    "transplant": ((0.0003, 0.001, 0.002, 0.002, 0.0005), 0.7, 0, {"L04AD02": 0.90, "L04AA06": 0.60}),
}
#: In the same shape, what is taken for long without being counted as a chronic condition.
COMPLAINTS = {
    "stomach": ((0.005, 0.030, 0.100, 0.280, 0.380), 1.1, 0.05, {"A02BC01": 1.0}),
    "bone": ((0.001, 0.005, 0.040, 0.150, 0.280), 2.5, 0, {"A12AX01": 1.0}),
    "bowel": ((0.008, 0.008, 0.020, 0.060, 0.150), 1.3, 0.03, {"A06AD65": 1.0}),
    "pain": ((0.001, 0.010, 0.030, 0.070, 0.160), 1.5, 0.08, {"N02BE01": 0.70, "M01AE01": 0.25, "N02AA05": 0.20}),
    "prostate": ((0, 0.001, 0.025, 0.110, 0.140), 0.03, 0, {"G04CA02": 1.0}),
    "sleep": ((0, 0.005, 0.018, 0.045, 0.075), 1.6, 0.08, {"N05CD07": 0.50, "N05BA04": 0.35, "N05CF02": 0.30}),
}


def with_conditions(rng: Generator, people: pd.DataFrame) -> pd.DataFrame:
    """The people with a column for each trait, and ``burden``: what these do to the use of care, mean 1 by age."""
    band = np.digitize(YEARS[1] - people["birth_year"].to_numpy(), AGES)
    traits = {name: _drawn(rng, people, band, *row[:3]) for name, row in (CONDITIONS | COMPLAINTS).items()}
    load = 1 + 0.5 * np.sum([traits[name] for name in CONDITIONS], axis=0)
    usual = np.bincount(band, load, len(AGES) + 1) / np.maximum(np.bincount(band, minlength=len(AGES) + 1), 1)
    return people.assign(**traits, burden=load / usual[band])


def _drawn(
    rng: Generator, people: pd.DataFrame, band: Array, shares: tuple[float, ...], women: float, slope: float
) -> Array:
    sex = np.array([2, 2 * women])[people["sex"].to_numpy()] / (1 + women)
    steps = people["fifth"].to_numpy() - 2
    # The frail have more of everything, which is what makes conditions come together.
    chance = np.array(shares)[band] * sex * np.exp(-slope * steps) * (0.6 + 0.4 * people["frailty"].to_numpy())
    has: Array = rng.random(len(people)) < np.minimum(chance, 0.95)
    return has


def drawn_regimens(rng: Generator, people: pd.DataFrame) -> pd.DataFrame:
    """The medicines people take all the time: whose (row number), which, and how many daily doses a day."""
    parts = []
    for name, (_, _, _, medicines) in (CONDITIONS | COMPLAINTS).items():
        holders = np.flatnonzero(people[name])
        taken = rng.random((len(holders), len(medicines))) < np.array(list(medicines.values()))
        taken[:, 0] |= ~taken.any(axis=1)
        who, which = np.nonzero(taken)
        parts.append(pd.DataFrame({"person": holders[who], "atc_code": np.array(list(medicines))[which]}))
    regimens = pd.concat(parts, ignore_index=True)
    regimens["dose"] = rng.choice([0.5, 1, 1.5], len(regimens), p=[0.3, 0.5, 0.2])
    return regimens
