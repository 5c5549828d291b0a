"""The gate: indicator rows in, rows that may be seen out. Marts read only what came through here.

Not here: the rules themselves (``primary``, ``secondary``). What is withheld loses everything that tells of it: value,
limits, numerator, denominator, comparator and judgement.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from triple_aim.definitions import GROUPED, Publication, Regions, Spec
from triple_aim.disclosure.additions import Columns, additions
from triple_aim.disclosure.primary import too_small
from triple_aim.disclosure.secondary import Counts, further
from triple_aim.disclosure.trend import trends
from triple_aim.disclosure.unknowns import Floats, Mask
from triple_aim.errors import DisclosureError
from triple_aim.vocabulary import SHOWN

OWN = ["value", "lower", "upper", "numerator", "denominator"]
BEHIND = ["persons", "cases", "rest_persons", "rest_cases"]
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
NUMBERS = {*OWN, *COMPARATOR, "coverage_share"}
NO_ROWS = pd.DataFrame(
    {
        name: pd.Series(
            dtype="float64" if name in NUMBERS else "int64" if name in ("division_year", "period") else "str"
        )
        for name in COLUMNS
    }
)
#: What a row brings; the rest is said of the indicator as a whole.
GATED = [
    "source", "region_type", "region_code", "region_name", "period", "sex", "age_group", "segment_type", "segment",
    *OWN, "status", "reason", "coverage_share", *COMPARATOR, "difference", "judgement",
]  # fmt: skip


def protect(
    rows: pd.DataFrame, spec: Spec, publication: Publication, division_year: int, regions: Regions | None = None
) -> pd.DataFrame:
    """Rows of one indicator as they may be published, in the columns of the mart.

    Without ``regions`` nobody knows which rows add up to which region, so only sums within a region are looked at.
    """
    if rows.empty:
        return NO_ROWS
    try:
        parts = [_gate(part, spec, str(cube), publication, regions) for cube, part in rows.groupby("source")]
    except ArithmeticError as error:
        raise DisclosureError(str(error), spec.id, "do not publish; report it") from error
    safe = {name: np.concatenate([part[name] for part in parts]) for name in GATED}
    told = {
        "trend": trends(safe, spec),
        "indicator_id": spec.id,
        "indicator_version": spec.version,
        "aim": spec.aim,
        "population": spec.population,
        "unit": spec.unit.en,
        "division_year": division_year,
    }
    return pd.DataFrame({name: told[name] if name in told else safe[name] for name in COLUMNS})


def _gate(rows: pd.DataFrame, spec: Spec, cube: str, publication: Publication, regions: Regions | None) -> Columns:
    """The columns of one source's rows, those that may not be seen without what tells of them."""
    threshold = publication.threshold(cube)
    least = {
        "least_persons": max(threshold.persons, spec.disclosure.get("threshold", 0)),
        "least_cases": threshold.cases,
    }
    safe = {name: rows[name].to_numpy() for name in GATED}
    count = {name: rows[name].to_numpy(dtype=float) for name in ("numerator", "denominator", *BEHIND)}
    shares = spec.route_of[cube].method in ("proportion", "survey_proportion")
    unknown = np.full(len(rows), np.nan)
    # Events without the trait, and persons without it: of repeated events these are not the same.
    events, persons = count["denominator"] - count["numerator"], count["persons"] - count["cases"]
    others = np.fmin(events, persons) if shares else unknown
    too_few = too_small(count["persons"], count["cases"], others, **least)
    # A number too small to standardise is too small to show as well.
    small = too_few & np.isin(safe["status"], [*SHOWN, "not_computed"])
    rest_others = count["rest_persons"] - count["rest_cases"] if shares else unknown
    small_rest = too_small(count["rest_persons"], count["rest_cases"], rest_others, **least)
    safe["status"] = np.where(small, "suppressed", safe["status"])
    safe["reason"] = np.where(small, threshold.reason.en, safe["reason"])
    rests = small_rest & (count["rest_persons"] > 0) & (safe["region_type"] != "nl")
    more = _further({**safe, **count}, others, rests, least, regions)
    apart = spec.route_of[cube].method in SUMS_APART
    if not apart:
        safe["status"] = np.where(more, "suppressed", safe["status"])
        safe["reason"] = np.where(more, FURTHER, safe["reason"])
    unseen = ~np.isin(safe["status"], SHOWN)
    for name in OWN:
        sums = apart & more if name in ("numerator", "denominator") else False
        safe[name] = np.where(unseen | sums, np.nan, safe[name])
    hidden = small_rest | unseen
    for name in COMPARATOR:
        safe[name] = np.where(hidden, np.nan, safe[name])
    for name in ("difference", "judgement"):
        safe[name] = np.where(hidden, "not_compared", safe[name])
    if leaks := int((too_few & ~unseen).sum()):
        raise DisclosureError(f"{leaks:,} rows rest on too few and are shown", spec.id, "do not publish; report it")
    return safe


def _further(rows: Columns, others: Floats, rests: Mask, least: Mapping[str, float], regions: Regions | None) -> Mask:
    """Which rows have to be withheld too, so that nobody works out those that are, or a small rest of the country."""
    guarded, chosen = rows["status"] == "suppressed", np.zeros(len(rests), dtype=bool)
    # A year adds up by itself, and most have nothing to hide.
    at = np.flatnonzero(np.isin(rows["period"], rows["period"][guarded | rests]))
    if not at.size:
        return chosen
    here, size = {name: column[at] for name, column in rows.items()}, len(at)
    sums, cells = additions(here, rests[at], regions)
    unseen, watched, cost = np.ones(cells, dtype=bool), np.zeros(cells, dtype=bool), np.zeros(cells)
    unseen[:size] = ~np.isin(here["status"], SHOWN)
    watched[:size], watched[size : 2 * size] = guarded[at], rests[at]
    beyond = np.full(cells - size, np.nan)
    persons, cases, without = (np.append(amount, beyond) for amount in (here["persons"], here["cases"], others[at]))
    # What the numerator counts may differ between indicators of the same persons; whom they hide should not.
    fewest = np.nan_to_num(np.fmin(persons, cases)[:size], nan=COUNTRY_COST)  # where nobody was counted it may be many
    cost[:size] = fewest * np.where(here["region_type"] == "nl", COUNTRY_COST, 1)
    chosen[at] = further(sums, unseen, watched, cost, Counts(persons, cases, without, **least))[:size]
    return chosen


def audit(safe: pd.DataFrame) -> None:
    """Refuse the whole publication when anything is seen of a row that is not published."""
    unseen = safe[~safe["status"].isin(SHOWN)]
    leaks = int(unseen[[*OWN, *COMPARATOR]].notna().any(axis=1).sum())
    if leaks:
        raise DisclosureError(
            f"{leaks:,} withheld rows still show a number", "safe.indicator_values", "do not publish; report it"
        )
