"""Starts new content: a spec or a contract that can be read, with TODO in place of every missing text.

Not here: checking content (``programme``).
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import get_args

from triple_aim.definitions.settings import Project
from triple_aim.errors import ContentError
from triple_aim.vocabulary import Aim

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

#: A domain with an owner in ``indicator_specs/defaults.yaml``.
DOMAINS: dict[str, str] = {"health": "health_status", "quality": "effective", "cost": "total_cost"}

SPEC = """\
# yaml-language-server: $schema=../_schema.json
id: {name}
version: 0.1.0                 # major: the series breaks; minor: a new breakdown; patch: words
domain: {domain}  # TODO; its owner is in indicator_specs/defaults.yaml
title: {{nl: TODO, en: TODO}}
meaning:
  nl: TODO in één zin, met teller en noemer.
  en: TODO in one sentence, with numerator and denominator.
origin: [{{framework: TODO}}]
unit: {{nl: euro per verzekerdenjaar, en: euro per insured year}}
polarity: no_judgement         # higher_is_better | lower_is_better | no_judgement
compute:
  - method: ratio              # one of a closed list: docs/how-to/new-indicator.md
    cubes: [claims]            # a file of sql/cube; its columns are what you may name below
    numerator: amount_eur[care_kind=dental]
    denominator: insured_years
    persons: insured_person_count
    cases_from: user_count[care_kind=dental]  # the persons behind the euros, for the disclosure gate
breakdowns: [sex, age_group]
expect: {{range: {{min: 0, max: 1000}}}}
cautions: [not_age_adjusted]   # TODO; keys of indicator_specs/cautions.yaml
sources: [claims_contract]     # TODO; keys of indicator_specs/sources.yaml
reviewed: {{on: {today}, next: {next_year}}}
example: {{given: {{numerator: [5000], denominator: [100]}}, value: 50.0}}  # runs as a test
"""

CONTRACT = """\
# yaml-language-server: $schema=_schema.json
extract: {name}
version: 0.1.0
title: {{nl: TODO, en: TODO}}
meaning: {{nl: TODO, en: TODO}}
grain: TODO one row per …
level: aggregate               # person | aggregate
supplier: TODO
licence: TODO
files:
  - {{pattern: "{name}/*.csv", format: {{type: csv, delimiter: ";", decimal: ".", encoding: utf-8}}}}
period: {{file_name: '(?P<period>\\d{{4}})'}}
key: [municipality_code]
set_aside: {{max_share: 0.01}}
ledger: null                   # name the cube and its columns that count these rows again, once there is one
columns:
  - name: municipality_code
    type: text
    role: key
    listed_in: municipalities.municipality_code
    meaning: {{nl: Gemeentecode, en: Municipality code}}
  - name: person_count
    type: integer
    role: measure
    unit: persons
    range: {{min: 0}}
    meaning: {{nl: TODO, en: TODO}}
"""

STAGING = """\
-- TODO what these rows are, in one sentence.
-- grain: period, supplier, line_number
select
    period,
    supplier,
    line_number,
    municipality_code,
    person_count
from delivery.{name}
"""


def scaffold_indicator(project: Project, name: str) -> Path:
    """Write ``indicator_specs/<aim>/<name>.yaml``."""
    aim, _, short = name.partition("/")
    if aim not in get_args(Aim) or not NAME.fullmatch(short):
        raise ContentError(f"“{name}” is not aim/name", "new indicator", "write for instance cost/dental_cost")
    today = datetime.date.today()
    next_year = today.replace(year=today.year + 1, day=min(today.day, 28))
    text = SPEC.format(name=short, domain=DOMAINS[aim], today=today, next_year=next_year)
    return _write(project.specs / aim / f"{short}.yaml", text)


def scaffold_extract(project: Project, name: str) -> list[Path]:
    """Write ``contracts/<name>.yaml`` and ``sql/staging/<name>.sql``."""
    if not NAME.fullmatch(name):
        raise ContentError(f"“{name}” is not a name", "new extract", "use lower-case letters, digits and _")
    contract = _write(project.contracts / f"{name}.yaml", CONTRACT.format(name=name))
    return [contract, _write(project.sql / "staging" / f"{name}.sql", STAGING.format(name=name))]


def _write(path: Path, text: str) -> Path:
    if path.exists():
        raise ContentError(
            "the file already exists", f"{path.parent.name}/{path.name}", "edit that file, or choose another name"
        )
    path.write_text(text, encoding="utf-8")
    return path
