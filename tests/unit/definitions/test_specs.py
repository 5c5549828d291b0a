"""Is a spec with inconsistent fields or with injected text refused with file and line?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from triple_aim.definitions.spec_files import load_specs
from triple_aim.definitions.specs import Spec
from triple_aim.errors import ContentError

GOOD = """id: deaths
version: 1.0.0
domain: mortality
title: {nl: x, en: x}
meaning: {nl: x, en: x}
origin: [{framework: x}]
unit: {nl: x, en: x}
decimals: 0
polarity: lower_is_better
population: residents
compute:
  - method: directly_standardised_rate
    cubes: [mortality]
    numerator: death_count
    denominator: person_years
    standard: esp2013
    where: {age_band: {below: 75}}
    per: 100000
    interval: {method: dobson}
levels: [municipality, nl]
breakdowns: [sex]
expect: {range: {min: 0, max: 9}}
sources: [register]
owner: x
reviewed: {on: 2026-01-01, next: 2027-01-01}
example: {given: {n: [1.0]}, value: 1.0}
"""
ROUTE = GOOD[GOOD.index("  - method") : GOOD.index("levels")]
GROWTH = """  - method: growth
    cubes: [mortality]
    numerator: death_count
    denominator: person_years
    growth: {over: previous_period, deflator: cpi, standard: esp2013, breaks: series_breaks}
