"""Looks for direct identifiers in a delivery before any row of it is stored.

Not here: small cells in published tables (``disclosure``). A finding names a column and a share, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from triple_aim.deliveries.column_profiles import DATE, INTEGERS, ColumnProfile, profile_columns
from triple_aim.warehouse import Warehouse, literal

FORBIDDEN = frozenset(
    "bsn sofinummer burgerservicenummer naam achternaam voornaam geboortedatum adres straat huisnummer postcode6 "
    "email emailadres telefoon telefoonnummer iban patientnr patientnummer zorgnummer".split()
)
#: One in eleven 8- or 9-digit numbers passes the BSN test by chance; a column where at least half pass is a finding.
BSN_SHARE, BSN_DISTINCT = 0.5, 20
OTHER_SHARE = 0.05

BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
#: Eight or nine digits as people and programs write them: in groups, with decimal zeros, between other characters.
NUMBER = r"[^0-9A-Za-z]*[0-9]([ .]?[0-9]){7,8}([.,]0{1,2})?[^0-9A-Za-z]*"
NUMBER_LENGTHS = range(8, 16)
NOT_ITS_DIGITS = r"[.,]0{1,2}[^0-9]*$|[^0-9]"
IBAN = r"\bNL[0-9]{2} ?[A-Z]{4} ?[0-9]{4} ?[0-9]{4} ?[0-9]{2}\b"
EMAIL = r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}"
WRITTEN_BSN = r"(bsn|burgerservicen)[^0-9]{0,20}[0-9]{8,9}\b"
POSTCODE6 = r"[1-9][0-9]{3} ?[A-Z]{2}"
FULL_DATE = r"((19|20)[0-9]{2}-?[01][0-9]-?[0-3][0-9]|[0-3][0-9]-?[01][0-9]-?(19|20)[0-9]{2})"


def find_identifiers(
    warehouse: Warehouse, table: str, headers: dict[str, str], profiles: Mapping[str, ColumnProfile] | None = None
) -> list[str]:
    """The direct identifiers that a table seems to contain, as sentences without values.

    ``headers`` gives the header of each physical column, ``profiles`` its profile if there is one already. A column
    contains BSNs when it has at least 20 distinct 8- or 9-digit numbers of which at least half pass the 11-test. A full
    date of birth is a finding only with a 6-character postcode, because the combination identifies a person. Columns
    that cannot contain an identifier, by their profile, are not read again.
    """
    findings = [
        f"column {header} is named as an identifier"
        for header in headers.values()
        if re.sub("[^a-z0-9]", "", header) in FORBIDDEN or re.match("bsn|(?!aantal).*[^a-z]bsn([^a-z]|$)", header)
    ]
    profiles = profiles or profile_columns(warehouse, table)
    conditions = {column: _conditions(profiles[column], header) for column, header in headers.items()}
    measures = [f"count(*) filter (where {sql})" for by_kind in conditions.values() for sql in by_kind.values()]
    counts = iter(warehouse.rows(f"select {', '.join(measures)} from {table}")[0] if measures else ())
    postcodes: list[str] = []
    births: list[str] = []
    for column, header in headers.items():
        count = {kind: next(counts) for kind in conditions[column]}
        least = OTHER_SHARE * profiles[column].filled
        if count.get("number", 0) >= BSN_DISTINCT:
            distinct, share = _bsn_share(warehouse, table, profiles[column])
            if distinct >= BSN_DISTINCT and share >= BSN_SHARE:
                findings.append(f"column {header}: {share:.0%} of its 9-digit numbers pass the BSN test")
        findings += [
            f"column {header} contains {kind}" for kind in ("e-mail addresses", "IBANs", "BSNs") if count.get(kind)
        ]
        if count.get("postcode", 0) > least:
            postcodes.append(header)
        if count.get("date", 0) > least:
            births.append(header)
    if postcodes and births:
        findings.append(
            f"columns {', '.join(postcodes + births)} combine a full date of birth with a 6-character postcode"
        )
    return findings


def _conditions(profile: ColumnProfile, header: str) -> Mapping[str, str]:
    """By kind of identifier that a column may contain, SQL that is true for a value of this kind."""
    text = profile.text

    def whole(shape: str) -> str:
        return f"regexp_full_match({text}, {literal(shape)})"

    def within(shape: str) -> str:
        return f"regexp_matches({text}, {literal(shape)}, 'i')"

    conditions = {}
    if profile.may_hold(*NUMBER_LENGTHS) and profile.kind != DATE and not profile.starts_with_letter:
        is_integer = profile.kind in INTEGERS
        conditions["number"] = f"{profile.column} between 10000000 and 999999999" if is_integer else _is_number(text)
    if profile.may_hold(6, 7) and profile.kind not in INTEGERS and not profile.starts_with_letter:
        conditions["postcode"] = f"case when strlen({text}) in (6, 7) then {whole(POSTCODE6)} end"
    if profile.may_hold(8, 10) and ("geb" in header or "birth" in header):
        conditions["date"] = whole(FULL_DATE)
    if "@" in profile.marks:
        conditions["e-mail addresses"] = f"case when contains({text}, '@') then {within(EMAIL)} end"
    if profile.longest >= 18 and "NL" in profile.marks:
        conditions["IBANs"] = f"case when contains({text}, 'NL') then {within(IBAN)} end"
    if profile.longest >= 11 and profile.marks & {"s", "S"}:  # both words contain an s
        named = " or ".join(f"contains({text}, '{word}')" for word in ("bsn", "BSN", "Bsn", "urgerserv", "URGERSERV"))
        conditions["BSNs"] = f"case when {named} then {within(WRITTEN_BSN)} end"
    return conditions


def _bsn_share(warehouse: Warehouse, table: str, profile: ColumnProfile) -> tuple[int, float]:
    """The number of distinct 8- and 9-digit numbers in a column, and the share of them that pass the 11-test."""
    total = " + ".join(f"{w} * cast(substr(number, {i + 1}, 1) as integer)" for i, w in enumerate(BSN_WEIGHTS))
    distinct, share = warehouse.rows(
        f"""select count(*), avg(case when ({total}) % 11 = 0 then 1.0 else 0.0 end) from (
                select distinct lpad(regexp_replace({profile.text}, '{NOT_ITS_DIGITS}', '', 'g'), 9, '0') as number
                from {table} where {_is_number(profile.text)}
            )"""
    )[0]
    return int(distinct), float(share)


def _is_number(text: str) -> str:
    """SQL for whether a text is a number of eight or nine digits; it tests the length first, which is cheaper."""
    is_long = f"strlen({text}) between {NUMBER_LENGTHS.start} and {NUMBER_LENGTHS.stop - 1}"
    return f"case when {is_long} then regexp_full_match({text}, {literal(NUMBER)}) end"
