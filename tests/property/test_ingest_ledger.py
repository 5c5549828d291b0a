"""For any delivery: every row and cent is staged or set aside, order does not matter, errors quote no contents."""

from __future__ import annotations

import gzip
import random
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.content import queries
from triple_aim.definitions.contracts import Contract, load_contracts
from triple_aim.definitions.settings import Project, Settings
from triple_aim.deliveries.ingest import ingest_extract
from triple_aim.errors import DeliveryError
from triple_aim.warehouse.connection import Warehouse, open_warehouse
from triple_aim.warehouse.sql_files import Query

ROOT = Path(__file__).parents[2]
CLAIMS = load_contracts(ROOT / "contracts")["claims"]
HEADER = ";".join(column.name for column in CLAIMS.columns)
CANARY = "cafe0123cafe4567"
SETTINGS = Settings.model_construct(
    deliveries=Path("deliveries"), work=Path("work"), publication=Path("publication"), division_year=2024
)
#: Each example stages a file.
SOME = settings(max_examples=settings.default.max_examples // 3)

lines = st.lists(
    st.fixed_dictionaries(
        {
            "care_kind": st.sampled_from(["hospital", "pharmacy", "no such kind"]),
            "start_date": st.sampled_from(["2021-02-28", "2021-02-29", "28-02-2021"]),
            "amount_cents": st.one_of(
                st.integers(0, 10**9).map(str), st.sampled_from(["", "1,50", "1.000", "-1", "NaN"])
            ),
            "debit_credit": st.sampled_from(["D", "C", "X"]),
        }
    ),
    min_size=1,
    max_size=30,
)


class Counter:
    """An installation in memory with the claims contract only."""

    def __init__(self, warehouse: Warehouse, folder: Path) -> None:
        self.warehouse, self.folder = warehouse, folder
        lenient = CLAIMS.set_aside.model_copy(update={"max_share": 1.0})
        self.contract: Contract = CLAIMS.model_copy(update={"set_aside": lenient})
        self.query: Query = queries("staging")["claims"]

    def ingest(self, text: str | bytes) -> None:
        """Ingest one file, in an empty folder and warehouse."""
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            base = Path(place)
            # Paths in settings are relative to the folder of the settings file.
            project = Project(ROOT, base / "x.toml", SETTINGS)
            (base / "deliveries" / "claims").mkdir(parents=True)
            content = text.encode() if isinstance(text, str) else text
            (base / "deliveries" / "claims" / "claims_2021.csv.gz").write_bytes(
                gzip.compress(content, 1) if isinstance(text, str) else content
            )
            self.warehouse.run("drop table if exists meta.staged; drop table if exists meta.ledger")
            ingest_extract(self.warehouse, project, self.contract, self.query, [2021])

    def ledger(self) -> dict[str, tuple[int, Decimal]]:
        totals = self.warehouse.rows("select stage, sum(row_count), sum(amount_eur) from meta.ledger group by all")
        return {stage: (int(rows), euros) for stage, rows, euros in totals}


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    folder = tmp_path_factory.mktemp("ledger")
    with open_warehouse(None, reach=[folder]) as warehouse:
        warehouse.create("ref.activities", pd.DataFrame({"performance_code": ["GP"], "activity": ["gp_contact"]}))
        yield Counter(warehouse, folder)


def text_of(rows: list[dict[str, str]], good: int = 1) -> str:
    """A file of these lines after one good line, so that the delivery has a period."""
    fixed = {"care_kind": "hospital", "start_date": "2021-01-01", "amount_cents": "100", "debit_credit": "D"}
    whole = [{**fixed, "claim_id": f"g{n}", "reference_number": f"g{n}"} for n in range(good)]
    whole += [{**row, "claim_id": f"c{n}", "reference_number": f"r{n}"} for n, row in enumerate(rows)]
    always = {"person_key": CANARY, "performance_code": "GP", "provider_code": "P1", "quantity": "1"}
    names = HEADER.split(";")
    return "\n".join([HEADER, *(";".join({**always, **row}.get(name, "") for name in names) for row in whole)]) + "\n"


def signed(row: dict[str, str]) -> Decimal:
    """Euros with their sign; an unreadable amount counts as 0."""
    cents = int(row["amount_cents"]) if row["amount_cents"].lstrip("-").isdecimal() else 0
    return Decimal(-cents if row["debit_credit"] == "C" else cents) / 100


def is_good(row: dict[str, str]) -> bool:
    return (
        row["care_kind"] != "no such kind"
        and row["start_date"] == "2021-02-28"
        and row["amount_cents"].isdecimal()
        and row["debit_credit"] != "X"
    )


@SOME
@given(lines)
def test_delivered_is_staged_and_set_aside_to_the_cent(counter: Counter, rows: list[dict[str, str]]) -> None:
    counter.ingest(text_of(rows))
    ledger, none = counter.ledger(), (0, Decimal(0))
    good = [row for row in rows if is_good(row)]
    bad = [row for row in rows if not is_good(row)]
    assert ledger["delivered"] == (1 + len(rows), 1 + sum(map(signed, rows)))
    assert ledger["staged"] == (1 + len(good), 1 + sum(map(signed, good)))
    assert ledger.get("set_aside", none) == (len(bad), sum(map(signed, bad)))
    assert counter.warehouse.rows("select count(*), sum(amount_eur) from stg.claims") == [ledger["staged"]]


@settings(max_examples=settings.default.max_examples // 5)  # each example stages two files
@given(lines, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(counter: Counter, rows: list[dict[str, str]], chance: random.Random) -> None:
    def ingested(text: str) -> Any:
        counter.ingest(text)
        return counter.ledger(), counter.warehouse.rows("select * exclude (line_number) from stg.claims order by all")

    first, *rest = text_of(rows).splitlines(keepends=True)
    before = ingested(first + "".join(rest))
    chance.shuffle(rest)
    assert ingested(first + "".join(rest)) == before


@SOME
@given(st.integers(0, 10**6), st.sampled_from(["cut", "flip", "drop", "insert", "cut gzip", "flip gzip"]), st.data())
def test_a_damaged_file_is_refused_without_its_contents_or_counted_in_full(
    counter: Counter, seed: int, how: str, data: st.DataObject
) -> None:
    chance = random.Random(seed)
    plain = text_of([], good=200).encode()
    content = gzip.compress(plain, 1) if how.endswith("gzip") else plain
    at = data.draw(st.integers(0, len(content) - 1))
    damaged = {
        "cut": content[:at],
        "flip": content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :],
        "drop": content[:at] + content[at + 1 :],
        "insert": content[:at] + bytes([chance.randrange(256)]) + content[at:],
    }[how.split()[0]]
    try:
        counter.ingest(damaged if how.endswith("gzip") else gzip.compress(damaged, 1))
    except DeliveryError as error:
        assert str(error).count("\n") == 2 and CANARY[:6] not in str(error)
        return
    ledger = counter.ledger()
    # A readable file is counted in full; the platform cannot see that a line was cut off.
    assert (
        ledger["delivered"][0] == len([line for line in damaged.splitlines()[1:] if line.strip()]) or how == "flip gzip"
    )
    assert ledger["delivered"][0] == ledger["staged"][0] + ledger.get("set_aside", (0,))[0]
