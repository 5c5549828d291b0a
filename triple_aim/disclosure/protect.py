"""The gate: exact and changed rows of an indicator in, publishable rows out. Marts read only what this module returns.

Not here: the thresholds (``primary``), the changes of the sums (``triple_aim.indicators``), the cells that the mode
``suppress`` withholds as well (``secondary``). A withheld row loses every column that reveals its number: value,
limits, numerator, denominator, comparator and judgement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from triple_aim.definitions import GROUPED, Publication, Regions, Spec, Threshold
from triple_aim.disclosure.primary import below_threshold
from triple_aim.disclosure.rounding import rounded
from triple_aim.disclosure.secondary import Counts, secondary_suppression
from triple_aim.disclosure.sum_constraints import Columns, sum_constraints
from triple_aim.disclosure.suppress_mode import not_protected, published_indicators
from triple_aim.disclosure.trend import trends
from triple_aim.disclosure.unknowns import Floats, Mask
from triple_aim.errors import DisclosureError
from triple_aim.indicators import NOISE
from triple_aim.vocabulary import SHOWN

ESTIMATE = ["value", "lower", "upper", "numerator", "denominator"]
SUMS = ("numerator", "denominator")
COUNTS = ["persons", "cases", "rest_persons", "rest_cases"]
COMPARATOR = ["comparator_value", "comparator_lower", "comparator_upper"]
#: Methods whose value is not the quotient of numerator and denominator: these can be withheld and the value shown.
NON_QUOTIENT_METHODS = GROUPED | {
    "life_expectancy", "healthy_life_expectancy", "systematic_variation", "growth", "decomposition",
}  # fmt: skip
#: A number of the country is suppressed only as a last resort.
COUNTRY_COST = 1e6
COLUMNS = [
    "indicator_id", "indicator_version", "aim", "source", "region_type", "region_code", "region_name", "division_year",
    "period", "sex", "age_group", "segment_type", "segment", "population", *ESTIMATE, "unit", "status", "reason",
    "coverage_share", *COMPARATOR, "difference", "judgement", "trend",
]  # fmt: skip
#: What identifies a row within an indicator and a source.
LABELS = ["region_type", "region_code", "period", "sex", "age_group", "segment_type", "segment"]
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
    rows: pd.DataFrame,
    spec: Spec,
    publication: Publication,
    division_year: int,
    regions: Regions | None = None,
    changed: pd.DataFrame | None = None,
    others: Iterable[Spec] = (),
) -> pd.DataFrame:
    """Return the rows of one indicator as they may be published, in the columns of the mart.

    Parameters
    ----------
    rows : DataFrame
        The exact rows, in the columns of the tables ``ind.*``.
    changed : DataFrame, optional
        The rows computed from changed sums, of the sources whose mode asks for them.
    others : iterable of Spec, optional
        The other indicators; of a source in mode ``suppress`` only one indicator per numerator is published.
    regions : Regions, optional
        Which municipalities add up to which region; the mode ``suppress`` needs it.

    Raises
    ------
    DisclosureError
        If a row would show a number that must be withheld, if changed rows are missing, or if secondary suppression
        finds no solution.
    """
    if rows.empty:
        return NO_ROWS
    suppressed = published_indicators([spec, *others], publication)
    try:
        parts = [
            _publishable(
                part,
                _same_rows(part, str(cube), spec, publication, changed),
                spec,
                publication,
                regions,
                (spec.id, str(cube)) in suppressed,
            )
            for cube, part in rows.groupby("source")
        ]
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


def _same_rows(
    rows: pd.DataFrame, cube: str, spec: Spec, publication: Publication, changed: pd.DataFrame | None
) -> pd.DataFrame:
    """Return the rows to print: those computed from changed sums, in the order of the exact rows, or the exact rows."""
    if publication.threshold(cube).mode in ("suppress", "as_delivered"):
        return rows
    own = NO_ROWS if changed is None else changed[changed["source"] == cube]
    if len(own) == len(rows) and all(np.array_equal(own[name], rows[name]) for name in LABELS):
        return own.reset_index(drop=True)  # nearly always: both come from the same code, in the same order
    place = pd.MultiIndex.from_frame(own[LABELS]).get_indexer(pd.MultiIndex.from_frame(rows[LABELS]))
    if missing := int((place < 0).sum()):
        raise DisclosureError(
            f"{missing:,} rows of {cube} have no changed sums", spec.id, "do not publish exact sums; report it"
        )
    return own.iloc[place].reset_index(drop=True)


def _publishable(
    rows: pd.DataFrame,
    printed: pd.DataFrame,
    spec: Spec,
    publication: Publication,
    regions: Regions | None,
    is_chosen: bool,
) -> Columns:
    """Return the columns of one source's rows; withheld rows without the columns that reveal their number."""
    cube = str(rows["source"].iloc[0])
    threshold, method = publication.threshold(cube), spec.route_of[cube].method
    safe = {name: printed[name].to_numpy() for name in ROW_COLUMNS}
    exact = _counts(rows, method)
    is_small, has_small_rest = _small(exact, threshold, spec)
    if printed is not rows:  # the changed counts must pass the same rule, or a printed 9 would show which rule held
        small, small_rest = _small(_counts(printed, method), threshold, spec)
        if threshold.mode == "thresholds_only":  # of a sample the number of respondents is printed
            small |= printed["denominator"].to_numpy(dtype=float) < threshold.persons
        is_small |= small | _drowned(printed, publication)
        has_small_rest |= small_rest | _withheld_country(safe, is_small)
    is_small |= _whole_group(rows, exact, threshold, method)
    if threshold.mode == "suppress":
        is_small |= not_protected(rows, publication, is_chosen)
    # A number too small to standardise is too small to show as well.
    primary = is_small & np.isin(safe["status"], [*SHOWN, "not_computed"])
    safe["status"] = np.where(primary, "suppressed", safe["status"])
    safe["reason"] = np.where(primary, publication.withheld.en, safe["reason"])
    # The cube of cost classes has no sex and age, so its totals would carry other noise than those of the claims.
    loses_sums = np.full(len(rows), method == "gini")
    if threshold.mode == "suppress":
        protected_rest = has_small_rest & (exact["rest_persons"] > 0) & (safe["region_type"] != "nl")
        minimum = _minimum(threshold, spec)
        secondary = _secondary_rows({**safe, **exact}, exact["complement"], protected_rest, minimum, regions)
        if method in NON_QUOTIENT_METHODS:
            loses_sums = secondary
        else:
            safe["status"] = np.where(secondary, "suppressed", safe["status"])
            safe["reason"] = np.where(secondary, publication.withheld.en, safe["reason"])
    is_hidden = ~np.isin(safe["status"], SHOWN)
    if threshold.mode == "thresholds_only":  # sums of weighted answers give the exact number of respondents away
        safe["numerator"] = np.full(len(rows), np.nan)
    if threshold.mode != "as_delivered":  # public numbers keep their digits
        digits = dict.fromkeys((*ESTIMATE, *COMPARATOR), spec.decimals + 1)
        digits |= {**dict.fromkeys(SUMS, 0), "coverage_share": 3}
        safe |= {name: rounded(safe[name], decimals) for name, decimals in digits.items()}
    for name in ESTIMATE:
        safe[name] = np.where(is_hidden | loses_sums if name in SUMS else is_hidden, np.nan, safe[name])
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


