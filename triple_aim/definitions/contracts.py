"""Models of ``contracts/*.yaml``: what a delivered extract must contain, and what the marts promise to readers.

Not here: reading a delivery (``triple_aim.deliveries``), or protecting published cells (``triple_aim.disclosure``).
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from triple_aim.definitions.yaml_reader import Bilingual, Content, read_model
from triple_aim.errors import ContentError, DeliveryError
from triple_aim.vocabulary import ColumnType, Privacy, Role

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
#: A sum of a cube, or the part of it on another axis: ``amount_eur``, ``amount_eur[law=wmo]``.
Sum = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}(\[[a-z][a-z0-9_]{0,62}=[a-z0-9_]{1,63}\])?$")]
#: Names of the columns that validation adds; no delivered column may have them.
RESERVED = frozenset({"line_number", "period", "supplier", "broken_rule"})

#: Closed lists that columns of marts may name and that the content gives: specs, cubes, contracts, classifications.
CONTENT_LISTS = frozenset({"headlines", "indicators", "sources", "extracts", "region_types"})


class CsvFormat(Content):
    type: Literal["csv"]
    delimiter: Literal[";", ",", "\t", "|"] = ";"
    decimal: Literal[".", ","] = "."
    encoding: Literal["utf-8", "latin-1", "cp1252"] = "utf-8"

    @model_validator(mode="after")
    def _marks_differ(self) -> CsvFormat:
        if self.delimiter == self.decimal:
            raise ValueError("delimiter and decimal mark must differ")
        return self


class ParquetFormat(Content):
    type: Literal["parquet"]


class SpssFormat(Content):
    type: Literal["sav"]


class ExcelFormat(Content):
    type: Literal["xlsx"]
    sheet: str | None = None
    decimal: Literal[".", ","] = "."


Format = Annotated[CsvFormat | ParquetFormat | SpssFormat | ExcelFormat, Field(discriminator="type")]


class Files(Content):
    """The delivered files of an extract: a pattern under the deliveries folder, and the format."""

    pattern: str
    format: Format

    @field_validator("pattern")
    @classmethod
    def _stays_inside_deliveries(cls, value: str) -> str:
        if value.startswith("/") or ".." in value.split("/") or "**" in value or not value.isprintable():
            raise ValueError("a pattern is a path under the deliveries folder, without .. or **")
        return value

    def matches(self, path: str) -> bool:
        return fnmatch(path, self.pattern)


class Range(Content):
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _has_bounds(self) -> Range:
        if self.min is None and self.max is None:
            raise ValueError("a range has a min, a max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("the min is above the max")
        return self


class Column(Content):
    """One column of a delivery."""

    name: Name
    type: ColumnType
    role: Role
    meaning: Bilingual
    source: list[str] = []  # other header names; case and outer blanks do not matter
    present: Range | None = None  # periods in which the column is delivered; all if left out
    nullable: bool = False
    missing: list[str] = []  # spellings of "no value", in addition to an empty field
    codes: dict[str, str] | list[str] | None = None  # allowed values, with their meaning where it is not obvious
    range: Range | None = None
    pattern: str | None = None
    listed_in: str | None = Field(None, pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")  # a reference "table.column"
    unit: str | None = None
    privacy: Privacy = "none"
    weight: Name | None = None  # survey items: the weight column that belongs to this item

    @model_validator(mode="after")
    def _fits_its_type(self) -> Column:
        if (self.type == "code") != (self.codes is not None):
            raise ValueError("a column of type code lists its codes, and only such a column does")
        if self.range and self.type not in ("integer", "decimal", "number"):
            raise ValueError("only a number has a range")
        return self

    @field_validator("pattern")
    @classmethod
    def _is_safe_expression(cls, value: str | None) -> str | None:
        if value is not None:
            _compiled(value)
            if re.search(r"\(\?[=!<]|\\[1-9]", value):
                raise ValueError("a pattern may not look around or refer back; DuckDB does not support it")
        return value

    @cached_property
    def headers(self) -> set[str]:
        return {self.name, *(header.strip().lower() for header in self.source)}

    def in_period(self, period: int | None) -> bool:
        if self.present is None or period is None:
            return True
        low, high = self.present.min, self.present.max
        return (low is None or period >= low) and (high is None or period <= high)


class PeriodFromFile(Content):
    """The period is in the file name: the group ``period`` of a regular expression."""

    file_name: str

    @model_validator(mode="after")
    def _has_a_period_group(self) -> PeriodFromFile:
        groups = set(_compiled(self.file_name).groupindex)
        if "period" not in groups or groups - {"period", "supplier"}:
            raise ValueError("the expression needs a group (?P<period>…), may have (?P<supplier>…), and no other group")
        return self


class PeriodFromColumn(Content):
    """The period is in a column, so one file may contain several periods."""

    column: Name


class Rule(Content):
    """A rule on two columns of one row."""

    id: Name
    kind: Literal["not_before", "refers_to"]
    column: Name
    other: Name


class Amount(Content):
    """The columns with the euros that the ledger accounts for to the cent."""

    columns: str  # a column name, or a pattern such as cost_*_eur
    cents: bool = False
    negative_when: dict[Name, str] = {}


class Ledger(Content):
    """The cube and its columns that count the rows and euros of the extract again."""

    cube: Name
    rows: Name
    euros: Name | None = None
    amount: Amount | None = None


class SetAside(Content):
    """The largest share of rows that may break a rule; above it the whole delivery is refused."""

    max_share: float = Field(ge=0, le=0.5)


class Contract(Content):
    """One extract: grain, files, columns, key, rules and ledger."""

    extract: Name
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    title: Bilingual
    meaning: Bilingual
    grain: str
    level: Literal["person", "aggregate"]
    supplier: str
    licence: str
    files: list[Files] = Field(min_length=1)
    period: PeriodFromFile | PeriodFromColumn
    key: list[Name]
    columns: list[Column] = Field(min_length=1)
    rules: list[Rule] = []
    set_aside: SetAside
    extra_columns: Literal["refuse", "ignore"] = "refuse"
    ledger: Ledger | None  # null if no cube counts the extract, such as shares of boundary changes
    notes: list[str] = []

    @model_validator(mode="after")
    def _names_exist(self) -> Contract:
        names = [column.name for column in self.columns]
        if len(names) != len(set(names)):
            raise ValueError("two columns have one name")
        if taken := sorted(n for n in names if n in RESERVED or n.startswith("t_")):
            raise ValueError(f"the name {', '.join(taken)} is reserved for validation")
        headers = [header for column in self.columns for header in column.headers]
        if twice := sorted({header for header in headers if headers.count(header) > 1}):
            raise ValueError(f"two columns are delivered as {', '.join(twice)}")
        mentioned = set(self.key) | {n for rule in self.rules for n in (rule.column, rule.other)}
        if self.ledger and self.ledger.amount:
            mentioned |= set(self.ledger.amount.negative_when)
            if not self.amount_columns():
                raise ValueError(f"no column is called {self.ledger.amount.columns}, so the ledger has no amount")
        mentioned |= {column.weight for column in self.columns if column.weight}
        if isinstance(self.period, PeriodFromColumn):
            mentioned.add(self.period.column)
        if unknown := mentioned - set(names) - {"period"}:
            raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
        return self

    def period_of(self, name: str) -> tuple[int | None, str]:
        """Period and supplier in a file name; the period is None if a column holds it."""
        if not isinstance(self.period, PeriodFromFile):
            return None, ""
        match = re.search(self.period.file_name, name.rsplit("/", 1)[-1])
        if match is None or not re.fullmatch("[0-9]{4}", match["period"]):
            raise DeliveryError(
                "the file name holds no period", name, f"rename the file so that {self.period.file_name} fits"
            )
        return int(match["period"]), match.groupdict().get("supplier") or ""

    def files_for(self, path: PurePosixPath) -> Files | None:
        """The entry whose pattern fits a path relative to the deliveries folder."""
        return next((files for files in self.files if files.matches(str(path))), None)

    def amount_columns(self) -> list[str]:
        if self.ledger is None or self.ledger.amount is None:
            return []
        return [column.name for column in self.columns if fnmatch(column.name, self.ledger.amount.columns)]


class Threshold(Content):
    """How the numbers of a source are protected, and the minimum of persons and cases behind a published cell.

    ``cell_key`` changes every sum a little, ``suppress`` withholds cells until no other follows from sums,
    ``thresholds_only`` withholds small cells and changes the number of respondents, ``as_delivered`` leaves numbers
    that are public, or that the source protected.
    """

    mode: Literal["cell_key", "suppress", "thresholds_only", "as_delivered"]
    persons: int = Field(ge=1)
    cases: int = Field(ge=0)
    group_share: float | None = Field(None, gt=0.5, le=1)  # from this share on a trait is that of the whole group


class NoiseRules(Content):
    """The size of the noise of mode ``cell_key``, and the cells that it would drown."""

    share: float = Field(gt=0, lt=1)  # of the root of the sum of squared amounts: at least this part of the largest one
    relative_limit: float = Field(gt=0, le=1)  # a value with a larger relative standard deviation of noise is withheld
    #: The least (Σx)²/Σx². From 1 + (1 + p)² on, the p % rule holds: the two largest contributors never leave less than
    #: the share p of the largest one.
    effective_contributors: float = Field(ge=1)


class RunOff(Content):
    """The run-off cube, the cubes whose years start provisional, and the booked share that makes a year final."""

    cube: Name
    of: list[Name]
    complete_from: float = Field(gt=0, le=1)


class Limits(Content):
    """The range of a number; a missing limit means any finite number, so infinity is never in the range."""

    min: float | None = None
    max: float | None = None


class MartColumn(Content):
    """One column of a mart and its allowed values; expectations, constraints and the reference follow from it."""

    name: Name
    type: Literal["text", "integer", "double", "boolean"]
    required: bool = False  # never empty; with shown_by, never empty in rows that are shown
    shown_by: Name | None = None  # the status column that decides in which rows it is shown; empty in all others
    values: Name | None = None  # the closed list of its values
    range: Limits | None = None
    matches: str | None = None  # a regular expression
    at_least: Name | None = None  # a column of the same row; the value is never below it
    meaning: Bilingual

    @field_validator("matches")
    @classmethod
    def _is_valid_expression(cls, value: str | None) -> str | None:
        return _compiled(value).pattern if value else value


class Mart(Content):
    name: Name
    title: Bilingual
    grain: list[Name]
    may_be_empty: bool = False
    columns: list[MartColumn]

    @model_validator(mode="after")
    def _columns_exist(self) -> Mart:
        names = {column.name for column in self.columns}
        named = {*self.grain, *(n for c in self.columns for n in (c.shown_by, c.at_least) if n)}
        if unknown := named - names:
            raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
        return self


class Rounding(Content):
    """The smallest steps of the rows and euros of the ledger and of the counts of checks."""

    rows: int = Field(ge=1)
    euros: int = Field(ge=1)


class ColumnFact(Content):
    """A total with its parts, or a column that is zero outside some ages: facts that every reader knows."""

    source: Name
    column: Sum
    #: Of an alias, the column with the same numbers; of an identity, columns that add up to it; of a union, columns
    #: that are each at most as large.
    parts: list[Sum] = []
    below: int | None = None  # of a zero: the law or the definition allows no case from this age on


class PublicFacts(Content):
    """Relations between columns from which a reader could compute a withheld number; the audit uses them."""

    aliases: list[ColumnFact] = []
    identities: list[ColumnFact] = []
    unions: list[ColumnFact] = []
    zeros: list[ColumnFact] = []


class Publication(Content):
    """The promise to readers: publisher, licence, thresholds and the columns of every mart."""

    publisher: Bilingual
    licence: str
    title: Bilingual
    thresholds: dict[Name, Threshold]  # by cube; "default" for the rest
    noise: NoiseRules
    withheld: Bilingual  # the one reason of every withheld row: a second one would show which rule held
    rounding: Rounding
    public_facts: PublicFacts = PublicFacts()
    suppress_hierarchy: list[Name] = ["municipality", "ggd_region", "nl"]  # the regions of sources in mode suppress
    run_off: RunOff | None = None
    headlines: dict[Literal["health", "quality", "cost", "growth"], Name]
    value_lists: dict[Name, list[str]] = {}  # closed lists that columns of marts name
    marts: list[Mart]

    @model_validator(mode="after")
    def _has_a_default_threshold(self) -> Publication:
        if "default" not in self.thresholds:
            raise ValueError("thresholds needs an entry default")
        return self

    @model_validator(mode="after")
    def _lists_exist(self) -> Publication:
        named = {column.values for mart in self.marts for column in mart.columns if column.values}
        if unknown := named - {*self.value_lists, *CONTENT_LISTS}:
            raise ValueError(f"no such list of values: {', '.join(sorted(unknown))}")
        return self

    def threshold(self, cube: str) -> Threshold:
        return self.thresholds.get(cube, self.thresholds["default"])


def load_contracts(folder: Path) -> dict[str, Contract]:
    """Every contract by extract; a contract whose extract differs from its file name is refused."""
    contracts: dict[str, Contract] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.stem == "publication":
            continue
        contract = read_model(path, Contract)
        if contract.extract != path.stem:
            raise ContentError(
                f"the contract has extract: {contract.extract}",
                f"contracts/{path.name}",
                "give the file and the extract the same name",
            )
        contracts[contract.extract] = contract
    return contracts


def load_publication(folder: Path) -> Publication:
    return read_model(folder / "publication.yaml", Publication)


def _compiled(expression: str) -> re.Pattern[str]:
    """The compiled expression, or a ValueError that pydantic reports with its line."""
    try:
        return re.compile(expression)
    except re.error as error:
        raise ValueError(f"this is not a regular expression: {error}") from error
