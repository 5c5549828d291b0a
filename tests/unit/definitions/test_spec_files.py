"""Are defaults filled in and keys looked up, and are repeated values and unused entries refused with their line?"""

from __future__ import annotations

from pathlib import Path

import pytest

from triple_aim.definitions.spec_files import load_specs
from triple_aim.definitions.specs import Spec
from triple_aim.errors import ContentError

DEATHS = """id: deaths
version: 1.0.0
domain: mortality
title: {nl: x, en: x}
meaning: {nl: x, en: x}
origin: [{framework: x}]
unit: {nl: x, en: x}
polarity: lower_is_better
compute:
  - method: crude_rate
    cubes: [mortality]
    numerator: death_count
    denominator: person_years
    where: {age_band: {below: 75}}
    interval: {method: byar}
breakdowns: [sex]
expect: {range: {min: 0}}
breaks: [causes_2020]
cautions: [small_numbers, not_age_adjusted]
sources: [register]
reviewed: {on: 2026-01-01, next: 2027-01-01}
example: {given: {n: [1]}, value: 1}
"""
SMOKING = """id: smoking
version: 1.0.0
domain: risk_factors
title: {nl: x, en: x}
meaning: {nl: x, en: x}
origin: [{framework: x}]
unit: {nl: x, en: x}
decimals: 0
polarity: lower_is_better
compute:
  - {method: survey_proportion, cubes: [survey], numerator: weighted_answer_sum}
levels: [nl]
compare: null
expect: {range: {min: 0}, coverage: {min: 0.9, severity: critical}}
cautions: [small_numbers]
sources: [monitor]
owner: smoke-free
reviewed: {on: 2026-01-01, next: 2027-01-01}
example: {given: {n: [1]}, value: 1}
"""
COST = """id: growth
version: 1.0.0
domain: cost_growth
title: {nl: x, en: x}
meaning: {nl: x, en: x}
origin: [{framework: x}]
unit: {nl: x, en: x}
polarity: lower_is_better
population: insured
compute:
  - method: growth
    cubes: [claims]
    numerator: cost_dental_eur
    denominator: insured_years
    growth: {over: previous_period, deflator: cpi, standard: esp2013, breaks: series_breaks}
compare: {trend: null}
expect: {range: {min: 0}, change: {max: 0.25}}
sources: [register]
owner: cost-team
reviewed: {on: 2026-01-01, next: 2027-01-01}
example: {given: {n: [1]}, value: 1}
"""
FILES = {
    "indicator_specs/defaults.yaml": """every:
  levels: [municipality, nl]
  decimals: 1
  compare: {to: rest_of_nl, method: interval_overlap, trend: five_point_wls}
  expect: {coverage: {min: 0.5}}
cubes:
  mortality: {population: residents, expect: {change: {max: 0.3}}}
  survey: {population: respondents}
  claims: {}
domains:
  mortality: {owner: mortality-team, decimals: 2}
  risk_factors: {}
  cost_growth: {}
""",
    "indicator_specs/cautions.yaml": """small_numbers: {nl: Klein., en: Small.}
not_age_adjusted:
  nl: Oud.
  en: Old.
""",
    "indicator_specs/sources.yaml": """register: {title: Register, accessed: 2026-01-01}
monitor: {title: Monitor, url: "https://example.org", accessed: 2026-01-02}
""",
    "reference/breaks/series_breaks.csv": """id,source,column_or_kind,first_year,reason_nl,reason_en,comparable
causes_2020,mortality register,all,2020,Nieuwe oorzaak,New cause,true
dental_2018,claims,dental,2018,Nieuw,New,false
""",
    "indicator_specs/health/deaths.yaml": DEATHS,
    "indicator_specs/health/smoking.yaml": SMOKING,
    "indicator_specs/cost/growth.yaml": COST,
}
DEFAULTS, CAUTIONS, SOURCES, BREAKS, SPEC, SURVEY, GROWTH = FILES

