"""Are merged sums the sums of all rows, for any division over parties and any order?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triple_aim.cubes.merge import ensure_contributions, merge
from triple_aim.warehouse.connection import Warehouse, open_warehouse
from triple_aim.warehouse.sql_files import Query

Row = tuple[int, tuple[str, ...], tuple[object, ...]]
GRAIN = ("period", "municipality_code", "sex", "exclusion")
SUMS = ("visit_count", "visit_years", "visit_sum", "visit_sumsq", "amount_eur_sumsq")
TYPES = ("bigint", "decimal(38,9)", "decimal(38,18)", "decimal(38,18)", "decimal(38,4)")
QUERY = Query("visits", "", "", GRAIN, False, frozenset(), frozenset(), (*GRAIN, *SUMS))
CELLS = st.tuples(st.sampled_from(["GM0001", "GM0002"]), st.sampled_from("MF"), st.sampled_from(["none", "other_year"]))


def numbers(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(0, 10**digits, places=places, allow_nan=False)


ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),  # the party; 0 is the one that merges
        CELLS,
        st.tuples(st.integers(0, 10**12), numbers(7, 9), numbers(12, 18), numbers(15, 18), numbers(15, 4)),
    ),
    min_size=1,
    max_size=30,
)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(SUMS, TYPES, strict=True))
    with open_warehouse(None) as opened:
        ensure_contributions(opened)
        for table, more in (("cube.visits", ""), ("party.visits", "contributor varchar, ")):
            opened.run(
                f"create table {table} ({more}period integer, municipality_code varchar, sex varchar, "
                f"exclusion varchar, {columns})"
            )
        yield opened


def merged(warehouse: Warehouse, rows: list[Row]) -> list[object]:
    """The cells after a merge of the sums of each party."""
    parties: dict[tuple[int, tuple[str, ...]], list[tuple[object, ...]]] = defaultdict(list)
    for party, cell, values in rows:
        parties[party, cell].append(values)
    warehouse.run("delete from cube.visits; delete from party.visits")
    for (party, cell), parts in parties.items():
        with localcontext(prec=60):  # the usual 28 digits are fewer than a sum has
            total = [sum(column) for column in zip(*parts, strict=True)]  # type: ignore[arg-type]
        name = [f"p{party}"] if party else []
        marks = ", ".join("?" * (len(name) + 1 + len(cell) + len(total)))
        table = "party.visits" if party else "cube.visits"
        warehouse.run(f"insert into {table} values ({marks})", [*name, 2023, *cell, *total])
    merge(warehouse, QUERY, 2023, SUMS)
    return warehouse.rows("select * from cube.visits order by all")


@given(rows=ROWS, order=st.randoms(use_true_random=False), relabel=st.permutations(range(4)))
def test_merged_sums_do_not_depend_on_parties_or_order(
    warehouse: Warehouse, rows: list[Row], order: object, relabel: list[int]
) -> None:
    pooled = merged(warehouse, [(0, *row[1:]) for row in rows])
    assert merged(warehouse, rows) == pooled
    shuffled = [(relabel[party], *row) for party, *row in rows]
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merged(warehouse, shuffled) == pooled


def test_a_sum_that_one_party_misses_is_missing_after_the_merge(warehouse: Warehouse) -> None:
    warehouse.run("delete from cube.visits; delete from party.visits")
    own = "insert into cube.visits values (2023, ?, ?, 'none', 1, 1, 1, 1, 1)"
    for place, sex in (("GM0001", "M"), ("GM0001", "F"), ("GM0002", "M")):
        warehouse.run(own, [place, sex])
    warehouse.run("insert into party.visits values ('north', 2023, 'GM0001', 'M', 'none', 4, 1, null, 1, 1)")
    merge(warehouse, QUERY, 2023, SUMS)
    found = warehouse.rows(
        "select municipality_code, sex, visit_count, visit_sum, visit_sumsq from cube.visits order by all"
    )
    assert found == [
        ("GM0001", "F", 1, None, Decimal(1)),
        ("GM0001", "M", 5, None, Decimal(2)),
        ("GM0002", "M", 1, Decimal(1), Decimal(1)),
    ]
