"""Lines of care before they are billed: whose, on which day, how many nights, at whom, a raw amount.

Not here: which care there is, or what becomes of a line on a bill (``billing``).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from triple_aim.samples.places import PLACES, Array

PROVIDERS = np.array([f"A{number:02d}" for number in range(len(PLACES))])


def lines_of(
    rng: Generator, members: pd.DataFrame, who: Array, care_kind: str, code: str, amount: float
) -> pd.DataFrame:
    """One line for each row number in ``who``, on a random insured day, at a provider near home."""
    first, last = members["first"].to_numpy()[who], members["last"].to_numpy()[who]
    return pd.DataFrame(
        {
            "member": who,
            "day": first + (rng.random(len(who)) * (last - first)).astype(int),
            "nights": 0,
            "care_kind": care_kind,
            "performance_code": code,
            "diagnosis_icd10": None,
            "atc_code": None,
            "ddd": np.nan,
            "provider_code": PROVIDERS[members["place"].to_numpy()[who]],
            "amount": amount,
        }
    )


def happenings(
    rng: Generator, members: pd.DataFrame, rate: Array, care_kind: str, code: str, amount: float
) -> pd.DataFrame:
    """As many lines for each member as a Poisson draw with this rate says."""
    who = np.repeat(np.arange(len(members)), rng.poisson(rate))
    return lines_of(rng, members, who, care_kind, code, amount)
