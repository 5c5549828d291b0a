"""Writes the survey files of the invented nation, with weighted respondents.

Not here: the sample and its answers (``model/sampled.sql``, ``model/answers.sql``).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from triple_aim.synthetic.formats import write_csv, write_spss
from triple_aim.synthetic.tables import read

ITEMS = read("items").groupby("wave")["item"].agg(list)

#: Folders of the surveys: the health monitor in even years, the region's own questionnaire in odd years.
WAVES = ("survey", "experience_survey")
BY_GGD = 0.7  # share of the monitor's respondents surveyed by the GGD; CBS surveys the others
CELL = ["municipality_code", "age_group", "sex"]


def wave_of(year: int) -> str:
    return WAVES[year % 2]


def write_survey(sample: pd.DataFrame, answers: pd.DataFrame, adults: pd.DataFrame, year: int, path: Path) -> None:
    """Write the sample of a year; ``adults`` holds the number of adults by municipality, age group and sex."""
    counts = adults.rename(columns={"age_band": "age_group"}).set_index(CELL)["value"]
    sample = sample.join(counts.rename("adult_count"), on=CELL).sort_values("person", ignore_index=True)
    sample["respondent_id"] = wave_of(year)[0].upper() + f"{year}-" + sample["person"].astype(str)
    recorded = answers.pivot(index="person", columns="item", values="recorded")
    rows = _with_defects(sample.join(recorded, on="person"), ITEMS[wave_of(year)])
    if wave_of(year) == "survey":
        write_spss(path.with_suffix(".sav"), _monitor(rows), ITEMS["survey"])
    else:
        write_csv(path.with_suffix(".csv.gz"), _experiences(rows))


def _weights(rows: pd.DataFrame, took_part: pd.Series[bool]) -> pd.Series[float]:
    """The number of adults that a respondent represents, within municipality, age group and sex."""
    counts = took_part.groupby([rows[name] for name in CELL]).transform("sum")
    return (rows["adult_count"] / counts).where(took_part).round(6)


def _with_defects(rows: pd.DataFrame, items: list[str]) -> pd.DataFrame:
    """Repeat one respondent in a thousand with an unknown municipality or an invalid answer."""
    repeated = rows.iloc[500::1000]
    repeated = repeated.assign(respondent_id="X" + repeated["respondent_id"], adult_count=0)
    unknown_place, invalid_answer = (
        repeated.iloc[::2].assign(municipality_code="GM9999"),
        repeated.iloc[1::2].assign(**{items[0]: -7}),
    )
    return pd.concat([rows, unknown_place, invalid_answer], ignore_index=True)


def _monitor(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of the health monitor under its own names."""
    everybody = pd.Series(True, rows.index)
    by_ggd = rows["by_ggd"]
    return pd.DataFrame(
        {
            "respondent_id": rows["respondent_id"],
            "Gemeentecode": rows["municipality_code"],
            "Stratum": rows["stratum"],
            "AGGSA202": rows["sex"].map({"M": 1.0, "F": 2.0}),
            "age_group": rows["age_group"],
            "Opleiding": rows["education"].astype(float),
            "ewCBSGGD": _weights(rows, everybody),
            "ewGGD": _weights(rows, by_ggd),
            **rows[ITEMS["survey"]].astype(float),
        }
    )


def _experiences(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of the region's own questionnaire."""
    columns = ["respondent_id", "municipality_code", "stratum", "sex", "age_group", "education"]
    return rows[columns].assign(
        weight=_weights(rows, pd.Series(True, rows.index)),
        **{item: rows[item] for item in ITEMS["experience_survey"] if item != "shared_decision"},
        shared_decision=rows["shared_decision"].astype(int),
    )
