"""stg → person → cube, and the cube as dense arrays of sums: the waist of the hourglass.

Not here: regions (``regions``) and statistics (``indicators``). Nothing above this module reads a person-level row, be
it of ``stg`` or of ``person``.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.contracts import Contract
from triple_aim.merging import COUNTED, META, merge, merged_periods
from triple_aim.queries import Query, of_some
from triple_aim.vocabulary import ALL, part
from triple_aim.warehouse import Warehouse, qualified, quoted

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]
#: What a column is called says what it is: the same name has the same type in every cube. Sums are exact, so that they
#: are the same whoever adds them in whatever order: nine decimals of a person, eighteen of a product, four of euros.
TYPES = {
    "_count": "BIGINT",
    "_number": "BIGINT",
    "cost_sumsq": "DECIMAL(38,4)",
    "_sum": "DECIMAL(38,18)",
    "_sumsq": "DECIMAL(38,18)",
    "_years": "DECIMAL(38,9)",
    "_eur": "DECIMAL(18,2)",
    "_amount": "DECIMAL(18,2)",  # euros of one person, which do not add up
    "percent": "DOUBLE",
    "period": "INTEGER",
}
MEASURES = ("_count", "_sum", "_sumsq", "_eur", "_years")
AXES = ("period", "municipality_code", "sex", "age_band")
AGE = AXES.index("age_band")
LARGEST_PART = 2_000_000  # persons


class InWarehouse:
    """What runs the SQL of a cube or a person table: the warehouse itself. A cluster beside it does the same."""

    def kind(self, query: Query) -> str:
        """What the table is in the warehouse."""
        return "BASE TABLE"

    def start(self, warehouse: Warehouse, query: Query, typed: str) -> None:
        """Let the table stand without a row; ``typed`` is a select of its columns."""
        warehouse.drop(query.table)
        warehouse.run(f"create table {qualified(query.table)} as {typed}", {"period": 0})

    def replace(
        self, warehouse: Warehouse, query: Query, period: int, content: str | None, made_of: Mapping[str, str]
    ) -> None:
        """Make the rows of one period anew; without content there are none."""
        warehouse.run(f"delete from {qualified(query.table)} where period = ?", [period])
        for statement in _parts(warehouse, query, period) if content else ():
            warehouse.run(f"insert into {qualified(query.table)} by name {statement}", {"period": period})

    def finish(self, warehouse: Warehouse, query: Query, contents: Mapping[int, str]) -> None:
        """Nothing is left to do once every period was made."""

    def name(self) -> str:
        """What a person would call it."""
        return "DuckDB, in this process"


def build_table(
    warehouse: Warehouse, query: Query, periods: Iterable[int], builder: InWarehouse | None = None
) -> list[int]:
    """Rebuild the periods of a cube or a person table for which what it reads, or its SQL, changed; these periods."""
    builder = builder or InWarehouse()
    table, sources = query.table, [*query.sources("stg"), *query.sources("person")]
    there = built(warehouse, table)
    if not _stands(warehouse, query, builder):
        columns = ", ".join(
            f"cast({quoted(name)} as {kind}) as {quoted(name)}" if (kind := column_type(name)) else quoted(name)
            for name in query.columns
        )
        warehouse.run("delete from meta.built where table_name = ?", [table])
        builder.start(warehouse, query, f"select {columns} from ({query.sql}\n) limit 0")
        there = {}
    contents: dict[int, dict[str, str]] = {}
    for period, source, content in warehouse.rows(
        """select period, 'stg.' || extract as source,
               string_agg(delivery || content || supplier, ',' order by supplier) as content
           from meta.staged group by all having list_contains($sources, source)
           union all
           select period, table_name, content from meta.built where list_contains($sources, table_name)
           union all
           select period, contributor, content from meta.contributed where table_name = $table
           order by all""",
        {"sources": sources, "table": table},
    ):
        contents.setdefault(period, {})[source] = content
    reference = {name: _fingerprint(warehouse, name) for name in query.sources("ref")}
    rebuilt = []
    merged = merged_periods(warehouse, table)
    for period in sorted({*periods, *merged}):
        found = contents.get(period, {})
        count = len(found.keys() & set(sources))
        enough = count > 0 if query.any_source else count == len(sources)
        made = hashlib.sha256(f"{query.hash}{found}{reference}".encode()).hexdigest()
        own, content = made if enough else None, made if enough or period in merged else None
        if there.get(period) == content:
            continue
        with warehouse.transaction():
            builder.replace(warehouse, query, period, own, {name: found.get(name, "") for name in sources} | reference)
            if period in merged:
                merge(warehouse, query, period, _measures(query))
            remember(warehouse, table, period, content)
        rebuilt.append(period)
    builder.finish(warehouse, query, built(warehouse, table))
    return rebuilt


def _parts(warehouse: Warehouse, query: Query, period: int) -> list[str]:
    """The statement, or one for each part of the persons where all of them at once would not fit in memory."""
    if not query.in_parts:
        return [query.sql]
    read = [table for table in query.sources("person") if "person_number" in dict(_header(warehouse, table))]
    last = "select coalesce(max(person_number), 0) from {} where period = ?"
    persons = max(int(warehouse.value(last.format(qualified(table)), [period])) for table in read)
    if persons < LARGEST_PART:
        return [query.sql]
    return [of_some(query, read, first, LARGEST_PART) for first in range(0, persons + 1, LARGEST_PART)]


def _header(warehouse: Warehouse, table: str) -> list[tuple[str, str]]:
    return warehouse.header(f"select * from {qualified(table)}")


def built(warehouse: Warehouse, table: str) -> dict[int, str]:
    """What each period of a table was made from, as a hash; a table without periods has it under 0."""
    return all_built(warehouse).get(table, {})


def all_built(warehouse: Warehouse) -> dict[str, dict[int, str]]:
    """The same of every table there is."""
    warehouse.run("create table if not exists meta.built (table_name varchar, period integer, content varchar)")
    warehouse.run(META)
    found: dict[str, dict[int, str]] = {}
    for table, period, content in warehouse.rows("select table_name, period, content from meta.built order by all"):
        found.setdefault(table, {})[period] = content
    return found


def remember(warehouse: Warehouse, table: str, period: int, content: str | None) -> None:
    """Put down what a table was made from, or forget it."""
    warehouse.run("delete from meta.built where table_name = ? and period = ?", [table, period])
    if content:
        warehouse.run("insert into meta.built values (?, ?, ?)", [table, period, content])


def _fingerprint(warehouse: Warehouse, table: str) -> str:
    """What a small table holds, as a hash, whatever the order of its rows."""
    texts = f"select cast(listed as varchar) as line from {qualified(table)} as listed"
    found = f"select md5(string_agg(line, '|' order by line)) from ({texts})"
    return str(warehouse.value(found))


def column_type(name: str) -> str | None:
    """The type that a column has by its name; None for another, which in a cube is a dimension and text."""
    if name.startswith("is_"):
        return None
    return next((kind for end, kind in TYPES.items() if name.endswith(end)), None)


def _stands(warehouse: Warehouse, query: Query, builder: InWarehouse) -> bool:
    """Whether the table stands as its SQL would make it now, and where the builder keeps it; a new one does not."""
    if warehouse.kind(query.table) != builder.kind(query):
        return False
    there = dict(_header(warehouse, query.table))
    return tuple(there) == query.columns and all(column_type(name) in (None, kind) for name, kind in there.items())


def municipality_codes(warehouse: Warehouse, query: Query) -> list[str]:
    """The municipality codes of the counted cells of a cube; none for a cube of published percentages."""
    if "municipality_code" not in query.columns:
        return []
    table = qualified(f"cube.{query.name}")
    found = warehouse.rows(f"select distinct municipality_code from {table} where exclusion = ? order by 1", [COUNTED])
    return [code for (code,) in found]


def reconcile(warehouse: Warehouse, contracts: Iterable[Contract]) -> pd.DataFrame:
    """The ledger: per extract, period and supplier every row and euro, delivered, set aside, staged, counted, excluded.

    Cubes join suppliers, so from the cube on a supplier is ``all``. What other parties contributed follows what was
    delivered here, with the party as its supplier.
    """
    warehouse.run(META)
    parts = [
        warehouse.frame(
            """select extract, period, supplier, stage, reason, row_count, amount_eur from meta.ledger
               union all by name select * from meta.contributed_ledger
               order by extract, period, supplier, stage, reason"""
        )
    ]
    for contract in contracts:
        ledger = contract.ledger
        if ledger is None or not warehouse.exists(f"cube.{ledger.cube}"):
            continue
        euros = f"coalesce(sum({quoted(ledger.euros)}), 0)" if ledger.euros else "0"
        parts.append(
            warehouse.frame(
                f"""select $extract as extract, period, 'all' as supplier,
                        case when exclusion = 'none' then 'in_cube' else 'excluded' end as stage,
                        case when exclusion = 'none' then 'all' else exclusion end as reason,
                        cast(sum({quoted(ledger.rows)}) as bigint) as row_count,
                        cast({euros} as decimal(18, 2)) as amount_eur
                    from {qualified("cube." + ledger.cube)} group by all
                    having sum({quoted(ledger.rows)}) > 0 order by all""",
                {"extract": contract.extract},
            )
        )
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Cells:
    """The counted cells of one cube as dense arrays, one axis a dimension.

    ``labels`` holds the axes in order: period, municipality_code, sex, age_band, then the cube's own. A dimension the
    cube lacks has the one label ``all``. A sum is nan where its municipality delivered nothing of it in that period,
    and 0 where it delivered and nobody was counted: missing is never zero.
    """

    labels: dict[str, list[str]]
    sums: dict[str, Floats]
    apart: Mapping[str, Collection[int]] = field(default_factory=dict)  # sums nobody can make of these periods

    def axis(self, name: str) -> int:
        return list(self.labels).index(name)

    def keep(self, name: str, wanted: NDArray[np.bool_]) -> Cells:
        """The cells whose label on one axis is wanted."""
        labels = {**self.labels, name: [label for label, kept in zip(self.labels[name], wanted, strict=True) if kept]}
        sums = {key: np.compress(wanted, array, axis=self.axis(name)) for key, array in self.sums.items()}
        return replace(self, labels=labels, sums=sums)

    def only(self, names: Sequence[str]) -> Cells:
        """These sums and no others."""
        return replace(self, sums={name: self.sums[name] for name in names})

    def periods(self) -> list[int]:
        return [int(label) for label in self.labels["period"]]

    def pooled(self, count: int) -> Cells:
        """Each period with the ``count - 1`` before it added, where all of them are there."""
        if count == 1:
            return self
        at = {period: i for i, period in enumerate(self.periods())}
        rows = [[at.get(period - back, -1) for back in range(count)] for period in at]
        whole = np.array([row for row in rows if min(row) >= 0], dtype=int).reshape(-1, count)
        labels = {**self.labels, "period": [self.labels["period"][end] for end in whole[:, 0]]}
        added = {name: sum(array[whole[:, back]] for back in range(count)) for name, array in self.sums.items()}
        return Cells(labels, added)

    def fold(self, axes: Sequence[str]) -> Cells:
        """Further axes as finer age bands: each band's label repeated, the folded labels running fastest."""
        if not axes:
            return self
        order = list(self.labels)
        places = [order.index(name) for name in axes]
        others = [i for i in range(len(order)) if i not in places and i != AGE]
        size = int(np.prod([len(self.labels[name]) for name in axes]))
        sums = {}
        for name, array in self.sums.items():
            turned = array.transpose(*others[:AGE], AGE, *places, *others[AGE:])
            sums[name] = turned.reshape(
                *turned.shape[:AGE], turned.shape[AGE] * size, *turned.shape[AGE + 1 + len(axes) :]
            )
        labels = {name: labels for name, labels in self.labels.items() if name not in axes}
        return Cells({**labels, "age_band": [band for band in labels["age_band"] for _ in range(size)]}, sums)


