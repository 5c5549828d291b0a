"""Rules that are counted, not validated: deliveries, the ledger, tables of persons, municipalities and regions.

Not here: tables from the cube up (the suites). Rows of persons never reach Great Expectations; the engine counts them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from triple_aim.checks.verdicts import Verdict
from triple_aim.cubes import parts_that_differ
from triple_aim.definitions import Regions
from triple_aim.indicators import Geography
from triple_aim.warehouse import Query, Warehouse, qualified, quoted

CENT = 0.005
NAMED = 3
#: What the name of a column ends in that cannot be negative. Euros can: a credit line is an amount below zero.
NEVER_NEGATIVE = ("_count", "_sumsq", "_years")


def extract_verdicts(extract: str, rows: int, set_aside: int) -> list[Verdict]:
    """No row of an accepted delivery is set aside; a delivery beyond its tolerance was refused before."""
    subject = f"stg/{extract}"
    return [Verdict(f"{subject}:set_aside", subject, "no row is set aside", "warning", rows + set_aside, set_aside)]


def delivery_verdicts(files: int, unclaimed: Sequence[str]) -> list[Verdict]:
    """Every delivered file is claimed by a contract; a file that no contract claims is not read."""
    note = ascii(", ".join(unclaimed[:NAMED])) + (" and more" if len(unclaimed) > NAMED else "") if unclaimed else ""
    words = "every delivered file is claimed by a contract"
    return [Verdict("deliveries:claimed", "mart/reconciliation", words, "warning", files, len(unclaimed), note)]


def ledger_verdicts(reconciliation: pd.DataFrame) -> list[Verdict]:
    """Per extract: delivered = staged + set aside, and staged = in the cube + excluded; rows and euros, to the cent."""
    verdicts = []
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
        for name, total, parts in sides:
            for measure, unit, slack in (("row_count", "rows", 0.5), ("amount_eur", "euros", CENT)):
                gap = column(measure, total) - sum((column(measure, part) for part in parts), start=0.0)
                verdicts.append(
                    Verdict(
                        f"ledger/{extract}:{unit}_{name}",
                        "mart/reconciliation",
                        f"{unit}: {total} = {' + '.join(parts)}, in every period",
                        "critical",
                        len(sums),
                        int((gap.abs() > slack).sum()),
                    )
                )
    return verdicts


def person_verdicts(warehouse: Warehouse, query: Query) -> list[Verdict]:
    """A table of persons has one row per grain and no negative count; the engine counts, and no row leaves it."""
    subject, table = query.table.replace(".", "/"), qualified(query.table)
    negative = " or ".join(f"{quoted(column)} < 0" for column in never_negative(query)) or "false"
    rows, below = warehouse.rows(f"select count(*), count(*) filter (where {negative}) from {table}")[0]
    if query.one_row_per:  # to compare all rows of the largest tables would cost more than to make them
        words, off = f"one row each of {query.one_row_per}", abs(rows - _source_rows(warehouse, query))
    else:
        grain = ", ".join(quoted(column) for column in query.grain)
        words = f"one row per {', '.join(query.grain)}"
        off = rows - warehouse.value(f"select count(*) from (select distinct {grain} from {table})")
    return [
        Verdict(f"{subject}:grain", subject, words, "critical", rows, off),
        Verdict(f"{subject}:not_negative", subject, "no count or person-time is negative", "critical", rows, below),
    ]


def part_verdicts(warehouse: Warehouse, query: Query) -> list[Verdict]:
    """The sums of a cube that splits those of another cube add up to them, in every cell."""
    if not query.part_of:
        return []
    subject = query.table.replace(".", "/")
    words = f"{query.total} by {query.axis} adds up to that of cube {query.part_of}, in every cell"
    return [Verdict(f"{subject}:parts", subject, words, "critical", *parts_that_differ(warehouse, query))]


def never_negative(query: Query) -> list[str]:
    """The columns of a cube or a table of persons that cannot be negative."""
    return [column for column in query.columns if column.endswith(NEVER_NEGATIVE)]


def _source_rows(warehouse: Warehouse, query: Query) -> int:
    """How many rows the source table has in the periods that were built, each of which makes one row."""
    built = [period for (period,) in warehouse.rows(f"select distinct period from {qualified(query.table)}")]
    # Not a join of both tables: the engine would hold the larger one.
    counted = f"select count(*) from {qualified(query.one_row_per)} where list_contains(?, period)"
    return int(warehouse.value(counted, [built]))


def municipality_verdicts(query: Query, place: Geography) -> list[Verdict]:
    """The municipalities of a cube are in the classifications; what is not is left out of every region."""
    subject, codes = query.table.replace(".", "/"), place.shares.shape[1]
    verdicts = []
    for name, words, lost in (
        ("known", "municipalities are known", place.unknown),
        ("resolved", "split municipalities have delivered shares", place.unresolved),
    ):
        note = f"left out of every region: {', '.join(lost)}" if lost else ""
        verdicts.append(Verdict(f"{subject}:municipalities_{name}", subject, words, "warning", codes, len(lost), note))
    return verdicts


def region_verdicts(regions: Regions) -> list[Verdict]:
    """A classification that should cover the country holds every municipality exactly once."""
    problems = regions.problems()
    return [
        Verdict(
            "regions:partition",
            "safe/dictionary",
            "every classification of the country is a partition of its municipalities",
            "critical",
            len(regions.types),
            len(problems),
            "; ".join(problems[:NAMED]),
        )
    ]
