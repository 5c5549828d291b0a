"""Respondents of the invented nation, weighed, as the files of a survey hold them.

Not here: who is drawn and what is answered (``model/sampled.sql``, ``model/answers.sql``).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from triple_aim.synthetic.formats import write_csv, write_spss
from triple_aim.synthetic.tables import read

ITEMS = read("items").groupby("wave")["item"].agg(list)

#: The health monitor in even years, the region's own questionnaire in odd ones, and the folder of each.
WAVES = ("survey", "experience_survey")
BY_GGD = 0.7  # of the monitor's respondents; the others answer to CBS
CELL = ["municipality_code", "age_group", "sex"]


def wave_of(year: int) -> str:
    return WAVES[year % 2]


def write_survey(sample: pd.DataFrame, answers: pd.DataFrame, adults: pd.DataFrame, year: int, path: Path) -> None:
    """Write the sample of a year; ``adults`` counts whom it stands for, by municipality, age group and sex."""
    adults = adults.rename(columns={"age_band": "age_group"}).set_index(CELL)["value"]
    sample = sample.join(adults.rename("adult_count"), on=CELL).sort_values("person", ignore_index=True)
    sample["respondent_id"] = wave_of(year)[0].upper() + f"{year}-" + sample["person"].astype(str)
    told = answers.pivot(index="person", columns="item", values="told")
    rows = _planted(sample.join(told, on="person"), ITEMS[wave_of(year)])
    if wave_of(year) == "survey":
        write_spss(path.with_suffix(".sav"), _monitor(rows), ITEMS["survey"])
    else:
        write_csv(path.with_suffix(".csv.gz"), _experiences(rows))


def _weights(rows: pd.DataFrame, taking_part: pd.Series[bool]) -> pd.Series[float]:
    """Adults of the same place, age group and sex for each of those who took part."""
    counts = taking_part.groupby([rows[name] for name in CELL]).transform("sum")
    return (rows["adult_count"] / counts).where(taking_part).round(6)


def _planted(rows: pd.DataFrame, items: list[str]) -> pd.DataFrame:
    """One respondent in a thousand stands there once more: from no municipality, or with an answer that is none."""
    again = rows.iloc[500::1000]
    again = again.assign(respondent_id="X" + again["respondent_id"], adult_count=0)
    elsewhere, impossible = (
        again.iloc[::2].assign(municipality_code="GM9999"),
        again.iloc[1::2].assign(**{items[0]: -7}),
    )
    return pd.concat([rows, elsewhere, impossible], ignore_index=True)


def _monitor(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of the health monitor, under its own names."""
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
