"""The tables that the nation's queries read: who lives where, how often what befalls whom, and the codes of it.

What the shipped samples know too (provisions, causes of death, surveys) is read from ``triple_aim.samples``. Not here:
prices, which are fitted (``calibration``).
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from triple_aim.samples.residents import CAUSES, END_REASONS, PROVISIONS
from triple_aim.samples.surveys import CARERS, CHRONIC, EDUCATION, ITEMS, POORER, SCORES, SHARED, SILENT

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parent / "reference"
AGE_GROUPS = 5  # of the rates
CAUSE_AGES = (0, 1, 15, 45, 65, 80, 200)


def nation_tables() -> dict[str, pd.DataFrame]:
    """Every table by the name that queries give it."""
    surveys = {"items": _items(), "education": _education()}
    return {**_places(), **_care(), **_code_lists(), **_social_domain(), "causes": _causes(), **surveys}


def _places() -> dict[str, pd.DataFrame]:
    municipalities = pd.read_csv(REFERENCE / "regions" / "municipalities.csv")
    latest = municipalities["division_year"] == municipalities["division_year"].max()
    return {
        "municipalities": municipalities.loc[latest, ["municipality_code"]],
        "age_structure": pd.read_csv(REFERENCE / "standards" / "nl_2021.csv"),
    }


def _care() -> dict[str, pd.DataFrame]:
    traits, care, medicines = (pd.read_csv(HERE / "nation" / f"{name}.csv") for name in ("traits", "care", "medicines"))
    care["care_row"] = np.arange(len(care)) + 1
    medicines["care_row"] = np.arange(len(medicines)) + len(care) + 1
    traits["number"] = np.arange(len(traits))
    care_rows = pd.concat([care, medicines.assign(care_kind="pharmacy", performance_code="RX", nights=0)])
    lists = care_rows.assign(code=care_rows["codes"].str.split("|")).explode("code").dropna(subset="code")
    lists["code_number"] = lists.groupby("care_row").cumcount()
    counts = lists.groupby("care_row").size()
    return {
        "traits": _by_age_group(traits, "share"),
        "rates": _by_age_group(care, "rate")[["care_row", "trait", "age_group", "rate"]],
        "medicines": medicines[["care_row", "trait", "share"]],
        "care": care_rows.assign(code_count=care_rows["care_row"].map(counts).fillna(0).astype(int))[
            ["care_row", "stream", "care_kind", "performance_code", "women", "nights", "euro", "code_count"]
        ],
        "codes": lists[["care_row", "code_number", "code"]],
    }


def _code_lists() -> dict[str, pd.DataFrame]:
    """Lists of what indicators count: what they list is content, how they are read is ours."""
    names = ("chronic_conditions", "avoidable_admissions", "avoidable_mortality")
    return {name: pd.read_csv(REFERENCE / "codes" / f"{name}.csv") for name in names}


def _by_age_group(wide: pd.DataFrame, value: str) -> pd.DataFrame:
    """A table with a column an age group made one with a row an age group."""
    columns = [f"{value}_{group}" for group in range(1, AGE_GROUPS + 1)]
    long = wide.melt([name for name in wide if name not in columns], columns, "age_group", value)
    return long.assign(age_group=long["age_group"].str[-1].astype(int))


def _social_domain() -> dict[str, pd.DataFrame]:
    columns = ["law", "category", "clients_per_1000", "from_age", "to_age", "euro", "years"]
    reasons = pd.DataFrame(
        # Death and leaving are known of the person.
        [
            (law, code, part)
            for law, lists in END_REASONS.items()
            for code, part in zip(*lists, strict=True)
            if code != "02"
        ],
        columns=["law", "code", "part"],
    )
    return {
        "provisions": pd.DataFrame(PROVISIONS, columns=columns).rename_axis("provision").reset_index(),
        "end_reasons": _drawable(reasons, ["law"]),
    }


def _causes() -> pd.DataFrame:
    """Causes of death by sex and age, with the draws that lead to each."""
    parts = pd.DataFrame(CAUSES, columns=["cause_icd10", "whose", *CAUSE_AGES[:-1]])
    both = pd.concat([parts[parts["whose"].isin(["", sex])].assign(sex=sex) for sex in ("F", "M")])
    long = both.melt(["cause_icd10", "sex"], CAUSE_AGES[:-1], "from_age", "part")
    ends = dict(pairwise(CAUSE_AGES))
    return _drawable(long.assign(below_age=long["from_age"].map(ends)), ["sex", "from_age"])


def _drawable(rows: pd.DataFrame, of: list[str]) -> pd.DataFrame:
    """Give each row the stretch of 0 to 1 that is its part of those it stands with."""
    rows = rows[rows["part"] > 0].reset_index(drop=True)
    rows["upto"] = rows.groupby(of)["part"].cumsum()
    rows["upto"] /= rows.groupby(of)["upto"].transform("last")
    return rows.assign(above=rows.groupby(of)["upto"].shift(fill_value=0.0)).drop(columns="part")


def _items() -> pd.DataFrame:
    """Every item of both surveys: who is asked, how the answers lean at either age, how many stay silent."""
    scores = ["item", "younger", "elder", "moves", "spread", "lowest", "highest", "step"]
    monitor = pd.DataFrame(ITEMS, columns=["item", "weight", "younger", "elder", "moves"])
    told = pd.DataFrame(SCORES, columns=scores)
    shared = pd.DataFrame([("shared_decision", SHARED[0], SHARED[0], SHARED[1])], columns=scores[:4])
    items = pd.concat(
        [
            monitor.drop(columns="weight").assign(wave="survey", kind="answer"),
            told.assign(wave="experience_survey", kind="score"),
            shared.assign(wave="experience_survey", kind="shared_decision"),
        ],
        ignore_index=True,
    ).fillna(0)
    asked = pd.DataFrame(
        {CARERS[0]: (CARERS[1], CARERS[1], 0), "coordination": CHRONIC},
        index=["asked_younger", "asked_elder", "asked_moves"],
    ).T
    items = items.join(asked, on="item").fillna({"asked_younger": 1, "asked_elder": 1, "asked_moves": 0})
    silent = pd.DataFrame(SILENT, index=["not_applicable", "unknown"]).T
    return items.join(silent, on="kind").drop(columns="kind").rename_axis("item_number").reset_index()


def _education() -> pd.DataFrame:
    """Low, middle, high and unknown education by age group, and what each is to poor health."""
    groups = [
        pd.DataFrame({"age_group": group, "code": [1, 2, 3, 9], "part": parts, "poorer": POORER})
        for group, parts in zip(["18-64", "65+"], EDUCATION, strict=True)
    ]
    return _drawable(pd.concat(groups), ["age_group"])
