"""Are direct identifiers found in every form they come in, and nothing else taken for one?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import pytest

from triple_aim.deliveries.identifiers import BSN_WEIGHTS, find_identifiers
from triple_aim.warehouse.connection import Warehouse, open_warehouse

CHANCE = random.Random(20260101)


def is_bsn(number: str) -> bool:
    return sum(w * int(d) for w, d in zip(BSN_WEIGHTS, number.zfill(9), strict=True)) % 11 == 0


def some(n: int, *, bsn: bool | None = None, low: int = 10_000_000, high: int = 999_999_999) -> list[str]:
    """Distinct made-up numbers: that pass the 11-test, that do not, or as chance has it."""
    found: set[str] = set()
    while len(found) < n:
        number = str(CHANCE.randint(low, high))
        if bsn is None or is_bsn(number) == bsn:
            found.add(number)
    return sorted(found)


BSNS = some(400, bsn=True)
DAYS = [f"19{y:02}-0{m}-1{d}" for y in range(40, 90) for m in range(1, 9) for d in range(1)]
POSTCODES = [f"{n} {a}B" for n in range(1000, 1040) for a in "ACDEFGHJKL"]
PADDED = [f" {bsn}  " for bsn in BSNS]


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    with open_warehouse(None) as warehouse:
        yield warehouse


def findings(warehouse: Warehouse, columns: Mapping[str, Sequence[object]]) -> list[str]:
    frame = pd.DataFrame({f"c{i}": values for i, values in enumerate(columns.values())})
    with warehouse.named("delivered", frame):
        return find_identifiers(warehouse, "delivered", {f"c{i}": name for i, name in enumerate(columns)})


FOUND: dict[str, dict[str, Sequence[object]]] = {
    "BSN": {"clientnummer": BSNS},
    "BSN in a hundredth of the rows": {"opmerking": BSNS[:40] + [""] * 3960},
    "BSN among as many other numbers": {"nummer": BSNS + some(300, bsn=False)},
    "BSN with blanks around it": {"nummer": PADDED},
    "BSN with a tab behind it": {"nummer": [f"{bsn}\t" for bsn in BSNS]},
    "BSN in quotes": {"nummer": [f"'{bsn}'" for bsn in BSNS]},
    "BSN in groups": {"nummer": [f"{bsn[:-6]}.{bsn[-6:-3]}.{bsn[-3:]}" for bsn in BSNS]},
    "BSN as text of a number": {"nummer": [f"{bsn}.0" for bsn in BSNS]},
    "BSN with its first zero eaten": {"nummer": some(40, bsn=True, high=99_999_999)},
    "BSN as an SPSS number": {"nummer": [float(bsn) for bsn in BSNS]},
    "BSN as an integer": {"nummer": [int(bsn) for bsn in BSNS]},
    "one BSN in free text": {"opmerking": ["geen", f"het BSN van mw. is {BSNS[0]}, bel terug"]},
    "one BSN among codes that begin with a letter": {"code": ["a1", f"bsn:{BSNS[0]}", "c3"]},
    "BSNs among codes that begin with a letter": {"code": ["A1", *BSNS, "C3"]},
    "one e-mail address": {"opmerking": ["geen", "mail naar jan@voorbeeld.nl graag"]},
    "one IBAN": {"opmerking": ["geen", "NL91ABNA0417164300"]},
    "an IBAN in groups": {"opmerking": ["geen", "op NL91 ABNA 0417 1643 00 s.v.p."]},
    "a column called BSN": {"bsn": ["x", "y"]},
    "a column called e-mail": {"e-mail_adres": ["x", "y"]},
    "a column called client BSN": {"client_bsn": ["x", "y"]},
    "birth date and postcode": {"geboren_geb": DAYS, "pc": POSTCODES},
    "birth date in digits": {"birth_day": [day.replace("-", "") for day in DAYS], "pc": POSTCODES},
    "birth date, day first": {"geb": ["-".join(reversed(d.split("-"))) for d in DAYS], "pc": POSTCODES},
}


@pytest.mark.parametrize("case", FOUND)
def test_an_identifier_is_found_by_column_and_share_without_a_value(warehouse: Warehouse, case: str) -> None:
    columns = FOUND[case]
    (finding,) = findings(warehouse, columns)
    assert all(column in finding for column in columns)
    values = {str(value).strip() for column in columns.values() for value in column if len(str(value)) > 3}
    assert not [value for value in values if value in finding]


CLEAN: dict[str, dict[str, Sequence[object]]] = {
    "random nine-digit numbers": {"declaratienummer": some(3000)},
    "AGB codes of providers": {"agb": [f"{sort:02}{n:06}" for sort in (1, 3, 12) for n in range(100, 1100, 7)]},
    "dates in digits": {"start": [f"2023{m:02}{d:02}" for m in range(1, 13) for d in range(1, 29)]},
    "dates of care beside a postcode": {"start_date": DAYS, "pc": POSTCODES},
    "births without a postcode": {"geb": DAYS},
    "amounts in cents": {"amount_cents": [str(n) for n in range(10_000_000, 10_400_000, 997)]},
    "the same nine digits all through": {"batch": [BSNS[0]] * 500},
    "fewer numbers than a share can be told of": {"nummer": BSNS[:19]},
    "pseudonyms": {"person_key": [f"{CHANCE.getrandbits(64):016x}" for _ in range(500)]},
    "serial numbers behind a letter": {"claim_id": [f"C{bsn}" for bsn in BSNS]},
    "counts of BSNs": {"aantal_bsn": [str(n) for n in range(10, 600)]},
    "nothing at all": {"leeg": [None, None]},
}


@pytest.mark.parametrize("case", CLEAN)
def test_what_identifies_nobody_is_not_flagged(warehouse: Warehouse, case: str) -> None:
    assert findings(warehouse, CLEAN[case]) == []


def test_fifty_clean_columns_raise_no_alarm(warehouse: Warehouse) -> None:
    assert findings(warehouse, {f"n{i}": some(60) for i in range(50)}) == []
