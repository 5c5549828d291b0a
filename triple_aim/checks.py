"""What must hold, judged by Great Expectations: contracts, ledger, cubes, indicators and marts.

Not here: what to do about a failure (the assets block on it). Every rule is first counted over sums and aggregates;
Great Expectations judges the profile of those counts, so no value of a row can reach a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.cubes import parts_that_differ
from triple_aim.definitions import Mart, Regions, Spec
from triple_aim.indicators import TOO_FEW, Geography, Mask
from triple_aim.vocabulary import ALL, SHOWN, Severity, Status
from triple_aim.warehouse import Query, Warehouse, qualified, quoted

Ints = NDArray[np.intp]

STATUSES = get_args(Status)
CENT = 0.005
FEW = 3
CHECK, COUNT = "check_id", "unexpected"
INDICATOR_KEY = ["source", "region_type", "region_code", "period", "sex", "age_group", "segment_type", "segment"]


@dataclass(frozen=True)
class Count:
    """One rule, counted: how many were looked at and how many were not as expected."""

    check_id: str
    subject: str
    expectation: str
    severity: Severity
    checked: int
    unexpected: int
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """A count and what Great Expectations makes of it."""

    count: Count
    is_passed: bool


def judge(counts: Sequence[Count]) -> list[Verdict]:
    """Validate a profile with one row a check against a suite that expects every count of the unexpected to be 0."""
    if not counts:
        return []
    import great_expectations as gx
    from great_expectations import expectations as gxe

    profile = pd.DataFrame({CHECK: [c.check_id for c in counts], COUNT: [float(c.unexpected) for c in counts]})
    # What is not there is in every set; it must be refused by name.
    expected = [
        gxe.ExpectColumnValuesToNotBeNull(column=COUNT),
        gxe.ExpectColumnValuesToBeInSet(column=COUNT, value_set=[0]),
    ]
    suite = gx.ExpectationSuite(name="counts", expectations=expected)
    told = {"result_format": "COMPLETE", "partial_unexpected_count": 0, "unexpected_index_column_names": [CHECK]}
    result = _profiles().get_batch({"dataframe": profile}).validate(suite, result_format=told)
    refused = {row[CHECK] for r in result.results for row in r.result.get("unexpected_index_list") or []}
    unheard = not result.success and not refused  # an expectation that could not be judged holds for nothing
    return [Verdict(count, count.check_id not in refused and not unheard) for count in counts]


@lru_cache(maxsize=1)
def _profiles() -> Any:
    """Where Great Expectations finds a profile; made once a process, for making it costs more than judging does."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("profiles").add_dataframe_asset("profile")
    return asset.add_batch_definition_whole_dataframe("whole")


def extract_counts(extract: str, rows: int, set_aside: int) -> list[Count]:
    """A delivery beyond its tolerance was refused already; what was set aside within it is a warning."""
    subject = f"stg/{extract}"
    return [Count(f"{subject}:set_aside", subject, "no row is set aside", "warning", rows + set_aside, set_aside)]


def delivery_counts(files: int, unclaimed: Sequence[str]) -> list[Count]:
    """A file that no contract claims is not read, which its supplier should hear."""
    note = ascii(", ".join(unclaimed[:FEW])) + (" and more" if len(unclaimed) > FEW else "") if unclaimed else ""
    subject = "mart/reconciliation"
    told = "every delivered file is claimed by a contract"
    return [Count("deliveries:claimed", subject, told, "warning", files, len(unclaimed), note)]


def ledger_counts(reconciliation: pd.DataFrame) -> list[Count]:
    """Per extract: delivered = staged + set aside, and staged = in the cube + excluded; rows and euros, to the cent."""
    counts = []
    for extract, ledger in reconciliation.groupby("extract"):
        sums = ledger.assign(amount_eur=ledger["amount_eur"].astype(float)).pivot_table(
            index="period", columns="stage", values=["row_count", "amount_eur"], aggfunc="sum", fill_value=0.0
        )
        stages = set(ledger["stage"])

        def column(measure: str, stage: str, sums: pd.DataFrame = sums) -> pd.Series[float]:
            return sums[(measure, stage)] if (measure, stage) in sums else pd.Series(0.0, index=sums.index)

        sides = [("staged", "delivered", ["staged", "set_aside"])]
        if stages & {"in_cube", "excluded"}:
            sides.append(("counted", "staged", ["in_cube", "excluded"]))
        for name, whole, parts in sides:
            for measure, unit, slack in (("row_count", "rows", 0.5), ("amount_eur", "euros", CENT)):
                gap = column(measure, whole) - sum((column(measure, part) for part in parts), start=0.0)
                counts.append(
                    Count(
                        f"ledger/{extract}:{unit}_{name}",
                        "mart/reconciliation",
                        f"{unit}: {whole} = {' + '.join(parts)}, in every period",
                        "critical",
                        len(sums),
                        int((gap.abs() > slack).sum()),
                    )
                )
    return counts


