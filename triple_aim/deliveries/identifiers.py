"""Looks for direct identifiers in a delivery before any of it is kept.

Not here: small cells in published tables (``disclosure``). A finding names a column and a share, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from triple_aim.deliveries.column_profiles import DATE, INTEGERS, Field, profile
from triple_aim.warehouse import Warehouse, literal

FORBIDDEN = frozenset(
    "bsn sofinummer burgerservicenummer naam achternaam voornaam geboortedatum adres straat huisnummer postcode6 "
    "email emailadres telefoon telefoonnummer iban patientnr patientnummer zorgnummer".split()
)
#: One 8- or 9-digit number in eleven passes the BSN test by chance, so only a column in which most pass is a finding.
BSN_SHARE, BSN_DISTINCT = 0.5, 20
OTHER_SHARE = 0.05

BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
#: Eight or nine digits as people and programs write them: in groups, with the nought of a decimal, between marks.
NUMBER = r"[^0-9A-Za-z]*[0-9]([ .]?[0-9]){7,8}([.,]0{1,2})?[^0-9A-Za-z]*"
NUMBER_LENGTHS = range(8, 16)
NO_DIGIT_OF_IT = r"[.,]0{1,2}[^0-9]*$|[^0-9]"
IBAN = r"\bNL[0-9]{2} ?[A-Z]{4} ?[0-9]{4} ?[0-9]{4} ?[0-9]{2}\b"
EMAIL = r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}"
WRITTEN_BSN = r"(bsn|burgerservicen)[^0-9]{0,20}[0-9]{8,9}\b"
POSTCODE6 = r"[1-9][0-9]{3} ?[A-Z]{2}"
FULL_DATE = r"((19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9]|[0-3][0-9]-?[01][0-9]-?(19|20)[0-9]{2})"


def find_identifiers(
    warehouse: Warehouse, table: str, headers: dict[str, str], fields: Mapping[str, Field] | None = None
) -> list[str]:
    """What a table of ``{physical column: header}`` seems to hold that identifies a person, in words without values.

    ``fields`` is its profile, where that is known. A BSN is a column of at least 20 distinct 8- or 9-digit numbers of
    which at least half pass the 11-test. A full date of birth counts only beside a 6-character postcode, for together
    they are a name. One scan learns the shape of every column; only what can hold an identifier is read again.
    """
    findings = [
        f"column {header} is named as an identifier"
        for header in headers.values()
        if re.sub("[^a-z0-9]", "", header) in FORBIDDEN or re.match("bsn|(?!aantal).*[^a-z]bsn([^a-z]|$)", header)
    ]
    fields = fields or profile(warehouse, table)
    signs = {column: signs_in(fields[column], header) for column, header in headers.items()}
    measures = [f"count(*) filter (where {sign})" for found in signs.values() for sign in found.values()]
    told = iter(warehouse.rows(f"select {', '.join(measures)} from {table}")[0] if measures else ())
    postcodes: list[str] = []
    births: list[str] = []
    for column, header in headers.items():
        count = {kind: next(told) for kind in signs[column]}
        many = OTHER_SHARE * fields[column].filled
        if count.get("number", 0) >= BSN_DISTINCT:
            distinct, share = _bsn_share(warehouse, table, fields[column])
            if distinct >= BSN_DISTINCT and share >= BSN_SHARE:
                findings.append(f"column {header}: {share:.0%} of its 9-digit numbers pass the BSN test")
        findings += [
            f"column {header} holds {kind}" for kind in ("e-mail addresses", "IBANs", "BSNs") if count.get(kind)
        ]
        if count.get("postcode", 0) > many:
            postcodes.append(header)
        if count.get("date", 0) > many:
            births.append(header)
    if postcodes and births:
        findings.append(
            f"columns {', '.join(postcodes + births)} join a full date of birth with a 6-character postcode"
        )
    return findings


def signs_in(field: Field, header: str) -> Mapping[str, str]:
    """What has to be looked for in a column: SQL that is true for a value that shows it, by kind."""
    text = field.text

    def whole(shape: str) -> str:
        return f"regexp_full_match({text}, {literal(shape)})"

    def within(shape: str) -> str:
        return f"regexp_matches({text}, {literal(shape)}, 'i')"

    signs = {}
    if field.may_hold(*NUMBER_LENGTHS) and field.kind != DATE and not field.is_lettered:
        is_integer = field.kind in INTEGERS
        signs["number"] = f"{field.column} between 10000000 and 999999999" if is_integer else _is_number(text)
    if field.may_hold(6, 7) and field.kind not in INTEGERS and not field.is_lettered:
        signs["postcode"] = f"case when strlen({text}) in (6, 7) then {whole(POSTCODE6)} end"
    if field.may_hold(8, 10) and ("geb" in header or "birth" in header):
        signs["date"] = whole(FULL_DATE)
    if "@" in field.marks:
        signs["e-mail addresses"] = f"case when contains({text}, '@') then {within(EMAIL)} end"
    if field.longest >= 18 and "NL" in field.marks:
        signs["IBANs"] = f"case when contains({text}, 'NL') then {within(IBAN)} end"
    if field.longest >= 11 and field.marks & {"s", "S"}:  # both words hold one
        named = " or ".join(f"contains({text}, '{word}')" for word in ("bsn", "BSN", "Bsn", "urgerserv", "URGERSERV"))
        signs["BSNs"] = f"case when {named} then {within(WRITTEN_BSN)} end"
    return signs


def _bsn_share(warehouse: Warehouse, table: str, field: Field) -> tuple[int, float]:
    """How many distinct 8- and 9-digit numbers a column holds, and the share of them that pass the 11-test."""
    total = " + ".join(f"{w} * cast(substr(number, {i + 1}, 1) as integer)" for i, w in enumerate(BSN_WEIGHTS))
    distinct, share = warehouse.rows(
        f"""select count(*), avg(case when ({total}) % 11 = 0 then 1.0 else 0.0 end) from (
                select distinct lpad(regexp_replace({field.text}, '{NO_DIGIT_OF_IT}', '', 'g'), 9, '0') as number
                from {table} where {_is_number(field.text)}
            )"""
    )[0]
    return int(distinct), float(share)


def _is_number(text: str) -> str:
    """Whether a text is a number of eight or nine digits. Its length is cheaper than its shape, and asked first."""
    is_long = f"strlen({text}) between {NUMBER_LENGTHS.start} and {NUMBER_LENGTHS.stop - 1}"
    return f"case when {is_long} then regexp_full_match({text}, {literal(NUMBER)}) end"
