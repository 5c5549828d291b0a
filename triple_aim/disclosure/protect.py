"""The gate: indicator rows in, publishable rows out. Marts read only what this module returns.

Not here: the rules (``primary``, ``secondary``). A withheld row loses every column that reveals its number: value,
limits, numerator, denominator, comparator and judgement.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from triple_aim.definitions import GROUPED, Publication, Regions, Spec
from triple_aim.disclosure.primary import below_threshold
from triple_aim.disclosure.secondary import Counts, secondary_suppression
from triple_aim.disclosure.sum_constraints import Columns, sum_constraints
from triple_aim.disclosure.trend import trends
from triple_aim.disclosure.unknowns import Floats, Mask
from triple_aim.errors import DisclosureError
from triple_aim.vocabulary import SHOWN

ESTIMATE = ["value", "lower", "upper", "numerator", "denominator"]
COUNTS = ["persons", "cases", "rest_persons", "rest_cases"]
COMPARATOR = ["comparator_value", "comparator_lower", "comparator_upper"]
#: Methods whose value is not the quotient of numerator and denominator: these can be withheld and the value shown.
NON_QUOTIENT_METHODS = GROUPED | {
    "life_expectancy", "healthy_life_expectancy", "systematic_variation", "growth", "decomposition",
}  # fmt: skip
SECONDARY_REASON = "withheld so that another withheld number cannot be worked out"
#: A number of the country is suppressed only as a last resort.
COUNTRY_COST = 1e6
COLUMNS = [
    "indicator_id", "indicator_version", "aim", "source", "region_type", "region_code", "region_name", "division_year",
    "period", "sex", "age_group", "segment_type", "segment", "population", *ESTIMATE, "unit", "status", "reason",
    "coverage_share", *COMPARATOR, "difference", "judgement", "trend",
]  # fmt: skip
FLOAT_COLUMNS = {*ESTIMATE, *COMPARATOR, "coverage_share"}
NO_ROWS = pd.DataFrame(
    {
        name: pd.Series(
            dtype="float64" if name in FLOAT_COLUMNS else "int64" if name in ("division_year", "period") else "str"
        )
        for name in COLUMNS
    }
)
#: Columns that differ per row; the others are the same for the whole indicator.
ROW_COLUMNS = [
    "source", "region_type", "region_code", "region_name", "period", "sex", "age_group", "segment_type", "segment",
    *ESTIMATE, "status", "reason", "coverage_share", *COMPARATOR, "difference", "judgement",
]  # fmt: skip


def protect(
    rows: pd.DataFrame, spec: Spec, publication: Publication, division_year: int, regions: Regions | None = None
) -> pd.DataFrame:
    """Return the rows of one indicator as they may be published, in the columns of the mart.

    Without ``regions`` only sums within a region are protected, because it is unknown which rows add up to a region.

    Raises
    ------
    DisclosureError
        If a row would show a number that must be withheld, or secondary suppression finds no solution.
    """
    if rows.empty:
        return NO_ROWS
    try:
        parts = [_suppress(part, spec, str(cube), publication, regions) for cube, part in rows.groupby("source")]
    except ArithmeticError as error:
        raise DisclosureError(str(error), spec.id, "do not publish; report it") from error
    safe = {name: np.concatenate([part[name] for part in parts]) for name in ROW_COLUMNS}
    indicator = {
        "trend": trends(safe, spec),
        "indicator_id": spec.id,
        "indicator_version": spec.version,
        "aim": spec.aim,
        "population": spec.population,
        "unit": spec.unit.en,
        "division_year": division_year,
    }
    return pd.DataFrame({name: indicator[name] if name in indicator else safe[name] for name in COLUMNS})


def _suppress(rows: pd.DataFrame, spec: Spec, cube: str, publication: Publication, regions: Regions | None) -> Columns:
    """Return the columns of one source's rows; withheld rows without the columns that reveal their number."""
    threshold = publication.threshold(cube)
    minimum = {
        "min_persons": max(threshold.persons, spec.disclosure.get("threshold", 0)),
        "min_cases": threshold.cases,
    }
    safe = {name: rows[name].to_numpy() for name in ROW_COLUMNS}
    count = {name: rows[name].to_numpy(dtype=float) for name in ("numerator", "denominator", *COUNTS)}
    is_share = spec.route_of[cube].method in ("proportion", "survey_proportion")
    not_applicable = np.full(len(rows), np.nan)
    # Events without the trait and persons without it: with repeated events these differ.
    events, persons = count["denominator"] - count["numerator"], count["persons"] - count["cases"]
    complement = np.fmin(events, persons) if is_share else not_applicable
    is_small = below_threshold(count["persons"], count["cases"], complement, **minimum)
    # A number too small to standardise is too small to show as well.
    primary = is_small & np.isin(safe["status"], [*SHOWN, "not_computed"])
    rest_complement = count["rest_persons"] - count["rest_cases"] if is_share else not_applicable
    has_small_rest = below_threshold(count["rest_persons"], count["rest_cases"], rest_complement, **minimum)
    safe["status"] = np.where(primary, "suppressed", safe["status"])
    safe["reason"] = np.where(primary, threshold.reason.en, safe["reason"])
    protected_rest = has_small_rest & (count["rest_persons"] > 0) & (safe["region_type"] != "nl")
    secondary = _secondary_rows({**safe, **count}, complement, protected_rest, minimum, regions)
    loses_sums_only = spec.route_of[cube].method in NON_QUOTIENT_METHODS
    if not loses_sums_only:
        safe["status"] = np.where(secondary, "suppressed", safe["status"])
        safe["reason"] = np.where(secondary, SECONDARY_REASON, safe["reason"])
    is_hidden = ~np.isin(safe["status"], SHOWN)
    for name in ESTIMATE:
        loses_sum = loses_sums_only & secondary if name in ("numerator", "denominator") else False
        safe[name] = np.where(is_hidden | loses_sum, np.nan, safe[name])
    loses_comparator = has_small_rest | is_hidden
    for name in COMPARATOR:
        safe[name] = np.where(loses_comparator, np.nan, safe[name])
    for name in ("difference", "judgement"):
        safe[name] = np.where(loses_comparator, "not_compared", safe[name])
    if leaks := int((is_small & ~is_hidden).sum()):
        raise DisclosureError(
            f"{leaks:,} rows are below the threshold and would be shown", spec.id, "do not publish; report it"
        )
    return safe


