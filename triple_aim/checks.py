"""What must hold, judged by Great Expectations: contracts, ledger, cubes, indicators and marts.

Not here: what to do about a failure (the assets block on it). Every rule is first counted over sums and aggregates;
Great Expectations judges the profile of those counts, so no value of a row can reach a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args

import numpy as np
import pandas as pd

from triple_aim.contracts import Mart
from triple_aim.queries import Query
from triple_aim.regions import Regions
from triple_aim.rollup import Geography
from triple_aim.rows import TOO_FEW
from triple_aim.specs import Spec
from triple_aim.vocabulary import ALL, SHOWN, Severity, Status
from triple_aim.warehouse import Warehouse, qualified, quoted

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
    """A cube or person table has one row per grain and no negative count; a cube, only municipalities we know."""
    subject, table = query.table.replace(".", "/"), qualified(query.table)
    counted = [column for column in query.columns if column.endswith(("_count", "_sumsq", "_years"))]
    negative = " or ".join(f"{quoted(column)} < 0" for column in counted) or "false"
    rows, below = warehouse.rows(f"select count(*), count(*) filter (where {negative}) from {table}")[0]
    if query.one_each_of:  # to look at every row of the largest tables for its like would cost more than to make them
        told, off = f"one row each of {query.one_each_of}", abs(rows - _rows_behind(warehouse, query))
    else:
        grain = ", ".join(quoted(column) for column in query.grain)
        told = f"one row per {', '.join(query.grain)}"
        off = rows - warehouse.value(f"select count(*) from (select distinct {grain} from {table})")
    counts = [
        Count(f"{subject}:grain", subject, told, "critical", rows, off),
        Count(f"{subject}:not_negative", subject, "no count or person-time is negative", "critical", rows, below),
    ]
    if place is not None:
        codes = place.shares.shape[1]
        for name, lost in (("known", place.unknown), ("resolved", place.unresolved)):
            told = f"municipalities are {name}" if name == "known" else "split municipalities have delivered shares"
            note = f"left out of every region: {', '.join(lost)}" if lost else ""
            counts.append(Count(f"{subject}:municipalities_{name}", subject, told, "warning", codes, len(lost), note))
    return counts


def _rows_behind(warehouse: Warehouse, query: Query) -> int:
    """How many rows the table has, of which every row should make one, in the periods that were made."""
    made = f"select distinct period from {qualified(query.table)}"
    return int(warehouse.value(f"select count(*) from {qualified(query.one_each_of)} where period in ({made})"))


def indicator_counts(spec: Spec, rows: pd.DataFrame) -> list[Count]:
    """Range, coverage, change, interval, status, uniqueness and additivity of one indicator."""
    subject = f"ind/{spec.id}"
    if rows.empty:
        return [
            Count(f"{subject}:has_rows", subject, "at least one source was delivered", "warning", 0, 0, "no source")
        ]
    shown = rows[rows["status"].isin(SHOWN)]
    expect = spec.expect

    def count(name: str, told: str, severity: Severity, checked: int, bad: pd.Series[bool] | int) -> Count:
        return Count(
            f"{subject}:{name}", subject, told, severity, checked, int(bad if isinstance(bad, int) else bad.sum())
        )

    totals = shown[shown["segment"] == ALL]
    low, high = expect.range.min, expect.range.max
    outside = totals["value"].lt(-np.inf if low is None else low) | totals["value"].gt(np.inf if high is None else high)
    beside = (shown["value"] < shown["lower"] - 1e-9) | (shown["value"] > shown["upper"] + 1e-9)
    counts = [
        count(
            "unique", f"one row per {', '.join(INDICATOR_KEY)}", "critical", len(rows), rows.duplicated(INDICATOR_KEY)
        ),
        count("status", "every row has a status of the list", "critical", len(rows), ~rows["status"].isin(STATUSES)),
        count("value_when_published", "a published row has a value", "critical", len(shown), shown["value"].isna()),
        count("interval_holds_value", "the interval holds the value", "critical", len(shown), beside),
        count("finite", "values are finite", "critical", len(shown), np.isinf(shown["value"])),
        count("range", f"the total lies from {low} to {high}", expect.range.severity, len(totals), outside),
    ]
    least = expect.coverage.min
    if least is not None:
        thin = rows["reason"].str.startswith(TOO_FEW)
        counts.append(
            count("coverage", f"at least {least:.0%} was delivered", expect.coverage.severity, len(rows), thin)
        )
    if expect.change is not None and expect.change.max is not None:
        broken = [item.from_ for item in spec.breaks if not item.comparable]
        key = [name for name in INDICATOR_KEY if name != "period"]
        previous = totals.assign(period=totals["period"] + 1).set_index([*key, "period"])["value"]
        both = totals.set_index([*key, "period"])["value"].to_frame("now").join(previous.rename("before"), how="inner")
        # On the scale of ratios, so that a fall to nearly nothing is seen as well as a rise.
        with np.errstate(divide="ignore", invalid="ignore"):
            jump = np.log(both["now"] / both["before"]).abs().gt(np.log1p(expect.change.max))
        jump &= ~both.index.get_level_values("period").isin(broken)
        counts.append(
            count(
                "change",
                f"no change by a factor over {1 + expect.change.max:g} in a year",
                expect.change.severity,
                len(both),
                jump,
            )
        )
    counts += _parts_add_up(spec, rows, subject)
    return counts


def _parts_add_up(spec: Spec, rows: pd.DataFrame, subject: str) -> Iterable[Count]:
    """Numerators of men and women, and of every age group, add up to that of the total."""
    key = ["source", "region_type", "region_code", "period"]
    plain = rows[rows["segment"] == ALL]
    total = plain[(plain["sex"] == ALL) & (plain["age_group"] == ALL)].set_index(key)["numerator"]
    total = total[~total.index.duplicated()]  # that a row stands twice is for the check of uniqueness to tell
    for dimension, other in (("sex", "age_group"), ("age_group", "sex")):
        split = plain[(plain[dimension] != ALL) & (plain[other] == ALL)]
        if dimension not in spec.breakdowns or split.empty or total.empty:
            continue
        parts = split.groupby(key)["numerator"].sum(min_count=1)
        gap = (parts - total.reindex(parts.index)).abs()
        off = gap > 1e-6 * total.reindex(parts.index).abs().clip(lower=1)
        told = f"numerators by {dimension} add up to the total"
        yield Count(f"{subject}:parts_by_{dimension}", subject, told, "critical", len(parts), int(off.sum()))


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