def cube_counts(warehouse: Warehouse, query: Query, place: Geography | None) -> list[Count]:
    """A cube or person table has one row per grain and no negative count; a cube, only municipalities we know.

    The parts that a cube holds of the sums of another add up to them.
    """
    subject, table = query.table.replace(".", "/"), qualified(query.table)
    counted = [column for column in query.columns if column.endswith(("_count", "_sumsq", "_years"))]
    negative = " or ".join(f"{quoted(column)} < 0" for column in counted) or "false"
    rows, below = warehouse.rows(f"select count(*), count(*) filter (where {negative}) from {table}")[0]
    if query.one_row_per:  # to look at every row of the largest tables for its like would cost more than to make them
        told, off = f"one row each of {query.one_row_per}", abs(rows - _rows_behind(warehouse, query))
    else:
        grain = ", ".join(quoted(column) for column in query.grain)
        told = f"one row per {', '.join(query.grain)}"
        off = rows - warehouse.value(f"select count(*) from (select distinct {grain} from {table})")
    counts = [
        Count(f"{subject}:grain", subject, told, "critical", rows, off),
        Count(f"{subject}:not_negative", subject, "no count or person-time is negative", "critical", rows, below),
    ]
    if query.part_of:
        told = f"{query.total} by {query.axis} adds up to that of cube {query.part_of}, in every cell"
        counts.append(Count(f"{subject}:parts", subject, told, "critical", *parts_that_differ(warehouse, query)))
    if place is not None:
        codes = place.shares.shape[1]
        for name, lost in (("known", place.unknown), ("resolved", place.unresolved)):
            told = f"municipalities are {name}" if name == "known" else "split municipalities have delivered shares"
            note = f"left out of every region: {', '.join(lost)}" if lost else ""
            counts.append(Count(f"{subject}:municipalities_{name}", subject, told, "warning", codes, len(lost), note))
    return counts


def _rows_behind(warehouse: Warehouse, query: Query) -> int:
    """How many rows the table has, of which every row should make one, in the periods that were made."""
    made = [period for (period,) in warehouse.rows(f"select distinct period from {qualified(query.table)}")]
    # Not a join of both tables: the engine would hold the larger one.
    behind = f"select count(*) from {qualified(query.one_row_per)} where list_contains(?, period)"
    return int(warehouse.value(behind, [made]))


@dataclass(frozen=True)
class Tally:
    """One rule, counted for each of several indicators at once."""

    name: str
    told: Callable[[Spec], str]
    severity: Callable[[Spec], Severity]
    applies: Sequence[bool] | Mask  # to which of the indicators
    checked: Ints
    unexpected: Ints


def indicator_counts(specs: Sequence[Spec], rows: pd.DataFrame) -> dict[str, list[Count]]:
    """Range, coverage, change, interval, status, uniqueness and additivity of indicators, by their ids.

    ``rows`` are those of all of them, told apart by ``indicator_id``: to look at all costs little more than at one.
    """
    of = pd.Index([spec.id for spec in specs]).get_indexer(rows["indicator_id"]) if len(rows) else np.empty(0, int)
    there = np.bincount(of, minlength=len(specs)) > 0
    tallies = list(_tallies(specs, of, rows)) if len(rows) else []
    return {
        spec.id: [
            Count(
                f"ind/{spec.id}:{tally.name}",
                f"ind/{spec.id}",
                tally.told(spec),
                tally.severity(spec),
                int(tally.checked[at]),
                int(tally.unexpected[at]),
            )
            for tally in tallies
            if tally.applies[at]
        ]
        if there[at]
        else [_no_source(spec)]
        for at, spec in enumerate(specs)
    }