def _secondary_rows(
    rows: Columns, complement: Floats, protected_rest: Mask, minimum: Mapping[str, float], regions: Regions | None
) -> Mask:
    """Return the rows to suppress so that no suppressed row and no small rest of the country is determined."""
    protected, chosen = rows["status"] == "suppressed", np.zeros(len(protected_rest), dtype=bool)
    # Sums hold within a year, and most years have nothing to protect.
    selected = np.flatnonzero(np.isin(rows["period"], rows["period"][protected | protected_rest]))
    if not selected.size:
        return chosen
    part, size = {name: column[selected] for name, column in rows.items()}, len(selected)
    constraints, cells = sum_constraints(part, protected_rest[selected], regions)
    cell_is_hidden = np.ones(cells, dtype=bool)
    cell_is_protected, cost = np.zeros(cells, dtype=bool), np.zeros(cells)
    cell_is_hidden[:size] = ~np.isin(part["status"], SHOWN)
    cell_is_protected[:size], cell_is_protected[size : 2 * size] = protected[selected], protected_rest[selected]
    no_counts = np.full(cells - size, np.nan)
    persons, cases, others = (
        np.append(count, no_counts) for count in (part["persons"], part["cases"], complement[selected])
    )
    counts = Counts(persons, cases, others, **minimum)
    # The cost depends on persons, not on the numerator: indicators of the same persons should hide the same cells.
    fewest = np.fmin(part["persons"], part["cases"])
    cost[:size] = np.nan_to_num(fewest, nan=COUNTRY_COST)  # without a count there may be many persons
    cost[:size] *= np.where(part["region_type"] == "nl", COUNTRY_COST, 1)
    suppressed = secondary_suppression(constraints, cell_is_hidden, cell_is_protected, cost, counts)
    chosen[selected] = suppressed[:size]
    return chosen


def audit(safe: pd.DataFrame) -> None:
    """Refuse the whole publication if a row that is not published shows a number.

    Raises
    ------
    DisclosureError
        With the number of such rows.
    """
    hidden = safe[~safe["status"].isin(SHOWN)]
    leaks = int(hidden[[*ESTIMATE, *COMPARATOR]].notna().any(axis=1).sum())
    if leaks:
        raise DisclosureError(
            f"{leaks:,} withheld rows still show a number", "safe.indicator_values", "do not publish; report it"
        )
