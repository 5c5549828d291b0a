"""Looks for direct identifiers in a delivery before any of it is kept.

Not here: small cells in published tables (``disclosure``). A finding names a column and a share, never a value.
"""

from __future__ import annotations

from triple_aim.warehouse import Warehouse, quoted

FORBIDDEN = frozenset(
    "bsn sofinummer burgerservicenummer naam achternaam voornaam geboortedatum adres straat huisnummer postcode6 "
    "email e-mail telefoon iban patientnr patientnummer zorgnummer".split()
)
#: One 8- or 9-digit number in eleven passes the BSN test by chance, so only a column in which most pass is a finding.
BSN_SHARE, BSN_DISTINCT = 0.5, 20
OTHER_SHARE = 0.05

BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
#: Each a regular expression, behind a cheap test that most fields fail.
EMAIL = ("{0} like '%@%'", r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")
IBAN = ("length({0}) = 18", r"NL[0-9]{2}[A-Z]{4}[0-9]{10}")
POSTCODE6 = ("length({0}) in (6, 7)", r"[1-9][0-9]{3} ?[A-Z]{2}")
FULL_DATE = ("length({0}) in (8, 10)", r"(19|20)[0-9]{2}-?[0-1][0-9]-?[0-3][0-9]")
NUMBER = ("length({0}) in (8, 9)", r"[0-9]{8,9}")


def find_identifiers(warehouse: Warehouse, table: str, headers: dict[str, str]) -> list[str]:
    """What a table of ``{physical column: header}`` seems to hold that identifies a person, in words without values.

    The whole table is scanned once, and a column of 8- or 9-digit numbers once more. A BSN is a column of at least 20 distinct 8- or 9-digit numbers of which at least
    half pass the 11-test; a full date counts only beside a 6-character postcode, for together they are a name.
    """
    findings = [f"column {header} is named as an identifier" for header in headers.values() if header in FORBIDDEN]
    measures: list[str] = []
    for column in headers:
        text = f"trim(cast({quoted(column)} as varchar))"
        measures += [
            f"count({quoted(column)})",
            *(f"count(*) filter (where {_looks_like(text, shape)})" for shape in (EMAIL, IBAN, POSTCODE6, FULL_DATE)),
            f"count(distinct {text}) filter (where {_looks_like(text, NUMBER)})",
        ]
    counts = warehouse.rows(f"select {', '.join(measures)} from {table}")[0]
    postcodes: list[str] = []
    births: list[str] = []
    for number, (column, header) in enumerate(headers.items()):
        filled, emails, ibans, postcode6, full_dates, numbers = counts[6 * number : 6 * number + 6]
        if numbers >= BSN_DISTINCT and (share := _bsn_share(warehouse, table, column)) >= BSN_SHARE:
            findings.append(f"column {header}: {share:.0%} of its 9-digit numbers pass the BSN test")
        findings += [
            f"column {header} holds {what}" for what, n in (("e-mail addresses", emails), ("IBANs", ibans)) if n
        ]
        if postcode6 > OTHER_SHARE * filled:
            postcodes.append(header)
        if full_dates > OTHER_SHARE * filled and ("geb" in header or "birth" in header):
            births.append(header)
    if postcodes and births:
        findings.append(
            f"columns {', '.join(postcodes + births)} join a full date of birth with a 6-character postcode"
        )
    return findings


def _looks_like(text: str, shape: tuple[str, str]) -> str:
    return f"case when {shape[0].format(text)} then regexp_full_match({text}, '{shape[1]}') else false end"


def _bsn_share(warehouse: Warehouse, table: str, column: str) -> float:
    """The share of a column's distinct 8- and 9-digit numbers that pass the 11-test."""
    total = " + ".join(f"{w} * cast(substr(number, {i + 1}, 1) as integer)" for i, w in enumerate(BSN_WEIGHTS))
    return float(
        warehouse.value(
            f"""select avg(case when ({total}) % 11 = 0 then 1.0 else 0.0 end) from (
                    select distinct lpad(trim(cast({quoted(column)} as varchar)), 9, '0') as number from {table}
                    where {_looks_like(f"trim(cast({quoted(column)} as varchar))", NUMBER)}
                )"""
        )
    )