def _no_source(spec: Spec) -> Count:
    subject = f"ind/{spec.id}"
    return Count(f"{subject}:has_rows", subject, "at least one source was delivered", "warning", 0, 0, "no source")


def _tallies(specs: Sequence[Spec], of: Ints, rows: pd.DataFrame) -> Iterator[Tally]:
    """Every rule about indicators; ``of`` says which one a row belongs to."""
    every, shown = np.ones(len(rows), dtype=bool), rows["status"].isin(SHOWN).to_numpy()
    totals = shown & rows["segment"].eq(ALL).to_numpy()
    value, lower, upper = (rows[name].to_numpy(dtype=float) for name in ("value", "lower", "upper"))

    def tally(
        name: str,
        told: Callable[[Spec], str],
        looked_at: Mask,
        bad: Mask,
        severity: Callable[[Spec], Severity] = lambda spec: "critical",
        applies: Callable[[Spec], bool] = lambda spec: True,
    ) -> Tally:
        checked, unexpected = (np.bincount(of[mask], minlength=len(specs)) for mask in (looked_at, looked_at & bad))
        return Tally(name, told, severity, [applies(spec) for spec in specs], checked, unexpected)

    key = f"one row per {', '.join(INDICATOR_KEY)}"
    yield tally("unique", lambda spec: key, every, rows.duplicated(["indicator_id", *INDICATOR_KEY]).to_numpy())
    unknown = ~rows["status"].isin(STATUSES).to_numpy()
    yield tally("status", lambda spec: "every row has a status of the list", every, unknown)
    yield tally("value_when_published", lambda spec: "a published row has a value", shown, np.isnan(value))
    beside = (value < lower - 1e-9) | (value > upper + 1e-9)
    yield tally("interval_holds_value", lambda spec: "the interval holds the value", shown, beside)
    yield tally("finite", lambda spec: "values are finite", shown, np.isinf(value))
    ranges = [spec.expect.range for spec in specs]
    low = np.array([-np.inf if limits.min is None else limits.min for limits in ranges])[of]
    high = np.array([np.inf if limits.max is None else limits.max for limits in ranges])[of]
    yield tally(
        "range",
        lambda spec: f"the total lies from {spec.expect.range.min} to {spec.expect.range.max}",
        totals,
        (value < low) | (value > high),
        lambda spec: spec.expect.range.severity,
    )
    yield tally(
        "coverage",
        lambda spec: f"at least {spec.expect.coverage.min:.0%} was delivered",
        every,
        rows["reason"].str.startswith(TOO_FEW).to_numpy(dtype=bool),
        lambda spec: spec.expect.coverage.severity,
        lambda spec: spec.expect.coverage.min is not None,
    )
    follows, jumps = _changes(specs, of, rows, totals)
    yield tally(
        "change",
        lambda spec: f"no change by a factor over {1 + _most(spec):g} in a year",
        follows,
        jumps,
        lambda spec: spec.expect.change.severity if spec.expect.change else "warning",
        lambda spec: np.isfinite(_most(spec)),
    )
    yield from _parts_add_up(specs, of, rows)


def _most(spec: Spec) -> float:
    """The largest change in a year that is expected; infinite where nothing is."""
    change = spec.expect.change
    return np.inf if change is None or change.max is None else change.max


def _changes(specs: Sequence[Spec], of: Ints, rows: pd.DataFrame, totals: Mask) -> tuple[Mask, Mask]:
    """Which totals follow one of the year before, and which differ from it by more than their indicator expects."""
    series = rows.groupby(["indicator_id", *(name for name in INDICATOR_KEY if name != "period")]).ngroup().to_numpy()
    value, when = rows["value"].to_numpy(dtype=float), rows["period"].to_numpy(dtype=int)
    since = when - when.min()
    there = np.zeros((series.max() + 1, since.max() + 2), dtype=bool)  # by the year in which a value is the one before
    before = np.full(there.shape, np.nan)
    at = series[totals], since[totals] + 1
    there[at], before[at] = True, value[totals]
    most = np.array([_most(spec) for spec in specs])
    broken = [(number, item.from_) for number, spec in enumerate(specs) for item in spec.breaks if not item.comparable]
    known = pd.MultiIndex.from_arrays([of, when]).isin(broken) if broken else np.zeros(len(rows), dtype=bool)
    # On the scale of ratios, so that a fall to nearly nothing is seen as well as a rise.
    with np.errstate(divide="ignore", invalid="ignore"):
        jumps = np.abs(np.log(value / before[series, since])) > np.log1p(most[of])
    return totals & there[series, since], jumps & ~known


