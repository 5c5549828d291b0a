"""Are direct identifiers found in every form, without false alarms?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
import pytest

from triple_aim.deliveries.identifiers import BSN_WEIGHTS, find_identifiers
from triple_aim.warehouse.connection import Warehouse, open_warehouse

RANDOM = random.Random(20260101)


def is_bsn(number: str) -> bool:
    return sum(w * int(d) for w, d in zip(BSN_WEIGHTS, number.zfill(9), strict=True)) % 11 == 0


def random_numbers(n: int, *, bsn: bool | None = None, low: int = 10_000_000, high: int = 999_999_999) -> list[str]:
    """Distinct random numbers that pass the 11-test, fail it, or (None) do either."""
    numbers: set[str] = set()
    while len(numbers) < n:
        number = str(RANDOM.randint(low, high))
        if bsn is None or is_bsn(number) == bsn:
            numbers.add(number)
    return sorted(numbers)


BSNS = random_numbers(400, bsn=True)
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
    "BSN among as many other numbers": {"nummer": BSNS + random_numbers(300, bsn=False)},
    "BSN with blanks around it": {"nummer": PADDED},
    "BSN with a tab after it": {"nummer": [f"{bsn}\t" for bsn in BSNS]},
    "BSN in quotes": {"nummer": [f"'{bsn}'" for bsn in BSNS]},
    "BSN in groups": {"nummer": [f"{bsn[:-6]}.{bsn[-6:-3]}.{bsn[-3:]}" for bsn in BSNS]},
    "BSN as text of a number": {"nummer": [f"{bsn}.0" for bsn in BSNS]},
    "BSN without its first zero": {"nummer": random_numbers(40, bsn=True, high=99_999_999)},
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
def test_a_finding_names_the_column_and_no_value(warehouse: Warehouse, case: str) -> None:
    columns = FOUND[case]
    (finding,) = findings(warehouse, columns)
    assert all(column in finding for column in columns)
    values = {str(value).strip() for column in columns.values() for value in column if len(str(value)) > 3}
    assert not [value for value in values if value in finding]


CLEAN: dict[str, dict[str, Sequence[object]]] = {
    "random nine-digit numbers": {"declaratienummer": random_numbers(3000)},
    "AGB codes of providers": {"agb": [f"{sort:02}{n:06}" for sort in (1, 3, 12) for n in range(100, 1100, 7)]},
    "dates in digits": {"start": [f"2023{m:02}{d:02}" for m in range(1, 13) for d in range(1, 29)]},
    "dates of care and a postcode": {"start_date": DAYS, "pc": POSTCODES},
    "births without a postcode": {"geb": DAYS},
    "amounts in cents": {"amount_cents": [str(n) for n in range(10_000_000, 10_400_000, 997)]},
    "the same nine digits in every row": {"batch": [BSNS[0]] * 500},
    "too few numbers for a share": {"nummer": BSNS[:19]},
    "pseudonyms": {"person_key": [f"{RANDOM.getrandbits(64):016x}" for _ in range(500)]},
    "serial numbers after a letter": {"claim_id": [f"C{bsn}" for bsn in BSNS]},
    "counts of BSNs": {"aantal_bsn": [str(n) for n in range(10, 600)]},
    "nothing at all": {"leeg": [None, None]},
}


@pytest.mark.parametrize("case", CLEAN)
def test_other_columns_give_no_finding(warehouse: Warehouse, case: str) -> None:
    assert findings(warehouse, CLEAN[case]) == []


def test_fifty_clean_columns_give_no_finding(warehouse: Warehouse) -> None:
    assert findings(warehouse, {f"n{i}": random_numbers(60) for i in range(50)}) == []