def _counts(rows: pd.DataFrame, method: str) -> dict[str, Floats]:
    """Return the counts behind the rows, and the persons and events without the trait where the value is a share."""
    count = {name: rows[name].to_numpy(dtype=float) for name in (*SUMS, *COUNTS)}
    not_applicable = np.full(len(rows), np.nan)
    is_share = method in ("proportion", "survey_proportion")
    # Events without the trait and persons without it: with repeated events these differ.
    events, persons = count["denominator"] - count["numerator"], count["persons"] - count["cases"]
    count["complement"] = np.fmin(events, persons) if is_share else not_applicable
    count["rest_complement"] = count["rest_persons"] - count["rest_cases"] if is_share else not_applicable
    return count


def _minimum(threshold: Threshold, spec: Spec) -> dict[str, float]:
    return {"min_persons": max(threshold.persons, spec.disclosure.get("threshold", 0)), "min_cases": threshold.cases}


def _small(count: dict[str, Floats], threshold: Threshold, spec: Spec) -> tuple[Mask, Mask]:
    """Return which rows, and which rests of the country, are below the threshold."""
    minimum = _minimum(threshold, spec)
    is_small = below_threshold(count["persons"], count["cases"], count["complement"], **minimum)
    rest = below_threshold(count["rest_persons"], count["rest_cases"], count["rest_complement"], **minimum)
    return is_small, rest


def _drowned(printed: pd.DataFrame, publication: Publication) -> Mask:
    """Return the rows whose value the noise would drown, and those with too few effective contributors."""
    noise = publication.noise
    relative, concentration = (
        printed[name].to_numpy(dtype=float) if name in printed else np.zeros(len(printed)) for name in NOISE
    )
    drowned: Mask = (relative > noise.relative_limit) | (concentration * noise.effective_contributors > 1)
    return drowned


def _whole_group(rows: pd.DataFrame, count: dict[str, Floats], threshold: Threshold, method: str) -> Mask:
    """Return the shares from which a reader knows the trait of nearly everybody in the group."""
    if threshold.group_share is None or method != "proportion":
        return np.zeros(len(rows), dtype=bool)
    whole: Mask = count["numerator"] >= threshold.group_share * count["denominator"]
    return whole


def _withheld_country(safe: Columns, is_small: Mask) -> Mask:
    """Return the rows of which the country's own row is withheld: region plus rest would give the country."""
    of_country: Mask = is_small & (safe["region_type"] == "nl")
    if not of_country.any():
        return of_country
    keys = pd.MultiIndex.from_arrays([safe[name] for name in ("period", "sex", "age_group", "segment_type", "segment")])
    withheld: Mask = keys.isin(keys[of_country])
    return withheld


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
