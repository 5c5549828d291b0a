"""Is a contract that contradicts itself or reaches outside its extract refused with file and line?"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from triple_aim.definitions.contracts import Contract, load_contracts, load_publication
from triple_aim.errors import ContentError

ROOT = Path(__file__).parents[3]
GOOD = """extract: visits
version: 1.0.0
title: {nl: x, en: x}
meaning: {nl: x, en: x}
grain: one row per visit
level: person
supplier: x
licence: x
files:
  - {pattern: "visits/*.csv", format: {type: csv, delimiter: ";", decimal: "."}}
period: {file_name: 'visits_(?P<period>[0-9]{4})'}
key: [visit_id]
set_aside: {max_share: 0.1}
rules:
  - {id: ends_later, kind: not_before, column: eur, other: visit_id}
ledger: {cube: visits, rows: n, euros: eur, amount: {columns: "eu*", negative_when: {kind: C}}}
columns:
  - {name: visit_id, type: text, role: key, pattern: "[0-9]+", meaning: {nl: x, en: x}}
  - {name: kind, type: code, role: dimension, codes: [C, D], meaning: {nl: x, en: x}}
  - {name: eur, type: decimal, role: measure, range: {min: 0, max: 9}, listed_in: a.b, meaning: {nl: x, en: x}}
"""
WRONG: dict[str, tuple[str, str, int, str]] = {
    "SQL in a name": ("extract: visits", "extract: \"x'; copy (select 1) to 'y'; --\"", 1, "pattern"),
    "a path for a name": ("extract: visits", "extract: ../../visits", 1, "pattern"),
    "quotes in a column": ("name: kind", "name: 'ki\"nd'", 19, "pattern"),
    "a homoglyph": ("name: kind", "name: kіnd", 19, "pattern"),
    "an unknown key": ("grain:", "grains:", 5, "Extra inputs"),
    "a malformed version": ("version: 1.0.0", "version: '1'", 2, "pattern"),
    "an unknown level": ("level: person", "level: people", 6, "aggregate"),
    "no file": (
        '  - {pattern: "visits/*.csv", format: {type: csv, delimiter: ";", decimal: "."}}',
        "  []",
        9,
        "at least 1",
    ),
    "an unknown format": ("type: csv", "type: pickle", 10, "pickle"),
    "a delimiter that is SQL": ('delimiter: ";"', "delimiter: \"', x = '\"", 10, "delimiter"),
    "one mark for delimiter and decimals": ('decimal: "."', 'decimal: ",", delimiter: ","', 10, ""),
    "a folder above": ('"visits/*.csv"', '"visits/../../*.csv"', 10, "under the deliveries folder"),
    "no period in the name": ("?P<period>", "?:", 11, "needs a group"),
    "an unknown group": ("?P<period>", "?P<supplier>", 11, "needs a group"),
    "a malformed expression": ("(?P<period>[0-9]{4})", "(?P<period>[0-9]{4}", 11, "not a regular expression"),
    "an unknown key column": ("key: [visit_id]", "key: [visit]", 1, "no such column: visit"),
    "a tolerance above one half": ("max_share: 0.1", "max_share: 0.6", 13, "less than or equal to 0.5"),
    "a rule on an unknown column": ("other: visit_id", "other: visit", 1, "no such column: visit"),
    "an unknown kind of rule": ("kind: not_before", "kind: sql", 15, "not_before"),
    "a sign in an unknown column": ("negative_when: {kind: C}", "negative_when: {sign: C}", 1, "no such column: sign"),
    "an amount in an unknown column": ('columns: "eu*"', "columns: cents", 1, "no column is called cents"),
    "a malformed pattern": ('pattern: "[0-9]+"', 'pattern: "[0-9"', 18, "not a regular expression"),
    "a pattern that looks ahead": ('pattern: "[0-9]+"', 'pattern: "(?=x)[0-9]+"', 18, "look around"),
    "codes without code": ("type: code", "type: text", 19, "lists its codes"),
    "code without codes": (", codes: [C, D]", "", 19, "lists its codes"),
    "codes that are numbers": ("codes: [C, D]", "codes: [1, 2]", 19, "codes"),
    "a range of text": ("type: decimal", "type: text", 20, "only a number has a range"),
    "a range upside down": ("{min: 0, max: 9}", "{min: 9, max: 0}", 20, "above the max"),
    "a range without bounds": ("{min: 0, max: 9}", "{}", 20, "a min, a max or both"),
    "a list that is SQL": ("listed_in: a.b", "listed_in: 'a.b) or (1=1'", 20, "pattern"),
    "two columns with one name": ("name: kind", "name: eur", 1, "one name"),
    "two columns with one header": ("role: dimension", "role: dimension, source: [EUR]", 1, "delivered as eur"),
    "a reserved name": ("name: kind", "name: broken_rule", 1, "reserved for validation"),
    "a reserved prefix": ("name: kind", "name: t_eur", 1, "reserved for validation"),
    "a weight in an unknown column": ("role: dimension", "role: dimension, weight: w", 1, "no such column: w"),
}


def write(folder: Path, text: str, name: str = "visits.yaml") -> Path:
    (folder / "contracts").mkdir(exist_ok=True)
    (folder / "contracts" / name).write_text(text)
    return folder / "contracts"


def test_a_valid_contract_is_read(tmp_path: Path) -> None:
    contract = load_contracts(write(tmp_path, GOOD))["visits"]
    assert contract.amount_columns() == ["eur"]
    assert contract.files_for(PurePosixPath("visits/a.csv")) and not contract.files_for(PurePosixPath("other/a.csv"))


@pytest.mark.parametrize("fault", WRONG)
def test_a_faulty_contract_is_refused_with_its_line(tmp_path: Path, fault: str) -> None:
    old, new, line, message = WRONG[fault]
    assert GOOD.count(old) == 1
    with pytest.raises(ContentError) as caught:
        load_contracts(write(tmp_path, GOOD.replace(old, new)))
    assert caught.value.where == f"contracts/visits.yaml:{line}" and message in caught.value.what
    assert caught.value.exit_code == 10 and str(caught.value).count("\n") == 2


def test_file_and_extract_have_the_same_name(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="has extract: visits"):
        load_contracts(write(tmp_path, GOOD, "other.yaml"))


def test_a_publication_contract_needs_a_default_threshold(tmp_path: Path) -> None:
    text = (ROOT / "contracts" / "publication.yaml").read_text()
    with pytest.raises(ContentError, match="thresholds needs an entry default"):
        load_publication(write(tmp_path, text.replace("\n  default:", "\n  standard:"), "publication.yaml"))
    with pytest.raises(ContentError, match="cannot be read"):
        load_publication(tmp_path)


def test_every_shipped_contract_sets_a_privacy_class_where_rows_are_persons() -> None:
    contracts = load_contracts(ROOT / "contracts").values()
    person_level = [contract for contract in contracts if contract.level == "person"]
    assert person_level and all(
        any(column.privacy != "none" for column in contract.columns) for contract in person_level
    )
    assert all(isinstance(contract, Contract) for contract in contracts)