def _parts_add_up(specs: Sequence[Spec], of: Ints, rows: pd.DataFrame) -> Iterator[Tally]:
    """Numerators of men and women, and of every age group, add up to that of the total."""
    group = rows.groupby(["indicator_id", "source", "region_type", "region_code", "period"]).ngroup().to_numpy()
    indicator = np.empty(group.max() + 1, dtype=int)
    indicator[group] = of
    numerator, plain = rows["numerator"].to_numpy(dtype=float), rows["segment"].eq(ALL).to_numpy()
    whole = {name: rows[name].eq(ALL).to_numpy() for name in ("sex", "age_group")}
    total = np.full(len(indicator), np.nan)
    # Backwards, so that the first stays; that a row stands twice is for the check of uniqueness to tell.
    totals = np.flatnonzero(plain & whole["sex"] & whole["age_group"])[::-1]
    total[group[totals]] = numerator[totals]
    has_total = np.bincount(of[totals], minlength=len(specs)) > 0
    for dimension, other in (("sex", "age_group"), ("age_group", "sex")):
        part = np.flatnonzero(plain & ~whole[dimension] & whole[other])
        divided = np.bincount(group[part], minlength=len(total)) > 0
        part = part[~np.isnan(numerator[part])]  # without any, there is nothing to compare
        known = np.bincount(group[part], minlength=len(total)) > 0
        gap = np.abs(np.bincount(group[part], weights=numerator[part], minlength=len(total)) - total)
        off = known & (gap > 1e-6 * np.maximum(np.abs(total), 1))
        checked, unexpected = (np.bincount(indicator[mask], minlength=len(specs)) for mask in (divided, off))
        asked = np.array([dimension in spec.breakdowns for spec in specs])
        told = f"numerators by {dimension} add up to the total"
        yield Tally(
            f"parts_by_{dimension}",
            lambda spec, told=told: told,  # type: ignore[misc]
            lambda spec: "critical",
            asked & has_total & (checked > 0),
            checked,
            unexpected,
        )


def region_counts(regions: Regions) -> list[Count]:
    """A classification that should cover the country holds every municipality exactly once."""
    problems = regions.problems()
    return [
        Count(
            "regions:partition",
            "safe/dictionary",
            "every classification of the country is a partition of its municipalities",
            "critical",
            len(regions.types),
            len(problems),
            "; ".join(problems[:3]),
        )
    ]


def mart_counts(warehouse: Warehouse, mart: Mart, has_rows: bool) -> list[Count]:
    """A mart has its promised grain, and holds something."""
    subject = f"mart/{mart.name}"
    grain = ", ".join(quoted(column) for column in mart.grain)
    rows, distinct = warehouse.rows(
        f"select count(*), (select count(*) from (select distinct {grain} from {qualified('mart.' + mart.name)})) "
        f"from {qualified('mart.' + mart.name)}"
    )[0]
    counts = [
        Count(f"{subject}:grain", subject, f"one row per {', '.join(mart.grain)}", "critical", rows, rows - distinct)
    ]
    if has_rows:
        counts.append(Count(f"{subject}:has_rows", subject, "the mart is not empty", "critical", 1, int(rows == 0)))
    return counts


def as_frame(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Verdicts as rows of the mart ``checks``."""
    columns: dict[str, Callable[[Verdict], object]] = {
        "check_id": lambda v: v.count.check_id,
        "subject": lambda v: v.count.subject,
        "expectation": lambda v: v.count.expectation,
        "severity": lambda v: v.count.severity,
        "is_passed": lambda v: v.is_passed,
        "checked_count": lambda v: v.count.checked,
        "unexpected_count": lambda v: v.count.unexpected,
        "note": lambda v: v.count.note,
    }
    told = list(verdicts)
    return pd.DataFrame({name: [take(verdict) for verdict in told] for name, take in columns.items()})
