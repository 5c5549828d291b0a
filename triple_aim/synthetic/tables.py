"""The tables that the queries of the nation read: places, rates of care, code lists, provisions, causes, survey items.

Not here: prices, which are fitted (``calibration``).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

MODEL = Path(__file__).parent / "model"
REFERENCE = Path(__file__).parents[2] / "reference"
AGE_GROUPS = 5  # of the rates
OLDEST = 200
MEDICINES = {"care_kind": "pharmacy", "performance_code": "RX"} | dict.fromkeys(
    ("nights", "follows", "days_after", "is_rare"), 0
)


def model_tables() -> dict[str, pd.DataFrame]:
    """Every table by its name in the queries."""
    return {**_places(), **_care(), **_code_lists(), **_social_domain(), "causes": _causes(), **_surveys()}


def sample_places() -> pd.DataFrame:
    """The municipalities of the shipped samples: size, age structure, and deliberate differences."""
    return read("sample_places")


def read(name: str, dtype: Mapping[str, type[str]] | None = None) -> pd.DataFrame:
    """A table of ``model/``."""
    return pd.read_csv(MODEL / f"{name}.csv", dtype=dtype)


def _places() -> dict[str, pd.DataFrame]:
    municipalities = pd.read_csv(REFERENCE / "regions" / "municipalities.csv")
    latest = municipalities["division_year"] == municipalities["division_year"].max()
    return {
        "municipalities": municipalities.loc[latest, ["municipality_code"]],
        "age_structure": pd.read_csv(REFERENCE / "standards" / "nl_2021.csv"),
    }


def _care() -> dict[str, pd.DataFrame]:
    traits, care, medicines = (read(name) for name in ("traits", "care", "medicines"))
    care["care_row"] = np.arange(len(care)) + 1
    medicines["care_row"] = np.arange(len(medicines)) + len(care) + 1
    traits["number"] = np.arange(len(traits))
    care_rows = pd.concat([care, medicines.assign(**MEDICINES)])
    lists = care_rows.assign(code=care_rows["codes"].str.split("|")).explode("code").dropna(subset="code")
    lists["code_number"] = lists.groupby("care_row").cumcount()
    counts = lists.groupby("care_row").size()
    return {
        "traits": _by_age_group(traits, "share"),
        "rates": _by_age_group(care, "rate")[["care_row", "trait", "age_group", "rate"]],
        "medicines": medicines[["care_row", "trait", "share"]],
        "care": care_rows.assign(code_count=care_rows["care_row"].map(counts).fillna(0).astype(int))[
            ["care_row", "stream", "care_kind", "performance_code", "women", "nights", "follows", "days_after"]
            + ["is_rare", "euro", "code_count"]
        ].astype({"is_rare": bool}),
        "codes": lists[["care_row", "code_number", "code"]],
    }


def _code_lists() -> dict[str, pd.DataFrame]:
    """Code lists that indicators use; the content is shared with the monitor, the code that reads them is not."""
    names = ["chronic_conditions", "avoidable_admissions", "avoidable_mortality"]
    names += ["acute_myocardial_infarction", "stroke", "benzodiazepines"]
    return {name: pd.read_csv(REFERENCE / "codes" / f"{name}.csv") for name in names}


def _by_age_group(wide: pd.DataFrame, value: str) -> pd.DataFrame:
    """Turn one column per age group into one row per age group."""
    columns = [f"{value}_{group}" for group in range(1, AGE_GROUPS + 1)]
    long = wide.melt([name for name in wide if name not in columns], columns, "age_group", value)
    return long.assign(age_group=long["age_group"].str[-1].astype(int))


def _social_domain() -> dict[str, pd.DataFrame]:
    return {
        "provisions": read("provisions").rename_axis("provision").reset_index(),
        "end_reasons": _with_intervals(read("end_reasons", dtype={"code": str}), ["law"]),
    }


def _causes() -> pd.DataFrame:
    """Causes of death by sex and age, each with its interval of draws."""
    parts = read("causes")
    both = pd.concat([parts[parts["whose"].isna() | (parts["whose"] == sex)].assign(sex=sex) for sex in ("F", "M")])
    from_ages = [name for name in parts.columns if name.startswith("from_")]
    long = both.melt(["cause_icd10", "sex"], from_ages, "from_age", "part")
    long["from_age"] = long["from_age"].str.removeprefix("from_").astype(int)
    ages = [*sorted(long["from_age"].unique()), OLDEST]
    return _with_intervals(long.assign(below_age=long["from_age"].map(dict(pairwise(ages)))), ["sex", "from_age"])


def _with_intervals(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Give each row its interval between 0 and 1, in proportion to ``part`` within its group."""
    rows = rows[rows["part"] > 0].reset_index(drop=True)
    rows["upto"] = rows.groupby(by)["part"].cumsum()
    rows["upto"] /= rows.groupby(by)["upto"].transform("last")
    return rows.assign(above=rows.groupby(by)["upto"].shift(fill_value=0.0)).drop(columns="part")


def _surveys() -> dict[str, pd.DataFrame]:
    """Every item of both surveys; education levels with their share and their effect on poor health."""
    return {
        "items": read("items").rename_axis("item_number").reset_index(),
        "education": _with_intervals(read("education"), ["age_group"]),
    }
