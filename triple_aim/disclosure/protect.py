"""The gate: indicator rows in, rows that may be seen out. Marts read only what came through here.

Not here: the rules themselves (``primary``, ``secondary``). What is withheld loses everything that tells of it: value,
limits, numerator, denominator, comparator and judgement.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from triple_aim.contracts import Publication
from triple_aim.disclosure.additions import additions
from triple_aim.disclosure.primary import too_small
from triple_aim.disclosure.secondary import Counts, Floats, Mask, further
from triple_aim.errors import DisclosureError
from triple_aim.regions import Regions
from triple_aim.specs import GROUPED, Spec
from triple_aim.trends import trends
from triple_aim.vocabulary import SHOWN

OWN = ["value", "lower", "upper", "numerator", "denominator"]
COMPARATOR = ["comparator_value", "comparator_lower", "comparator_upper"]
#: Methods whose value is no quotient of the sums beside it: those sums can be withheld and the value shown.
SUMS_APART = GROUPED | {"life_expectancy", "healthy_life_expectancy", "systematic_variation", "growth", "decomposition"}
FURTHER = "withheld so that another withheld number cannot be worked out"
#: To withhold a number of the country is the last resort.
COUNTRY_COST = 1e6
COLUMNS = [
    "indicator_id", "indicator_version", "aim", "source", "region_type", "region_code", "region_name", "division_year",
    "period", "sex", "age_group", "segment_type", "segment", "population", *OWN, "unit", "status", "reason",
    "coverage_share", *COMPARATOR, "difference", "judgement", "trend",
]  # fmt: skip


def protect(
    rows: pd.DataFrame, spec: Spec, publication: Publication, division_year: int, regions: Regions | None = None
) -> pd.DataFrame:
    """Rows of one indicator as they may be published, in the columns of the mart.

    Without ``regions`` nobody knows which rows add up to which region, so only sums within a region are looked at.
    """
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    safe = pd.concat([_gate(part, spec, str(cube), publication, regions) for cube, part in rows.groupby("source")])
    return safe.assign(
        trend=trends(safe, spec),
        indicator_id=spec.id,
        indicator_version=spec.version,
        aim=spec.aim,
        population=spec.population,
        unit=spec.unit.en,
        division_year=division_year,
    )[COLUMNS].reset_index(drop=True)


def _gate(rows: pd.DataFrame, spec: Spec, cube: str, publication: Publication, regions: Regions | None) -> pd.DataFrame:
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
    rests = small_rest & (rows["rest_persons"] > 0) & rows["region_type"].ne("nl")
    amounts = np.array([rows["persons"], rows["cases"], np.broadcast_to(others, len(rows))], dtype=float)
    more = _further(safe, amounts, rests.to_numpy(), least, regions)
    if spec.route_of[cube].method in SUMS_APART:
        safe.loc[more, ["numerator", "denominator"]] = np.nan
    else:
        safe.loc[more, "status"] = "suppressed"
        safe.loc[more, "reason"] = FURTHER
    safe.loc[~safe["status"].isin(SHOWN), OWN] = np.nan
    hidden = small_rest | ~safe["status"].isin(SHOWN)
    safe.loc[hidden, COMPARATOR] = np.nan
    safe.loc[hidden, ["difference", "judgement"]] = "not_compared"
    if leaks := int((too_few & safe["status"].isin(SHOWN)).sum()):
        raise DisclosureError(f"{leaks:,} rows rest on too few and are shown", spec.id, "do not publish; report it")
    return safe


def _further(
    rows: pd.DataFrame, amounts: Floats, rests: Mask, least: Mapping[str, float], regions: Regions | None
) -> Mask:
    """Which rows have to be withheld too, so that nobody works out those that are, or a small rest of the country."""
    guarded, chosen = rows["status"].eq("suppressed").to_numpy(), np.zeros(len(rows), dtype=bool)
    # A year adds up by itself, and most have nothing to hide.
    at = np.flatnonzero(rows["period"].isin(rows.loc[guarded | rests, "period"]))
    if not at.size:
        return chosen
    here, size = rows.iloc[at], len(at)
    sums, cells = additions(here, rests[at], regions)
    unseen, watched, cost = np.ones(cells, dtype=bool), np.zeros(cells, dtype=bool), np.zeros(cells)
    unseen[:size] = ~here["status"].isin(SHOWN)
    watched[:size], watched[size : 2 * size] = guarded[at], rests[at]
    persons, cases, others = (np.append(amount[at], np.full(cells - size, np.nan)) for amount in amounts)
    # What the numerator counts may differ between indicators of the same persons; whom they hide should not.
    cost[:size] = np.fmin(persons, cases)[:size] * np.where(here["region_type"] == "nl", COUNTRY_COST, 1)
    chosen[at] = further(sums, unseen, watched, cost, Counts(persons, cases, others, **least))[:size]
    return chosen


def audit(safe: pd.DataFrame) -> None:
    """Refuse the whole publication when anything is seen of a row that is not published."""
    unseen = safe[~safe["status"].isin(SHOWN)]
    leaks = int(unseen[[*OWN, *COMPARATOR]].notna().any(axis=1).sum())
    if leaks:
        raise DisclosureError(
            f"{leaks:,} withheld rows still show a number", "safe.indicator_values", "do not publish; report it"
        )
