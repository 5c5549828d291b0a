"""The gate: indicator rows in, rows that may be seen out. Marts read only what came through here.

Not here: the rule itself (``primary``). What is withheld loses everything that tells of it: value, limits, numerator,
denominator, comparator and judgement.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from triple_aim.contracts import Publication
from triple_aim.disclosure.primary import too_small
from triple_aim.errors import DisclosureError
from triple_aim.specs import Spec
from triple_aim.trends import trends
from triple_aim.vocabulary import SHOWN

OWN = ["value", "lower", "upper", "numerator", "denominator"]
COMPARATOR = ["comparator_value", "comparator_lower", "comparator_upper"]
COLUMNS = [
    "indicator_id", "indicator_version", "aim", "source", "region_type", "region_code", "region_name", "division_year",
    "period", "sex", "age_group", "segment_type", "segment", "population", *OWN, "unit", "status", "reason",
    "coverage_share", *COMPARATOR, "difference", "judgement", "trend",
]  # fmt: skip


def protect(rows: pd.DataFrame, spec: Spec, publication: Publication, division_year: int) -> pd.DataFrame:
    """Rows of one indicator as they may be published, in the columns of the mart."""
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    safe = pd.concat([_gate(part, spec, str(cube), publication) for cube, part in rows.groupby("source")])
    return safe.assign(
        trend=trends(safe, spec),
        indicator_id=spec.id,
        indicator_version=spec.version,
        aim=spec.aim,
        population=spec.population,
        unit=spec.unit.en,
        division_year=division_year,
    )[COLUMNS].reset_index(drop=True)


def _gate(rows: pd.DataFrame, spec: Spec, cube: str, publication: Publication) -> pd.DataFrame:
    threshold = publication.threshold(cube)
    least = {
        "least_persons": max(threshold.persons, spec.disclosure.get("threshold", 0)),
        "least_cases": threshold.cases,
    }
    shares = spec.route_of[cube].method in ("proportion", "survey_proportion")
    # Events without the trait, and persons without it: of repeated events these are not the same.
    events, persons = rows["denominator"] - rows["numerator"], rows["persons"] - rows["cases"]
    others = np.fmin(events, persons) if shares else np.nan
    too_few = pd.Series(too_small(rows["persons"], rows["cases"], others, **least), index=rows.index)
    # A number too small to standardise is too small to show as well.
    small = too_few & rows["status"].isin([*SHOWN, "not_computed"])
    rest_others = rows["rest_persons"] - rows["rest_cases"] if shares else np.nan
    small_rest = pd.Series(too_small(rows["rest_persons"], rows["rest_cases"], rest_others, **least), index=rows.index)
    safe = rows.copy()
    safe.loc[small, "status"] = "suppressed"
    safe.loc[small, "reason"] = threshold.reason.en
    safe.loc[~safe["status"].isin(SHOWN), OWN] = np.nan
    hidden = small_rest | ~safe["status"].isin(SHOWN)
    safe.loc[hidden, COMPARATOR] = np.nan
    safe.loc[hidden, ["difference", "judgement"]] = "not_compared"
    if leaks := int((too_few & safe["status"].isin(SHOWN)).sum()):
        raise DisclosureError(f"{leaks:,} rows rest on too few and are shown", spec.id, "do not publish; report it")
    return safe


def audit(safe: pd.DataFrame) -> None:
    """Refuse the whole publication when anything is seen of a row that is not published."""
    unseen = safe[~safe["status"].isin(SHOWN)]
    leaks = int(unseen[[*OWN, *COMPARATOR]].notna().any(axis=1).sum())
    if leaks:
        raise DisclosureError(
            f"{leaks:,} withheld rows still show a number", "safe.indicator_values", "do not publish; report it"
        )