#: By fault: file, original text, changed text, place of the error, part of its message.
WRONG: dict[str, tuple[str, str, str, str, str]] = {
    "an unknown caution": (SPEC, "[small_numbers,", "[smal_numbers,", f"{SPEC}:19", "did you mean small_numbers?"),
    "an unknown source": (SPEC, "[register]", "[xyz]", f"{SPEC}:20", "indicator_specs/sources.yaml has no xyz"),
    "an unknown break": (SPEC, "[causes_2020]", "[causes_2021]", f"{SPEC}:18", "did you mean causes_2020?"),
    "a caution written out": (SPEC, "[small_numbers,", "[{nl: x, en: x},", f"{SPEC}:19", "named by their keys"),
    "a break written out": (SPEC, "[causes_2020]", "[{from: 2020}]", f"{SPEC}:18", "named by their keys"),
    "a key twice": (SPEC, ", not_age_adjusted]", ", not_age_adjusted, small_numbers]", f"{SPEC}:19", "twice"),
    "a break of another source": (SPEC, "[causes_2020]", "[dental_2018]", f"{SPEC}:18", "a break of claims"),
    "the aim": (SPEC, "domain:", "aim: health\ndomain:", f"{SPEC}:3", "the folder of a spec is its aim"),
    "a default for all": (SPEC, "polarity", "levels: [municipality, nl]\npolarity", f"{SPEC}:8", "levels repeats"),
    "a default of its cube": (SPEC, "polarity", "population: residents\npolarity", f"{SPEC}:8", "population repeats"),
    "a default of its domain": (SPEC, "polarity", "decimals: 2\npolarity", f"{SPEC}:8", "decimals repeats"),
    "a part of a default": (
        SPEC,
        "breakdowns",
        "compare:\n  trend: null\n  method: interval_overlap\nbreakdowns",
        f"{SPEC}:18",
        "compare.method repeats",
    ),
    "a default inside expect": (SPEC, "{min: 0}}", "{min: 0}, coverage: {min: 0.5}}", f"{SPEC}:17", "coverage repeats"),
    "an empty mapping": (SPEC, "breakdowns", "compare: {}\nbreakdowns", f"{SPEC}:16", "compare repeats"),
    "a default of the model": (SPEC, "byar}", "byar, level: 0.95}", f"{SPEC}:15", "compute.0.interval.level repeats"),
    "a default severity": (SPEC, "{min: 0}", "{min: 0, severity: warning}", f"{SPEC}:17", "severity repeats"),
    "a default age": (SPEC, "{below", "{from: 0, below", f"{SPEC}:14", "age_band.from repeats"),
    "an empty list": (SPEC, "breakdowns: [sex]", "breakdowns: []", f"{SPEC}:16", "breakdowns repeats"),
    "a field without a default": (GROWTH, "population: insured\n", "", f"{GROWTH}:1", "population: Field required"),
    "a caution no spec names": (SPEC, ", not_age_adjusted]", "]", f"{CAUTIONS}:2", "no spec names not_age_adjusted"),
    "a source no spec names": (SURVEY, "[monitor]", "[register]", f"{SOURCES}:2", "no spec names monitor"),
    "a break no spec names": (SPEC, "breaks: [causes_2020]\n", "", f"{BREAKS}:2", "no spec names causes_2020"),
    "a text under two keys": (CAUTIONS, "Oud.\n  en: Old.", "Klein.\n  en: Small.", f"{CAUTIONS}:2", "repeats small_"),
    "a caution without Dutch": (CAUTIONS, "  nl: Oud.\n", "", f"{CAUTIONS}:2", "not_age_adjusted.nl: Field required"),
    "a misspelt field of a source": (SOURCES, "title: M", "titel: M", f"{SOURCES}:2", "monitor.titel: Extra inputs"),
    "a key with a blank": (CAUTIONS, "small_numbers:", "Small numbers:", f"{CAUTIONS}:1", "pattern"),
    "an entry of a cube that no spec reads": (
        DEFAULTS,
        "domains:",
        "  wlz: {}\ndomains:",
        f"{DEFAULTS}:10",
        "cubes.wlz",
    ),
    "a cube without an entry": (SPEC, "[mortality]", "[mortalty]", f"{SPEC}:11", "there is no cube mortalty in"),
    "a domain without an entry": (SPEC, "domain: mort", "domain: mart", f"{SPEC}:3", "there is no domain martality in"),
    "a domain that is a list": (SPEC, "domain: mortality", "domain: [mortality]", f"{SPEC}:3", "valid string"),
    "a spec that is a list": (SPEC, DEATHS, "- id: deaths", f"{SPEC}:1", "Field required"),
    "a default of an unknown domain": (
        DEFAULTS,
        "domains:\n",
        "domains:\n  equity: {owner: x}\n",
        f"{DEFAULTS}:11",
        "no spec uses the default domains.equity.owner",
    ),
    "a default that all override": (
        DEFAULTS,
        "claims: {}",
        "claims: {population: residents}",
        f"{DEFAULTS}:9",
        "cubes.claims.population",
    ),
    "a default of a field that has none": (DEFAULTS, "decimals: 1", "unit: x", f"{DEFAULTS}:3", "every.unit: Extra"),
    "a default of the wrong type": (DEFAULTS, "decimals: 1", "decimals: one", f"{DEFAULTS}:3", "valid integer"),
    "a break without a year": (BREAKS, ",2018,", ",soon,", f"{BREAKS}:3", "not a series break"),
    "a break that is neither comparable nor not": (
        BREAKS,
        "New,false",
        "New,perhaps",
        f"{BREAKS}:3",
        "not a series break",
    ),
    "two breaks with one id": (BREAKS, "dental_2018", "causes_2020", f"{BREAKS}:3", "occurs twice"),
}