def load_cells(warehouse: Warehouse, query: Query, parts: Iterable[Query] = ()) -> Cells:
    """Read a cube whole, with the parts that other cubes hold of its sums; it is small by design."""
    frame = _counted(warehouse, query)
    dimensions = [name for name in query.grain if name not in (*AXES, "exclusion")]
    labels: dict[str, list[str]] = {}
    codes = []
    for name in (*AXES, *dimensions):
        values = frame[name].astype(str) if name in frame else pd.Series([ALL] * len(frame), dtype=str)
        code, found = pd.factorize(values, sort=True)
        labels[name] = [str(label) for label in found]
        codes.append(code)
    shape = tuple(len(found) for found in labels.values())
    place = np.ravel_multi_index(codes, shape) if len(frame) else np.array([], dtype=int)
    rest = tuple(range(2, len(shape)))
    sums = {}
    for name in _measures(query):
        values = frame[name].to_numpy(dtype=float, na_value=np.nan)
        dense = np.full(int(np.prod(shape)), np.nan)
        dense[place] = values
        dense = dense.reshape(shape)
        delivered = ~np.isnan(dense).all(axis=rest, keepdims=True)
        sums[name] = np.where(delivered & np.isnan(dense), 0.0, dense)
    sums |= {name: sums[column] for name, column in query.parts}
    for others in parts:
        sums |= _parts_of(warehouse, others, labels, sums[others.total])
    merged = merged_periods(warehouse, query.table)
    return Cells(labels, sums, {name: merged for name in query.apart if merged})


