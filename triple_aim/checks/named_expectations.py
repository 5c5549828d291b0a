"""Expectations of our own, registered with Great Expectations when this module is imported: additivity and change.

Not here: what Great Expectations expects by itself (the suites name its types). These two run when a release is built
and never ship: whoever validates a release needs Great Expectations alone. Their results hold counts, by group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.expectations.row_conditions import RowConditionType
from numpy.typing import NDArray

from triple_aim.vocabulary import ALL

#: A sum of parts may differ from its total by this part of it, for both are sums of doubles.
SLACK = 1e-6
#: How many were checked and how many were unexpected, by group.
Counts = dict[str, tuple[int, int]]


def parts_off(
    table: pd.DataFrame, column: str, dimension: str, within: Sequence[str], others: Sequence[str], by: str
) -> Counts:
    """Totals whose parts do not add up, of those that have parts.

    Parts are the rows whose ``dimension`` is not ``all``, a total the row where it is; both have ``all`` in ``others``.
    They belong together where they agree in ``within``. Parts without a number are left out.
    """
    group = table.groupby(list(within), dropna=False).ngroup().to_numpy()
    groups = int(group.max(initial=-1)) + 1
    amount = table[column].to_numpy(dtype=float)
    is_all = table[dimension].eq(ALL).to_numpy()
    plain = np.logical_and.reduce([table[name].eq(ALL).to_numpy() for name in others])
    total = np.full(groups, np.nan)
    # Backwards, so that the first of two equal rows counts; that there are two is for the uniqueness to report.
    totals = np.flatnonzero(plain & is_all)[::-1]
    total[group[totals]] = amount[totals]
    has_total = np.zeros(groups, dtype=bool)
    has_total[group[totals]] = True
    part = np.flatnonzero(plain & ~is_all)
    has_parts = np.bincount(group[part], minlength=groups) > 0
    part = part[~np.isnan(amount[part])]
    known = np.bincount(group[part], minlength=groups) > 0
    gap = np.abs(np.bincount(group[part], weights=amount[part], minlength=groups) - total)
    off = known & (gap > SLACK * np.maximum(np.abs(total), 1))
    first = pd.Series(table[by].to_numpy()).groupby(group).first()
    return _by_group(first.to_numpy(), has_parts & has_total, off)


def changes_beyond(
    table: pd.DataFrame,
    column: str,
    period: str,
    series: Sequence[str],
    by: str,
    limits: Mapping[str, float],
    breaks: Mapping[str, Sequence[int]],
) -> Counts:
    """Values that differ from those of the period before by more than a factor 1 + the limit of their group.

    ``breaks`` are the periods, by group, in which a new series begins that is not compared with the one before.
    """
    if table.empty:
        return {}
    of = table[by].to_numpy()
    when, value = table[period].to_numpy(dtype=int), table[column].to_numpy(dtype=float)
    line = table.groupby(list(series), dropna=False).ngroup().to_numpy()
    since = when - when.min()
    before = np.full((int(line.max()) + 1, int(since.max()) + 2), np.nan)
    before[line, since + 1] = value  # by the period in which it is the one before
    most = pd.Series(of).map(dict(limits)).to_numpy(dtype=float)
    new_series = {(group, year) for group, years in breaks.items() for year in years}
    known = np.array([pair in new_series for pair in zip(of, when, strict=True)], dtype=bool)
    # On the scale of ratios, so that a fall to nearly nothing is seen as well as a rise.
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.abs(np.log(value / before[line, since])) > np.log1p(most)
    follows = ~np.isnan(value) & ~np.isnan(before[line, since])
    return _by_group(of, follows, follows & beyond & ~known)


def _by_group(of: NDArray[Any], checked: NDArray[np.bool_], unexpected: NDArray[np.bool_]) -> Counts:
    code, names = pd.factorize(of, sort=True)
    sums = (np.bincount(code[mask], minlength=len(names)).tolist() for mask in (checked, unexpected))
    return {str(name): counts for name, counts in zip(names, zip(*sums, strict=True), strict=True)}


class PartsOff(TableMetricProvider):  # type: ignore[misc]
    """The metric behind :class:`ExpectPartsToAddUp`."""

    metric_name = "table.parts_off"
    value_keys = ("column", "dimension", "within", "others", "by")

    @metric_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(
        cls,
        execution_engine: Any,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> Counts:
        table, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        return parts_off(table, **metric_value_kwargs)


class ChangesBeyond(TableMetricProvider):  # type: ignore[misc]
    """The metric behind :class:`ExpectYearlyChangeToBeAtMost`."""

    metric_name = "table.changes_beyond"
    value_keys = ("column", "period", "series", "by", "limits", "breaks")

    @metric_value(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(
        cls,
        execution_engine: Any,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> Counts:
        table, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        return changes_beyond(table, **metric_value_kwargs)


class _CountsByGroup(BatchExpectation):  # type: ignore[misc]
    """An expectation whose one metric counts by group; the result is those counts and nothing of a row."""

    row_condition: RowConditionType = None
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id", "row_condition")

    @classmethod
    def is_abstract(cls) -> bool:
        return not cls.metric_dependencies

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        counts: Counts = metrics[self.metric_dependencies[0]]
        unexpected = sum(off for _, off in counts.values())
        return {
            "success": unexpected == 0,
            "result": {
                "element_count": sum(checked for checked, _ in counts.values()),
                "unexpected_count": unexpected,
                "by_group": {name: list(pair) for name, pair in counts.items()},
            },
        }


class ExpectPartsToAddUp(_CountsByGroup):
    """Expect the parts of a dimension to add up to their total, in every group of rows that agree in ``within``."""

    column: str
    dimension: str
    within: list[str]
    others: list[str]
    by: str

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.parts_off",)
    success_keys: ClassVar[tuple[str, ...]] = ("column", "dimension", "within", "others", "by")


class ExpectYearlyChangeToBeAtMost(_CountsByGroup):
    """Expect a value not to differ from that of the year before by more than the limit of its group."""

    column: str
    period: str
    series: list[str]
    by: str
    limits: dict[str, float]
    breaks: dict[str, list[int]]

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.changes_beyond",)
    success_keys: ClassVar[tuple[str, ...]] = ("column", "period", "series", "by", "limits", "breaks")
