"""Deliveries with edge cases that a contract allows, generated from the contracts with a fixed seed.

Empty values wherever they are allowed, leap days and the ends of years, ties, negative amounts, halves and thirds,
bounds of ranges, codes of every list, two suppliers with the same line numbers, persons without a claim and claims
without a person.
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from triple_aim.definitions.contracts import Column, Contract
from triple_aim.warehouse.reference_tables import read_table

PERSONS = 320
ROWS = {"claims": 20_000, "insured_population": 500, "social_domain": 1_200, "mortality": 600}
ARROW = {
    "text": pa.string(),
    "code": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.decimal128(18, 2),
    "number": pa.float64(),
    "date": pa.date32(),
}
LISTED = {
    "atc_code": [
        ("chronic_conditions", "atc_prefix"),
        ("benzodiazepines", "atc_prefix"),
        ("antibiotics", "atc_prefix"),
    ],
    "cause_icd10": [("avoidable_mortality", "icd10_from"), ("avoidable_mortality", "icd10_to")],
    "diagnosis_icd10": [
        ("avoidable_admissions", "icd10_prefix"),
        ("hip_fracture", "icd10_prefix"),
        ("acute_myocardial_infarction", "icd10_prefix"),
        ("stroke", "icd10_prefix"),
    ],
    "municipality_name": [("vektis_names", "vektis_name")],
    "region_code": [("ggd_region", "region_code"), ("municipalities", "municipality_code")],
    "regio_s": [("ggd_region", "region_code"), ("municipalities", "municipality_code")],
}
NUMBERS = [0.0, 0.5, 1.0, 1.5, 2.5, 1 / 3, 0.1, 7.0, 29.99, 365.0, 12_345.678]


class EdgeCases:
    """The sources of every generated table: a random generator, reference tables, and the days around a year."""

    def __init__(self, root: Path, period: int) -> None:
        self.random, self.period = np.random.default_rng(period), period
        self.words = {path.stem: re.findall("'([^']+)'", path.read_text()) for path in root.glob("sql/staging/*.sql")}
        self.tables = {path.stem: read_table(path) for path in root.glob("reference/*/*.csv")}
        first = datetime.date(period, 1, 1)
        days = [first + datetime.timedelta(days=int(day)) for day in self.random.integers(0, 365, 120)]
        edges = [
            (period - 1, 12, 31),
            (period, 1, 1),
            (period, 2, 28),
            (period, 3, 1),
            (period, 12, 31),
            (period + 1, 1, 1),
        ]
        around = [first + datetime.timedelta(days=day) for day in (-400, -1, 58, 59, 334, 335, 364, 365, 366, 700)]
        self.days = [*days, *(datetime.date(*edge) for edge in edges), *around]

    def table(self, contract: Contract, rows: int | None = None) -> pa.Table:
        """The rows of one extract, in the form that staging reads."""
        rows = ROWS.get(contract.extract, 300) if rows is None else rows
        person = self.random.integers(0, PERSONS, rows)
        if contract.extract == "claims":  # many lines per person, and one municipality without lines
            person = person % 160 // 4 * 4 + person % 3
        columns = {column.name: self._values(contract, column, person) for column in contract.columns}
        for rule in contract.rules:
            early, late = (columns.get(name) for name in (rule.other, rule.column))
            if rule.kind == "not_before" and early is not None and late is not None:
                if contract.extract == "claims":  # mostly short stays: a long one would contain all others
                    stays = [
                        day + datetime.timedelta(int(more))
                        for day, more in zip(early, self.random.integers(0, 6, rows), strict=True)
                    ]
                    late = late.mask((self.random.random(rows) < 0.95) & late.notna(), pd.Series(stays, dtype=object))
                swap = (early.notna() & late.notna() & (early > late)).to_numpy()
                columns[rule.other], columns[rule.column] = early.where(~swap, late), late.where(~swap, early)
        if contract.extract == "insured_population":  # half of them all year, so that claim lines belong to someone
            all_year = self.random.random(rows) < 0.5
            columns["valid_from"] = columns["valid_from"].mask(all_year, datetime.date(self.period - 1, 12, 31))
            columns["valid_to"] = columns["valid_to"].mask(all_year, None)
        if contract.extract == "claims":
            self._link_credits(columns)
        arrays = {
            name: pa.array(list(values), ARROW[kind])
            for (name, values), kind in zip(columns.items(), (c.type for c in contract.columns), strict=True)
        }
        half = np.arange(rows) // 2
        return pa.table(
            {
                "line_number": pa.array(half + 2, pa.int64()),
                "period": pa.array(np.full(rows, self.period), pa.int32()),
                "supplier": pa.array(np.where(np.arange(rows) % 2 == 0, "a", "b")),
                **arrays,
            }
        )

    def _values(self, contract: Contract, column: Column, person: np.ndarray) -> pd.Series:
        pool = self._pool(contract, column)
        if column.name == "person_key":
            drawn = pd.Series([f"{key:016x}" for key in person], dtype=object)
        elif contract.extract == "insured_population" and column.name == "municipality_code":
            moved = np.where(person % 4 == 3, 3, (person + self.random.integers(0, 2, len(person))) % 3)
            drawn = pd.Series([pool[place] for place in moved], dtype=object)
        elif column.name == "atc_code":  # a person gets a few medicines, often
            few = (person * 7 + self.random.integers(0, 8, len(person))) % len(pool)
            drawn = pd.Series([pool[place] for place in few], dtype=object)
        else:
            drawn = pd.Series([pool[place] for place in self.random.integers(0, len(pool), len(person))], dtype=object)
        return drawn.mask(self.random.random(len(person)) < 0.15, None) if column.nullable else drawn

    def _pool(self, contract: Contract, column: Column) -> list[object]:
        """The values of a column, including all values that the contract allows and staging distinguishes."""
        if column.codes is not None:
            return list(column.codes)
        if column.name == "performance_code":
            codes = list(self.tables["activities"]["performance_code"])
            kinds = dict(zip(codes, self.tables["activities"]["activity"], strict=True))
            often = [code for code in codes if kinds[code] in ("dispensing", "general_practice_contact")]
            return codes + often * (len(codes) // len(often) + 1)
        if column.listed_in:
            table, _, listed = column.listed_in.partition(".")
            return sorted(set(self.tables[table][listed]))[:4]
        if column.type == "date":
            return list(self.days)
        low = column.range.min if column.range and column.range.min is not None else None
        high = column.range.max if column.range and column.range.max is not None else None
        if column.type == "integer":
            if "birth_year" in column.name:
                return [
                    self.period - age
                    for age in (-1, 0, 1, 4, 5, 14, 64, 65, 66, 70, 74, 75, 80, 89, 90, 91, 119, 120, 121)
                ]
            found = [0, 1, 2, 3, 5, 7, 99, 1_050, 2_550, 199_999, -1, -2_550]
        else:
            found = [*NUMBERS, -0.01, -1250.5]
        if column.type in ("integer", "number", "decimal"):
            found = [value for value in [*found, low, high] if value is not None]
            found = [value for value in found if (low is None or value >= low) and (high is None or value <= high)]
            if column.type == "integer":
                return [int(value) for value in found]
            return [Decimal(f"{value:.2f}") for value in found] if column.type == "decimal" else found
        return self._texts(column.name, contract.extract)

    def _texts(self, name: str, extract: str) -> list[object]:
        """The values that SQL tests for: prefixes and names of code lists, and the literals of the staging query."""
        found = [text for table, column in LISTED.get(name, []) for text in self.tables[table][column] if text]
        if name == "atc_code":
            return [*found[::5], *(f"{text}AA01"[:7] for text in sorted({text[:4] for text in found})), "A01AB01"]
        if found:
            return [*found, *(f"{text}1" for text in found[::2]), "O80.1", "p07", "Z99"]
        return ["a", "B", "é", "10 t/m 14 jaar", "0 t/m 4 jaar", "90+", *self.words.get(extract, [])]

    def _link_credits(self, columns: dict[str, pd.Series]) -> None:
        """Let a third of the credits reverse an existing debit exactly, some of them twice."""
        count = len(columns["debit_credit"])
        columns["reference_number"] = pd.Series([f"r{number // 2}" for number in range(count)], dtype=object)
        kind, amount = columns["debit_credit"].to_numpy(copy=True), columns["amount_cents"].to_numpy(copy=True)
        previous = columns["previous_reference"].to_numpy(copy=True)
        for place in range(0, count - 40, 9):
            taken = place + int(self.random.integers(1, 40))
            kind[place], kind[taken] = "D", "C"
            previous[taken], amount[taken] = columns["reference_number"][place], amount[place]
        columns["debit_credit"], columns["amount_cents"] = pd.Series(kind), pd.Series(amount)
        columns["previous_reference"] = pd.Series(previous, dtype=object)