def _parts_of(warehouse: Warehouse, query: Query, labels: Mapping[str, list[str]], whole: Floats) -> dict[str, Floats]:
    """The parts of the sums of another cube, on its axes: 0 without a cell, and missing where the whole is."""
    frame = _counted(warehouse, query)
    axes = {query.axis: list(query.members), **{name: labels[name] for name in AXES}}
    codes = [pd.Index(found).get_indexer(frame[name].astype(str)) for name, found in axes.items()]
    shape = tuple(len(found) for found in axes.values())
    place = np.ravel_multi_index(codes, shape)  # an error where a label is of no cell of the whole
    parts: dict[str, Floats] = {}
    for name in _measures(query):
        dense = np.zeros(shape)
        np.put(dense, place, frame[name].to_numpy(dtype=float))
        dense[:, np.isnan(whole)] = np.nan
        parts |= {part(name, query.axis, member): array for member, array in zip(query.members, dense, strict=True)}
    return parts


def _counted(warehouse: Warehouse, query: Query) -> pd.DataFrame:
    """The counted cells of a cube, with its sums as doubles."""
    labels = ", ".join(map(quoted, query.grain))
    # The engine turns an exact sum into the nearest double; what makes a frame of it would be off in the last digit.
    doubles = ", ".join(f"cast({quoted(name)} as double) as {quoted(name)}" for name in _measures(query))
    return warehouse.frame(f"select {labels}, {doubles} from {qualified(query.table)} where exclusion = ?", [COUNTED])


def _measures(query: Query) -> list[str]:
    """The columns that add up."""
    return [name for name in query.columns if name.endswith(MEASURES)]


def parts_that_differ(warehouse: Warehouse, query: Query, whole: str = "", parts: str = "") -> tuple[int, int]:
    """How many counted cells of a cube another one splits, and of how many the parts do not add up to the whole."""
    whole, parts = whole or qualified(f"cube.{query.part_of}"), parts or qualified(query.table)
    cell, total = ", ".join(name for name in query.grain if name != query.axis), quoted(query.total)
    return warehouse.rows(
        f"""with wholes as (
                select {cell}, coalesce({total}, 0) as of_all from {whole} where exclusion = '{COUNTED}'
            ),
            sums as (
                select {cell}, coalesce(sum({total}), 0) as of_parts from {parts}
                where exclusion = '{COUNTED}' group by {cell}
            )
            select count(of_all), count(*) filter (where of_all is null or of_all <> coalesce(of_parts, 0))
            from wholes full join sums using ({cell})"""
    )[0]