"""
SURVEY = "  - {method: as_published, cubes: [survey_published], numerator: percent}\n"
INJECTED = [
    "x'; copy (select 1) to 'x'; --",
    '"',
    "../../x",
    "/etc/passwd",
    "a b",
    "Deaths",
    "dеaths",
    "a\u202eb",
    "1st",
]
INJECTED += ["a" * 64, "", "a;b", "a--", "a\nb", "a$b", "a.b"]

WRONG: dict[str, tuple[str, str, int, str]] = {
    "an interval for another method": ("method: dobson", "method: wilson", 12, "or gamma, not wilson"),
    "an impossible level": ("method: dobson}", "method: dobson, level: 1.0}", 19, "less than 1"),
    "a standardised method without a standard": ("    standard: esp2013\n", "", 12, "needs a standard"),
    "a standard without such a method": ("method: directly_standardised_rate", "method: crude_rate", 12, ""),
    "growth without its fields": (ROUTE, GROWTH.split("    growth")[0], 12, "growth is for"),
    "growth in another method": ("    per:", GROWTH[GROWTH.index("    growth") :] + "    per:", 12, "growth is for"),
    "growth since a base that is not given": (
        ROUTE,
        GROWTH.replace("previous_period", "since_base"),
        16,
        "base is for since_base",
    ),
    "a base that is not used": (
        ROUTE,
        GROWTH.replace("deflator", "base: 2012, deflator"),
        16,
        "base is for since_base",
    ),
    "no denominator": ("    denominator: person_years\n", "", 12, "needs a denominator"),
    "a delta interval without squares": (
        ROUTE,
        ROUTE.replace("rate", "mean").replace("dobson", "delta"),
        12,
        "needs sumsq and persons",
    ),
    "events of a person counted as independent": (
        "method: dobson",
        "method: dobson_dependent",
        12,
        "needs sumsq, and cases_from",
    ),
    "a sum of percentages": ("numerator: death_count", "numerator: death_percent", 12, "is not a sum"),
    "segments that share persons": (
        "numerator: death_count",
        "segments: cause\n    numerator: dead_person_count",
        12,
        "do not add up to a total",
    ),
    "a decomposition into no segments": (
        ROUTE,
        ROUTE.replace("directly_standardised_rate", "decomposition").split("    standard")[0],
        12,
        "needs segments",
    ),
    "a part without a value": ("numerator: death_count", "numerator: death_count[cause]", 14, "pattern"),
    "a trend on overlapping periods": (
        "    per: 100000\n    interval: {method: dobson}\nlevels: [municipality, nl]\n",
        "    pool: 3\nlevels: [municipality, nl]\n"
        "compare: {to: rest_of_nl, method: interval_overlap, trend: five_point_wls}\n",
        1,
        "overlap",
    ),
    "groups that are not used": ("    per:", "    groups: ses_quintile\n    per:", 12, "groups is for"),
    "an age that is not used": ("    per:", "    at: 65\n    per:", 12, "at is for"),
    "strata for another method": ("    per:", "    strata: [condition_group]\n    per:", 12, "are for indirect"),
    "a correction that is not used": ("    per:", "    correction: erreygers\n    per:", 12, "correction is for"),
    "a pin without its hash": ("unit:", "codes: [{list: x, version: 1.0.0, sha256: abc}]\nunit:", 7, "pattern"),
    "an unknown method": ("directly_standardised_rate", "eval", 12, "crude_rate"),
    "SQL as a filter": ("{below: 75}", '"age < 75 or 1 = 1"', 17, ""),
    "SQL next to the filter": ("    where:", "    sql: select 1\n    where:", 17, "Extra inputs"),
    "a filter on SQL": ("where: {age_band:", 'where: {"age_band) or (1=1":', 17, "pattern"),
    "per nothing": ("per: 100000", "per: 0", 18, "greater than 0"),
    "a cube in two routes": ("levels:", ROUTE + "levels:", 1, "one route of an indicator only"),
    "a breakdown that no route has": ("[sex]", "[sex, care_kind]", 1, "no route has the breakdown care_kind"),
    "no level": ("levels: [municipality, nl]", "levels: []", 20, "at least 1"),
    "a published percentage compared": (
        ROUTE,
        SURVEY + "compare: {to: rest_of_nl, method: interval_overlap}\n",
        1,
        "",
    ),
    "an unknown key of disclosure": ("owner: x", "owner: x\ndisclosure: {protect: none}", 25, "threshold"),
    "a date as text": ("on: 2026-01-01", "on: '2026-01-01'", 25, "date"),
    "no source": ("sources: [register]", "sources: []", 23, "at least 1"),
}


#: The shared files that specs need, with only what GOOD uses.
SHARED_FILES = {
    "indicator_specs/cautions.yaml": "{}\n",
    "indicator_specs/sources.yaml": "register: {title: x, accessed: 2026-01-01}\n",
    "reference/breaks/series_breaks.csv": "id,source,first_year,reason_nl,reason_en,comparable\n",
}


def load(root: Path, text: str, name: str = "health/deaths.yaml") -> Spec:
    cube = "survey_published" if SURVEY in text else "mortality"
    defaults = f"every: {{expect: {{coverage: {{min: 0.5}}}}}}\ncubes: {{{cube}: {{}}}}\ndomains: {{mortality: {{}}}}\n"
    files = {**SHARED_FILES, "indicator_specs/defaults.yaml": defaults, f"indicator_specs/{name}": text}
    for file, content in files.items():
        (root / file).parent.mkdir(exist_ok=True, parents=True)
        (root / file).write_text(content)
    return load_specs(root / "indicator_specs")[Path(name).stem]


def test_a_valid_spec_is_read(tmp_path: Path) -> None:
    spec = load(tmp_path, GOOD)
    assert spec.compute[0].cases and spec.compute[0].interval_method == "dobson"
    assert spec.route_of["mortality"].level == 0.95 and spec.compute[0].segments is None


@pytest.mark.parametrize("fault", WRONG)
def test_inconsistent_fields_are_refused_with_their_line(tmp_path: Path, fault: str) -> None:
    old, new, line, message = WRONG[fault]
    assert GOOD.count(old) == 1
    text = GOOD.replace(old, new)
    if SURVEY in new:
        text = text.replace("population: residents", "population: respondents")
    with pytest.raises(ContentError) as caught:
        load(tmp_path, text)
    assert caught.value.where == f"health/deaths.yaml:{line}" and message in caught.value.what
    assert caught.value.exit_code == 10


@pytest.mark.parametrize("name", INJECTED)
@pytest.mark.parametrize("field", ["id: deaths", "[mortality]", "denominator: person_years", "standard: esp2013"])
def test_a_name_is_a_plain_word_only(tmp_path: Path, field: str, name: str) -> None:
    key, _, _ = field.partition(": ")
    new = f"[{json.dumps(name)}]" if field[0] == "[" else f"{key}: {json.dumps(name)}"
    with pytest.raises(ContentError, match=r"deaths\.yaml:\d+"):
        load(tmp_path, GOOD.replace(field, new))


def test_the_folder_is_the_aim_and_the_file_is_the_id(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD, "cost/deaths.yaml").aim == "cost"
    with pytest.raises(ContentError, match="'health', 'quality' or 'cost'"):
        load(tmp_path / "aim", GOOD, "wealth/deaths.yaml")
    with pytest.raises(ContentError, match="has id: deaths") as caught:
        load(tmp_path / "id", GOOD, "health/other.yaml")
    assert caught.value.where == "indicator_specs/health/other.yaml:1"