def load(root: Path, files: dict[str, str]) -> dict[str, Spec]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return load_specs(root / "indicator_specs")


def test_the_order_of_override_is_every_cube_domain_spec(tmp_path: Path) -> None:
    specs = load(tmp_path, FILES)
    deaths, smoking, growth = specs["deaths"], specs["smoking"], specs["growth"]
    assert (deaths.decimals, smoking.decimals) == (2, 0)
    assert (deaths.levels, smoking.levels) == (["municipality", "nl"], ["nl"])
    assert (deaths.population, smoking.population, growth.population) == ("residents", "respondents", "insured")
    assert (deaths.owner, smoking.owner) == ("mortality-team", "smoke-free")
    assert (deaths.aim, growth.aim) == ("health", "cost")


def test_a_mapping_is_filled_in_field_by_field_and_null_removes_it(tmp_path: Path) -> None:
    specs = load(tmp_path, FILES)
    trends = {name: spec.compare and spec.compare.trend for name, spec in specs.items()}
    assert trends == {"deaths": "five_point_wls", "smoking": None, "growth": None}
    assert specs["smoking"].compare is None and specs["growth"].compare is not None
    assert {name: spec.expect.coverage.min for name, spec in specs.items()} == {
        "deaths": 0.5,
        "smoking": 0.9,
        "growth": 0.5,
    }
    changes = {name: spec.expect.change and spec.expect.change.max for name, spec in specs.items()}
    assert changes == {"deaths": 0.3, "smoking": None, "growth": 0.25}


def test_keys_are_replaced_by_entries_in_the_order_of_the_spec(tmp_path: Path) -> None:
    specs = load(tmp_path, FILES)
    assert [caution.en for caution in specs["deaths"].cautions] == ["Small.", "Old."]
    assert [source.title for source in specs["smoking"].sources] == ["Monitor"]
    [change] = specs["deaths"].breaks
    assert (change.from_, change.reason.nl, change.comparable) == (2020, "Nieuwe oorzaak", True)


@pytest.mark.parametrize("fault", WRONG)
def test_a_fault_names_the_file_and_the_line_to_correct(tmp_path: Path, fault: str) -> None:
    file, old, new, where, message = WRONG[fault]
    assert FILES[file].count(old) == 1
    with pytest.raises(ContentError) as caught:
        load(tmp_path, {**FILES, file: FILES[file].replace(old, new)})
    assert message in caught.value.what and where.endswith(caught.value.where)
    assert caught.value.exit_code == 10


@pytest.mark.parametrize("name", [DEFAULTS, CAUTIONS, SOURCES, BREAKS])
def test_every_file_is_required(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContentError, match=Path(name).name):
        load(tmp_path, {file: text for file, text in FILES.items() if file != name})
