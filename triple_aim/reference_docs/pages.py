"""The written reference, ``docs/reference/*.md``, from the same models that run.

Not here: explanations (``docs/methods``, ``docs/how-to``) or the catalogue in a release (``triple_aim.release``). No
page depends on a delivery, a clock or a machine: the same content gives the same bytes, and a test holds the tree to
them.
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
from triple_aim.reference_docs.checks import checks_page, promise
from triple_aim.reference_docs.coverage import coverage
from triple_aim.reference_docs.markdown import bound, head, table
from triple_aim.warehouse import Query

AIMS = ("health", "quality", "cost")
#: Codes that no error class of ours stands for.
OTHER_CODES = {
    0: ("done", "The command did what it was asked."),
    1: ("unforeseen", "An error nobody foresaw; with `--debug` after the command its traceback is shown."),
    2: ("usage", "The command line itself is wrong: an unknown option, a missing argument."),
}


def pages(project: Project) -> dict[str, str]:
    """Every page by file name."""
    programme = load_programme(project)
    shipped = Regions.load(project.reference / "regions", project.settings.division_year)
    made = {
        "indicators": _indicators(programme.specs.values()),
        "coverage": coverage(programme.menu, programme.specs.values()),
        "contracts": _contracts(programme.contracts.values()),
        "marts": _marts(programme.publication),
        "cubes": _cubes(programme),
        "regions": _regions(shipped, project.reference),
        "cli": _cli(),
        "checks": checks_page(programme, programme.regions()),
        "exit-codes": _exit_codes(),
    }
    return {f"{name}.md": "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}


def main() -> None:
    """Write the pages, and the JSON schemas of the content where the engine can make them."""
    project = load_project()
    for name, text in pages(project).items():
        path = project.root / "docs" / "reference" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
    if find_spec("triple_aim.definitions.json_schemas"):
        import_module("triple_aim.definitions.json_schemas").write_schemas(project)
    sys.stdout.write("docs/reference\n")


def _indicators(specs: Iterable[Spec]) -> Iterator[str]:
    told = list(specs)
    yield from head("Indicators", f"{len(told)} indicators, one file each in `indicator_specs/<aim>/<indicator>.yaml`.")
    for aim in AIMS:
        ours = [spec for spec in told if spec.aim == aim]
        yield from (f"## {aim.capitalize()}", "")
        yield from table(
            ("indicator", "title", "unit", "population"),
            ((f"[{s.id}](#{s.id})", s.title.en, s.unit.en, s.population) for s in ours),
        )
        for spec in ours:
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
            yield f"* adds `{addend.cube}.{addend.numerator}` as {addend.segment}, over `{addend.denominator}`"
    for item in spec.breaks:
        yield f"* {'level moved' if item.comparable else 'series break'} from {item.from_}: {item.reason.en}"
    yield from (f"* caution: {caution.en}" for caution in spec.cautions)
    given = ", ".join(f"{name} {values}" for name, values in spec.example.given.items())
    yield from (f"* example: {given} give {spec.example.value}", "")


def _route(cube: str, route: Compute) -> tuple[str, ...]:
    return (
        f"[{cube}](cubes.md#{cube})",
        route.method,
        f"`{route.numerator}`",
        f"`{route.denominator}`" if route.denominator else "",
        f"{route.per:g}",
        route.standard or (route.growth.standard if route.growth else ""),
        route.interval_method,
        route.only,
    )


def _contracts(contracts: Iterable[Contract]) -> Iterator[str]:
    told = list(contracts)
    yield from head(
        "Extracts", f"{len(told)} extracts can be delivered, one contract each in `contracts/<extract>.yaml`."
    )
    yield from table(
        ("extract", "title", "level", "supplier"),
        ((f"[{c.extract}](#{c.extract})", c.title.en, c.level, c.supplier) for c in told),
    )
    for contract in told:
        yield from (f"## {contract.extract}", "", f"**{contract.title.en}** / *{contract.title.nl}*", "")
        yield from (contract.meaning.en, "")
        told_by = "the file's name" if hasattr(contract.period, "file_name") else f"column `{contract.period.column}`"
        ledger = contract.ledger
        facts = {
            "version": contract.version,
            "grain": contract.grain,
            "key": ", ".join(contract.key),
            "period from": told_by,
            "files": "; ".join(f"`{f.pattern}` ({f.format.type})" for f in contract.files),
            "may be set aside": f"{contract.set_aside.max_share:.1%} of the rows",
            "unknown columns": "are ignored" if contract.extra_columns == "ignore" else "refuse the delivery",
            "counted again in": f"`{ledger.cube}.{ledger.rows}`" if ledger else "no cube",
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
    told = [] if column.nullable else ["required"]
    if column.codes is not None:
        told.append("one of " + ", ".join(column.codes))
    if column.range:
        told.append(f"from {bound(column.range.min)} to {bound(column.range.max)}")
    if column.pattern:
        told.append(f"fits `{column.pattern}`")
    if column.listed_in:
        told.append(f"listed in `{column.listed_in}`")
    if column.missing:
        told.append("missing is written " + " or ".join(f"`{word}`" for word in column.missing))
    if column.present:
        told.append(f"only in {bound(column.present.min)} to {bound(column.present.max)}")
    if column.source:
        told.append("also called " + ", ".join(f"`{name}`" for name in column.source))
    if column.weight:
        told.append(f"weighted by `{column.weight}`")
    return "; ".join(told)


def _marts(publication: Publication) -> Iterator[str]:
    yield from head("Marts", f"{len(publication.marts)} marts, one Parquet file each in a release.")
    yield from ("Thresholds of publication, by cube (see [disclosure](../methods/disclosure.md)):", "")
    yield from table(
        ("cube", "least persons", "least cases", "what readers see"),
        ((cube, str(t.persons), str(t.cases), t.reason.en) for cube, t in publication.thresholds.items()),
    )
    yield from ("Which indicator stands for which aim in `triple_aim`:", "")
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
        ((f"`{c.name}`", c.type, c.meaning.en, promise(c)) for c in mart.columns),
    )


def _cubes(programme: Programme) -> Iterator[str]:
    yield from head("Cubes", "Sums by municipality and year, one file each in `sql/cube/<cube>.sql`.")
    for cube in programme.cubes.values():
        yield from _cube(cube, [s.id for s in programme.specs.values() if cube.name in programme.cubes_of(s)])


def _cube(cube: Query, users: Sequence[str]) -> Iterator[str]:
    yield from (f"## {cube.name}", "", cube.purpose, "")
    needs = "any of them" if cube.any_source else "all of them"
    sums = [name for name in cube.columns if name not in cube.grain]
    facts = {
        "one row per": ", ".join(f"`{name}`" for name in cube.grain),
        "reads": ", ".join(f"`{name}`" for name in sorted(cube.reads)),
        "made where": f"{needs} were delivered for the year",
        "sums": ", ".join(f"`{name}`" for name in sums),
        "persons": f"`{cube.persons}`" if cube.persons else "not counted",
        "of several parties": _of_parties(cube),
        "supplies": ", ".join(f"[{name}](indicators.md#{name})" for name in users) or "no indicator",
    }
    yield from table(("", ""), facts.items())


def _of_parties(cube: Query) -> str:
    """What happens to a cube in a federation."""
    told = f"a `{cube.whole}` of a year comes whole from one party" if cube.whole else "cells add up"
    return told + (f", but for {', '.join(f'`{name}`' for name in cube.apart)}" if cube.apart else "")


def _regions(regions: Regions, reference: Path) -> Iterator[str]:
    yield from head("Regions and reference tables", f"Municipal division of 1 January {regions.division_year}.")
    counts = {kind: len(regions.names(kind)) for kind in regions.types}
    yield from table(("region type", "regions"), ((kind, str(count)) for kind, count in counts.items()))
    own = "A folder of one's own classifications is added by the setting `own_regions`; see"
    yield from (f"{own} [own regions](../how-to/own-regions.md).", "", "## Where every reference table comes from", "")
    for path in sorted(reference.glob("*/*.yaml")):
        about = read_yaml(path)
        yield from (f"### {path.parent.name}/{path.stem}", "", f"{about['title']}.", "")
        facts = {key: str(about[key]) for key in ("source", "url", "licence", "date", "notes") if about.get(key)}
        yield from table(("", ""), facts.items())


def _cli() -> Iterator[str]:
    from typer.main import get_command

    from triple_aim.cli import app

    yield from head("Command line", "Data goes to stdout; talk, progress and errors go to stderr.")
    yield from (
        "`--debug`, anywhere on the line, shows the traceback of an error. `NO_COLOR` in the environment takes the",
        "colour out. Every way to end has an [exit code](exit-codes.md).",
        "",
    )
    yield from _command(get_command(app), ("triple-aim",))


def _command(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    """One command and those under it; typer has its own copy of click, so the shapes are taken as they come."""
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    if inner:
        yield from () if len(path) == 1 else (f"## {' '.join(path)}", "")
        yield from ((command.help or ""), "")
        for name in sorted(inner):
            yield from _command(inner[name], (*path, name))
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
    told = ["flag" if getattr(parameter, "is_flag", False) else parameter.display_type(context).strip("<>")]
    told += ["required"] if parameter.required else []
    if parameter.default not in (None, False):
        told.append(f"default {getattr(parameter.default, 'value', parameter.default)}")
    return ", ".join(told)


def _exit_codes() -> Iterator[str]:
    yield from head(
        "Exit codes", "What a scheduler sees; each failure is told in three lines: what, where, how to mend it."
    )
    family = (
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.TripleAimError)
    )
    ours = {k.exit_code: (k.__name__, inspect.getdoc(k) or "") for k in family if k is not errors.TripleAimError}
    told = {**OTHER_CODES, **ours}
    yield from table(("code", "name", "meaning"), ((str(code), *told[code]) for code in sorted(told)))


def _words(name: str) -> str:
    return name.replace("_", " ")
