"""What is expected behind the disclosure gate, ``safe.*``: withheld rows show no number, and no row is lost.

Not here: what is withheld (``disclosure``, which has an audit of its own) or the marts (``mart_suite``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triple_aim.checks.suites import (
    WITHHELD,
    TableExpectation,
    complete_key,
    empty_in_key,
    in_range,
    in_set,
    not_null,
    null,
    row_count,
    some_rows,
    unique,
)
from triple_aim.checks.validation import table_verdicts
from triple_aim.checks.verdicts import Verdict
from triple_aim.definitions import Spec
from triple_aim.vocabulary import STATUSES
from triple_aim.warehouse import Warehouse, quoted

VALUES_GRAIN = [
    "indicator_id", "source", "region_type", "region_code", "period", "sex", "age_group", "segment_type", "segment",
]  # fmt: skip
NUMBERS = [
    "value", "lower", "upper", "numerator", "denominator", "comparator_value", "comparator_lower", "comparator_upper",
]  # fmt: skip
ANY_NUMBER = "any_number"
STAGES = ("delivered", "set_aside", "staged", "in_cube", "excluded")
LEDGER_GRAIN = ["extract", "period", "supplier", "stage", "reason"]


def gate_verdicts(warehouse: Warehouse, specs: Mapping[str, Spec]) -> list[Verdict]:
    """Every row of an indicator is behind the gate once, has a status, and shows no number when it is withheld."""
    counts = [f"select count(*) as rows from ind.{quoted(name)}" for name in specs]
    rows = int(warehouse.value(f"select coalesce(sum(rows), 0) from ({' union all '.join(counts)})")) if counts else 0
    columns = ", ".join([*VALUES_GRAIN, "status", "reason"])
    table = warehouse.frame(
        f"""select {columns}, {empty_in_key(VALUES_GRAIN)}, coalesce({", ".join(NUMBERS)}) as {ANY_NUMBER}
            from safe.indicator_values"""
    )
    return table_verdicts("safe/indicator_values", table, gate_suite(rows))


def gate_suite(rows: int) -> list[TableExpectation]:
    """The expectations of ``safe.indicator_values``, which holds this many rows of indicators."""
    words = "withheld rows show no value, limit, numerator, denominator or comparator"
    return [
        row_count(rows, "every row of the indicators is behind the gate, withheld or not"),
        unique(VALUES_GRAIN),
        complete_key("no column of the grain is empty"),
        in_set("status", STATUSES, "every row has a status of the list", check="status"),
        not_null("status", "every row has a status of the list", check="status"),
        null(ANY_NUMBER, words, where=WITHHELD, check="withheld"),
        TableExpectation(
            "reason",
            "expect_column_value_lengths_to_be_between",
            "a withheld row says why",
            arguments={"column": "reason", "min_value": 1},
            where=WITHHELD,
        ),
    ]


def reconciliation_verdicts(warehouse: Warehouse) -> list[Verdict]:
    """The ledger has one row per grain, known stages and no negative count."""
    columns = f"{', '.join(LEDGER_GRAIN)}, {empty_in_key(LEDGER_GRAIN)}, row_count"
    table = warehouse.frame(f"select {columns} from safe.reconciliation")
    return table_verdicts("safe/reconciliation", table, reconciliation_suite())


def reconciliation_suite() -> list[TableExpectation]:
    return [
        unique(LEDGER_GRAIN),
        complete_key("no column of the grain is empty"),
        in_set("stage", STAGES, "every stage is one of the ledger"),
        in_range("row_count", 0, None, "no count of rows is negative"),
    ]


def dictionary_verdicts(warehouse: Warehouse, specs: Mapping[str, Spec]) -> list[Verdict]:
    """The dictionary has one row an indicator, every headline is an indicator, and every region is there once."""
    subject = "safe/dictionary"
    return [
        verdict
        for table, suite in dictionary_suites(list(specs)).items()
        for verdict in table_verdicts(subject, warehouse.frame(f"select * from safe.{table}"), suite)
    ]


def dictionary_suites(indicators: Sequence[str]) -> dict[str, list[TableExpectation]]:
    """The expectations of the three tables of the dictionary, by the name of the table."""
    return {
        "indicators": [
            row_count(len(indicators), "the dictionary has one row an indicator"),
            in_set("indicator_id", indicators, "every row of the dictionary is an indicator", check="indicators"),
            unique(["indicator_id"], id="indicators_grain"),
        ],
        "headlines": [
            in_set("indicator_id", indicators, "every headline is an indicator", check="headlines"),
        ],
        "regions": [
            some_rows(),
            unique(["region_type", "region_code"], id="regions_grain"),
            in_range("municipality_count", 1, None, "every region holds a municipality"),
        ],
    }
