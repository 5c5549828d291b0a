"""Generates the pages ``docs/reference/*.md`` from the content and the commands of the engine.

Not here: explanations (``docs/methods``, ``docs/how-to``) or the data package of a release (``triple_aim.release``). No
page depends on a delivery, a clock or a machine: the same content gives the same bytes, and a test compares them with
the committed pages.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from triple_aim import errors
from triple_aim.definitions import (
    Column,
    Compute,
    Contract,
    Mart,
    Programme,
    Project,
    Publication,
    Regions,
    Spec,
    load_programme,
    load_project,
    read_yaml,
)
from triple_aim.files import replace_file
from triple_aim.reference_docs.checks import allowed_values, checks_page
from triple_aim.reference_docs.coverage import coverage
from triple_aim.reference_docs.markdown import bound, head, table
from triple_aim.warehouse import Query

AIMS = ("health", "quality", "cost")
#: Exit codes without an error class.
OTHER_CODES = {
    0: ("done", "The command succeeded."),
    1: ("unforeseen", "An unforeseen error; `--debug` after the command shows its traceback."),
    2: ("usage", "The command line is wrong: an unknown option, a missing argument."),
}


def pages(project: Project) -> dict[str, str]:
    """The text of every page by file name."""
    programme = load_programme(project)
    regions = Regions.load(project.reference / "regions", project.settings.division_year)
    lines_by_page = {
        "indicators": _indicators(programme.specs.values()),
        "coverage": coverage(programme.menu, programme.specs.values()),
        "contracts": _contracts(programme.contracts.values()),
        "marts": _marts(programme.publication),
        "cubes": _cubes(programme),
        "regions": _regions(regions, project.reference),
        "cli": _cli(),
        "checks": checks_page(programme, regions),
        "exit-codes": _exit_codes(),
    }
    return {f"{name}.md": "\n".join(lines).rstrip() + "\n" for name, lines in lines_by_page.items()}


def main() -> None:
    """Write the pages and the JSON schemas of the content."""
    project = load_project()
    for name, text in pages(project).items():
        path = project.root / "docs" / "reference" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
    if find_spec("triple_aim.definitions.json_schemas"):
        import_module("triple_aim.definitions.json_schemas").write_schemas(project)
    sys.stdout.write("docs/reference\n")


def _indicators(specs: Iterable[Spec]) -> Iterator[str]:
    specs = list(specs)
    yield from head(
        "Indicators", f"{len(specs)} indicators, one file each in `indicator_specs/<aim>/<indicator>.yaml`."
    )
    for aim in AIMS:
        of_aim = [spec for spec in specs if spec.aim == aim]
        yield from (f"## {aim.capitalize()}", "")
        yield from table(
            ("indicator", "title", "unit", "population"),
            ((f"[{s.id}](#{s.id})", s.title.en, s.unit.en, s.population) for s in of_aim),
        )
        for spec in of_aim:
            yield from _indicator(spec)


def _indicator(spec: Spec) -> Iterator[str]:
    yield from (f"### {spec.id}", "", f"**{spec.title.en}** / *{spec.title.nl}*", "", spec.meaning.en, "")
    if spec.why:
        yield from (f"Why: {spec.why.en}", "")
    facts = {
        "version": spec.version,
        "unit": f"{spec.unit.en} / {spec.unit.nl}",
        "population": spec.population,
        "polarity": _words(spec.polarity),
        "levels": ", ".join(spec.levels),
        "breakdowns": ", ".join(spec.breakdowns) or "none",
        "compared with": _words(spec.compare.to) if spec.compare else "nothing",
        "origin": "; ".join(origin.framework for origin in spec.origin),
        "owner": spec.owner,
        "reviewed": f"{spec.reviewed.on}, next {spec.reviewed.next}",
    }
    yield from table(("", ""), facts.items())
    yield from table(
        ("cube", "method", "numerator", "denominator", "per", "standard", "interval", "only"),
        (_route(cube, route) for cube, route in spec.route_of.items()),
    )
    for route in spec.compute:
        for addend in route.add:
            yield f"* adds `{addend.cube}.{addend.numerator}` as {addend.segment}, divided by `{addend.denominator}`"
    for item in spec.breaks:
        yield f"* {'change of level' if item.comparable else 'series break'} from {item.from_}: {item.reason.en}"
    yield from (f"* caution: {caution.en}" for caution in spec.cautions)
    given = ", ".join(f"{name} {values}" for name, values in spec.example.given.items())
    yield from (f"* example: {given} give {spec.example.value}", "")


def _route(cube: str, route: Compute) -> tuple[str, ...]:
    return (
        f"[{cube}](cubes.md#{cube})",
        route.method,
        f"`{route.numerator}`" + (f" by {_words(route.segments)}" if route.segments else ""),
        f"`{route.denominator}`" if route.denominator else "",
        f"{route.per:g}",
        route.standard or (route.growth.standard if route.growth else ""),
        route.interval_method,
        route.only,
    )


def _contracts(contracts: Iterable[Contract]) -> Iterator[str]:
    contracts = list(contracts)
    yield from head(
        "Extracts", f"{len(contracts)} extracts can be delivered, one contract each in `contracts/<extract>.yaml`."
    )
    yield from table(
        ("extract", "title", "level", "supplier"),
        ((f"[{c.extract}](#{c.extract})", c.title.en, c.level, c.supplier) for c in contracts),
    )
    for contract in contracts:
        yield from (f"## {contract.extract}", "", f"**{contract.title.en}** / *{contract.title.nl}*", "")
        yield from (contract.meaning.en, "")
        period = "the file name" if hasattr(contract.period, "file_name") else f"column `{contract.period.column}`"
        ledger = contract.ledger
        facts = {
            "version": contract.version,
            "grain": contract.grain,
            "key": ", ".join(contract.key),
            "period from": period,
            "files": "; ".join(f"`{f.pattern}` ({f.format.type})" for f in contract.files),
            "may be set aside": f"{contract.set_aside.max_share:.1%} of the rows",
            "unknown columns": "are ignored" if contract.extra_columns == "ignore" else "refuse the delivery",
            "rows counted in": f"`{ledger.cube}.{ledger.rows}`" if ledger else "no cube",
            "licence": contract.licence,
        }
        yield from table(("", ""), facts.items())
        yield from table(
            ("column", "type", "rules", "privacy", "meaning"),
            (
                (f"`{c.name}`", c.type, _rules(c), c.privacy, f"{c.meaning.en} / {c.meaning.nl}")
                for c in contract.columns
            ),
        )
        yield from (f"* rule {r.id}: `{r.column}` {_words(r.kind)} `{r.other}`" for r in contract.rules)
        yield from (f"* {note}" for note in contract.notes)
        yield ""


def _rules(column: Column) -> str:
    rules = [] if column.nullable else ["required"]
    if column.codes is not None:
        rules.append("one of " + ", ".join(column.codes))
    if column.range:
        rules.append(f"from {bound(column.range.min)} to {bound(column.range.max)}")
    if column.pattern:
        rules.append(f"matches `{column.pattern}`")
    if column.listed_in:
        rules.append(f"listed in `{column.listed_in}`")
    if column.missing:
        rules.append("missing values are written " + " or ".join(f"`{word}`" for word in column.missing))
    if column.present:
        rules.append(f"only in {bound(column.present.min)} to {bound(column.present.max)}")
    if column.source:
        rules.append("also called " + ", ".join(f"`{name}`" for name in column.source))
    if column.weight:
        rules.append(f"weighted by `{column.weight}`")
    return "; ".join(rules)


def _marts(publication: Publication) -> Iterator[str]:
    yield from head("Marts", f"{len(publication.marts)} marts, one Parquet file each in a release.")
    yield from ("How the numbers of each cube are protected (see [disclosure](../methods/disclosure.md)):", "")
    yield from table(
        ("cube", "mode", "minimum of persons", "minimum of cases"),
        ((cube, f"`{t.mode}`", str(t.persons), str(t.cases)) for cube, t in publication.thresholds.items()),
    )
    yield from ("The indicator that represents each aim in `triple_aim`:", "")
    yield from table(
        ("aim", "indicator"), ((aim, f"[{name}](indicators.md#{name})") for aim, name in publication.headlines.items())
    )
    yield from ("Closed lists that columns name:", "")
    yield from table(
        ("list", "values"), ((name, ", ".join(listed)) for name, listed in publication.value_lists.items())
    )
    yield from (
        "The content gives five more: `headlines` (above), `indicators` ([the specs](indicators.md)), `sources` ([the",
        "cubes](cubes.md)), `extracts` ([the contracts](contracts.md)) and `region_types` ([the regions](regions.md)).",
        "",
    )
    for mart in publication.marts:
        yield from _mart(mart)


def _mart(mart: Mart) -> Iterator[str]:
    yield from (f"## {mart.name}", "", f"{mart.title.en} / *{mart.title.nl}*", "")
    yield from (f"One row per {', '.join(f'`{name}`' for name in mart.grain)}.", "")
    yield from table(
        ("column", "type", "meaning", "values"),
        ((f"`{c.name}`", c.type, c.meaning.en, allowed_values(c)) for c in mart.columns),
    )


def _cubes(programme: Programme) -> Iterator[str]:
    yield from head("Cubes", "Sums by municipality and year, one file each in `sql/cube/<cube>.sql`.")
    for cube in programme.cubes.values():
        yield from _cube(cube, [s.id for s in programme.specs.values() if cube.name in programme.tables_of(s)])


def _cube(cube: Query, users: Sequence[str]) -> Iterator[str]:
    yield from (f"## {cube.name}", "", cube.purpose, "")
    required = "any of the sources" if cube.any_source else "all sources"
    sums = [name for name in cube.columns if name not in cube.grain]
    facts = {
        "one row per": ", ".join(f"`{name}`" for name in cube.grain),
        "reads": ", ".join(f"`{name}`" for name in sorted(cube.reads)),
        "built when": f"{required} are delivered for the year",
        "sums": ", ".join(f"`{name}`" for name in sums),
        **_parts(cube),
        "persons": f"`{cube.persons}`" if cube.persons else "not counted",
        **_followers(cube),
        "sums of several parties": _merging_of(cube),
        "supplies": ", ".join(f"[{name}](indicators.md#{name})" for name in users) or "no indicator",
    }
    yield from table(("", ""), facts.items())


def _parts(cube: Query) -> dict[str, str]:
    """The sums of a cube that are parts of one sum, by the name that a spec may use."""
    facts = {}
    if cube.part_of:
        facts["parts of"] = f"`{cube.part_of}.{cube.total}`, by `{cube.axis}` as `{cube.listed_in}` lists it"
    if cube.parts:
        facts["parts"] = ", ".join(f"`{name}` is `{column}`" for name, column in cube.parts)
    return facts


def _followers(cube: Query) -> dict[str, str]:
    """What the header of a cube states about its columns for the gate."""
    pairs = {"same persons or euros": cube.keyed_as, "change by one factor": cube.changes_with}
    facts = {name: ", ".join(f"`{a}` with `{b}`" for a, b in listed) for name, listed in pairs.items() if listed}
    return facts | ({"published by others": ", ".join(f"`{name}`" for name in cube.public)} if cube.public else {})


def _merging_of(cube: Query) -> str:
    """How the sums of several parties are combined in a federation."""
    merging = f"one party delivers all of a `{cube.single_party}` in a year" if cube.single_party else "cells are added"
    merging += f", except {', '.join(f'`{name}`' for name in cube.non_additive)}" if cube.non_additive else ""
    return merging


def _regions(regions: Regions, reference: Path) -> Iterator[str]:
    yield from head("Regions and reference tables", f"Municipal division of 1 January {regions.division_year}.")
    counts = {kind: len(regions.names(kind)) for kind in regions.types}
    yield from table(("region type", "regions"), ((kind, str(count)) for kind, count in counts.items()))
    own = "The setting `own_regions` adds a folder with your own classifications; see"
    yield from (f"{own} [own regions](../how-to/own-regions.md).", "", "## Sources of the reference tables", "")
    for path in sorted(reference.glob("*/*.yaml")):
        about = read_yaml(path)
        yield from (f"### {path.parent.name}/{path.stem}", "", f"{about['title']}.", "")
        facts = {key: str(about[key]) for key in ("source", "url", "licence", "date", "notes") if about.get(key)}
        yield from table(("", ""), facts.items())


def _cli() -> Iterator[str]:
    from typer.main import get_command

    from triple_aim.cli import app

    yield from head("Command line", "Data go to stdout; messages, progress and errors go to stderr.")
    yield from (
        "`--debug`, anywhere on the line, shows the traceback of an error. `NO_COLOR` in the environment removes the",
        "colours. A command ends with one of these [exit codes](exit-codes.md).",
        "",
    )
    yield from _command(get_command(app), ("triple-aim",))


def _command(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    """One command and its subcommands; typer has its own copy of click, so attributes are read without its types."""
    subcommands: Mapping[str, Any] = getattr(command, "commands", {})
    if subcommands:
        yield from () if len(path) == 1 else (f"## {' '.join(path)}", "")
        yield from ((command.help or ""), "")
        for name in sorted(subcommands):
            yield from _command(subcommands[name], (*path, name))
        return
    yield from (f"## {' '.join(path)}", "", (command.help or ""), "")
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    words = [p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments]
    yield from ("```sh", " ".join([*path, *words, "[OPTIONS]"]), "```", "")
    context = command.context_class(command)
    rows = [(f"`{p.name.upper()}`", _kind(p, context), p.help or "") for p in arguments]
    rows += [(", ".join(f"`{flag}`" for flag in p.opts), _kind(p, context), p.help or "") for p in options]
    yield from table(("", "", ""), rows)


def _kind(parameter: Any, context: Any) -> str:
    facts = ["flag" if getattr(parameter, "is_flag", False) else parameter.display_type(context).strip("<>")]
    facts += ["required"] if parameter.required else []
    if parameter.default not in (None, False):
        facts.append(f"default {getattr(parameter.default, 'value', parameter.default)}")
    return ", ".join(facts)


def _exit_codes() -> Iterator[str]:
    yield from head(
        "Exit codes", "For schedulers. A failure prints three lines: what happened, where, and how to correct it."
    )
    family = (
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.TripleAimError)
    )
    own_codes = {k.exit_code: (k.__name__, inspect.getdoc(k) or "") for k in family if k is not errors.TripleAimError}
    meanings = {**OTHER_CODES, **own_codes}
    yield from table(("code", "name", "meaning"), ((str(code), *meanings[code]) for code in sorted(meanings)))


def _words(name: str) -> str:
    return name.replace("_", " ")
