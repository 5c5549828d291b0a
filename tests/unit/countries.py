"""Small countries of a few municipalities and the rows of an indicator in them, for tests of suppression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from triple_aim.definitions.regions import Regions
from triple_aim.disclosure.protect import COMPARATOR

Parts = Mapping[str, Sequence[str]]  # the municipalities of each region of one kind
TOTAL = ("all", "all", "none", "all")  # sex, age group, segment type, segment


def country(municipalities: Sequence[str], **kinds: Parts) -> Regions:
    """A country of these municipalities, divided into these kinds of regions."""
    divided = {"municipality": {code: [code] for code in municipalities}, **kinds, "nl": {"NL01": municipalities}}
    tables = {
        kind: pd.DataFrame(
            [(region, code) for region, codes in parts.items() for code in codes],
            columns=["region_code", "municipality_code"],
        )
        for kind, parts in divided.items()
    }
    return Regions(2024, tables, {}, {})


def rows(counts: Mapping[tuple[str, str, str, str], Sequence[float]], regions: Regions, base: float) -> pd.DataFrame:
    """A row of every region for each label, from the cases of each municipality, each with ``base`` persons."""
    codes = list(regions.tables["municipality"]["region_code"])
    totals = {label: float(np.sum(cases)) for label, cases in counts.items()}
    built = []
    for (sex, age, kind, segment), cases in counts.items():
        case_count = dict(zip(codes, cases, strict=True))
        for region_type, table in regions.tables.items():
            for region, members in table.groupby("region_code")["municipality_code"]:
                number, persons = float(sum(case_count[member] for member in members)), base * len(members)
                built.append(
                    {
                        "region_type": region_type,
                        "region_code": region,
                        "region_name": region,
                        "sex": sex,
                        "age_group": age,
                        "segment_type": kind,
                        "segment": segment,
                        "numerator": number,
                        "denominator": persons,
                        "persons": persons,
                        "cases": number,
                        "rest_persons": base * len(codes) - persons,
                        "rest_cases": totals[sex, age, kind, segment] - number,
                    }
                )
    same = {"source": "claims", "period": 2022, "status": "published", "reason": "", "coverage_share": 1.0}
    numbers = dict.fromkeys(["value", "lower", "upper", *COMPARATOR], 1.0)
    return pd.DataFrame(built).assign(**same, **numbers, difference="higher", judgement="worse")
