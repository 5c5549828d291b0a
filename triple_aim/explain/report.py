"""What an indicator means, and how one published number came about, told at the terminal.

Not here: the numbers themselves. Strata come from the cube and pass the same rule as a publication, or none is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from triple_aim.cubes import load_cells
from triple_aim.definitions import Compute, Programme, Spec
from triple_aim.deliveries import SLOT, landed
from triple_aim.errors import ProjectError
from triple_aim.explain.differencing import shown_levels
from triple_aim.explain.strata import Workings, trace, workings
from triple_aim.release import current_release, open_marts, read_manifest
from triple_aim.vocabulary import ALL, SHOWN
from triple_aim.warehouse import open_warehouse

FORMULAS = {
    "crude_rate": "events / person-time × {per:g}; limits: exact Poisson below 10 events, Byar from 10",
    "proportion": "cases / persons × {per:g}; limits: Wilson",
    "mean": "sum / persons × {per:g}; limits: Student t",
    "ratio": "sum / base × {per:g}; limits: delta method where the source has the spread between persons, else none",
    "directly_standardised_rate": "Σ weight × events / person-time, / Σ weight, × {per:g}; limits: {interval}",
    "directly_standardised_mean": "Σ weight × sum / base, / Σ weight, × {per:g}; limits: {interval}",
    "indirectly_standardised_ratio": "observed / Σ base × national rate × {per:g} over strata; limits: {interval}",
    "survey_proportion": "Σ weight × yes / Σ weight × {per:g}; limits: linearisation by stratum, on the logit scale",
    "survey_mean": "Σ weight × score / Σ weight × {per:g}; limits: linearisation by stratum, Student t",
    "survey_gap": "share of the second group − share of the first × {per:g}; limits: linearisation, Student t",
    "life_expectancy": "years lived beyond age {at} / survivors at {at}, in Chiang's life table; limits: Silcocks",
    "healthy_life_expectancy": "the same, each band's years times its share in good health (Sullivan)",
    "slope_index": "slope of the rates of groups on their middle rank × {per:g}; limits: simulation with a fixed seed",
    "relative_index": "fitted rate at the top / at the bottom of the ranking; limits: simulation with a fixed seed",
    "concentration_index": "2 × covariance of value and rank / mean ({correction}); limits: Kakwani and others",
    "gini": "1 − Σ share of persons × (sum of the Lorenz curve at both ends of the class)",
    "systematic_variation": "Σ ((observed − expected)² / expected² − 1 / expected) / municipalities × {per:g}",
    "growth": "(value / earlier value) ^ (1 / years) − 1, × {per:g}; over a trend: the slope of the logarithms",
    "decomposition": "Das Gupta: the effect of each factor, the others averaged over both periods; parts add up",
    "as_published": "the percentage as its publisher printed it; nothing is computed",
}


class Part(NamedTuple):
    """Which part of a total a number is of: at most one of these is not ``all``."""

    sex: str = ALL
    age_group: str = ALL
    segment: str = ALL

    @property
    def told(self) -> str:
        sexes = {"F": "women", "M": "men"}
        ages = "" if self.age_group == ALL else f", {self.age_group} years"
        sex = "" if self.sex == ALL else f", {sexes.get(self.sex, self.sex)}"
        return sex + ages + ("" if self.segment == ALL else f", {self.segment.replace('_', ' ')}")


TOTAL = Part()


def explain_indicator(
    console: Console, programme: Programme, name: str, region: str | None, period: int | None, part: Part = TOTAL
) -> None:
    """Print the meaning, each route, and for a region and period the number, its sums and its deliveries."""
    spec = programme.specs.get(name)
    if spec is None:
        near = [known for known in programme.specs if name in known or known in name]
        raise ProjectError(
            f"there is no indicator {name}", "explain", f"try {', '.join(near or sorted(programme.specs)[:4])}"
        )
    console.print(f"[bold]{spec.title.en}[/] ({spec.id} {spec.version}, {spec.aim})")
    console.print(spec.meaning.en, highlight=False)
    console.print(
        f"Unit: {spec.unit.en}. Population: {spec.population}. {spec.polarity.replace('_', ' ')}.", highlight=False
    )
    for route in spec.compute:
        console.print(f"From {' or '.join(route.cubes)}: {_formula(route)}", highlight=False)
        sums = f"  numerator {route.numerator}, denominator {route.denominator or '-'}"
        chosen = f", where {route.only}" if route.where else ""
        console.print(
            sums + chosen + (f", standard {route.standard}" if route.standard else ""), markup=False, highlight=False
        )
    for caution in spec.cautions:
        console.print(f"Caution: {caution.en}", style="yellow", highlight=False)
    if region and period:
        _explain_number(console, programme, spec, region, period, part)
    elif part != TOTAL:
        raise ProjectError("a part is explained of one region and year", "explain", "add --region and --period")


def _formula(route: Compute) -> str:
    return FORMULAS[route.method].format(
        per=route.per,
        at=route.at,
        interval=route.interval_method.replace("_", " "),
        correction=route.correction or "uncorrected",
    )


def _explain_number(console: Console, programme: Programme, spec: Spec, region: str, period: int, part: Part) -> None:
    project = programme.project
    release = current_release(project.publication)
    if release is None:
        raise ProjectError("nothing has been published yet", str(project.settings.publication), "triple-aim run")
    with open_marts(release, programme.publication) as marts:
        rows = marts.frame(
            """select * from mart.indicator_values where indicator_id = ? and region_code = ? and period = ?
               order by source, sex, age_group, segment""",
            [spec.id, region, period],
        )
    # A value may be shown without its sums; they are withheld then too.
    untold = rows["status"].isin(SHOWN) & rows["numerator"].isna() & ~rows["source"].map(_is_printed(spec))
    withheld = rows.loc[rows["status"].eq("suppressed") | untold, "source"].value_counts()
    chosen = _chosen(rows, part)
    if chosen.empty:
        asked = f"{spec.id} of {region} in {period}"
        raise ProjectError(
            f"there is no {asked}{part.told}", f"release {release.name}", _others(rows) or "check code and year"
        )
    found, levels = _made_again(programme, spec, chosen)
    for at, row in chosen.to_dict("index").items():
        _show_number(console, spec, row)
        if row["status"] in SHOWN:
            source, made = str(row["source"]), found.get(at)
            # Strata would tell of the parts that a publication does not.
            kept = f"{withheld[source]} parts of this number are withheld" if source in withheld else ""
            if made and not kept:
                reason = programme.publication.threshold(source).reason.en
                if made.hidden:
                    # A single hidden stratum could be solved for from the total, so all are hidden.
                    kept = (
                        f"{made.hidden} of {made.size}, with those of the numbers beside it, are too small ({reason})"
                    )
                elif row["region_type"] not in levels[at]:
                    kept = f"with those of other regions, some that are too small could be worked out ({reason})"
            _show_workings(console, spec, row, made, kept)
    if part == TOTAL:
        _show_segments(console, spec, rows)
        if others := _others(rows):
            console.print(f"  {others}", highlight=False)
    inputs = (read_manifest(release) or {}).get("facts", {}).get("inputs", {})
    _show_deliveries(console, programme, spec, period, inputs)


def _is_printed(spec: Spec) -> dict[str, bool]:
    """Whether a source gives percentages as another printed them, without sums."""
    return {cube: route.method == "as_published" for cube, route in spec.route_of.items()}


def _chosen(rows: pd.DataFrame, part: Part) -> pd.DataFrame:
    """The rows of a part, one a source; of the total the age groups of a source that knows no total."""
    rows = rows[rows["sex"].eq(part.sex) & rows["segment"].eq(part.segment)]
    if part != TOTAL:
        return rows[rows["age_group"] == part.age_group]
    known = rows.groupby("source")["age_group"].transform(lambda groups: groups.eq(ALL).any())
    return rows[(rows["age_group"] == ALL) | ~known]


def _others(rows: pd.DataFrame) -> str:
    """What else of a region and year can be asked for."""
    shown = rows[rows["status"].isin(SHOWN)]
    there = {f"--{name.replace('_', '-')}": sorted(set(shown[name]) - {ALL}) for name in Part._fields}
    told = "; ".join(f"{option} {', '.join(names)}" for option, names in there.items() if names)
    return told and f"also published: {told}"


def _show_number(console: Console, spec: Spec, row: Mapping[str, object]) -> None:
    """The number as it was published."""
    told = _estimate(spec, row, f" {row['unit']}") if pd.notna(row["value"]) else row["status"]
    part = Part(*(str(row[name]) for name in Part._fields)).told
    console.print()
    console.print(
        f"[bold]{row['region_name']}, {row['period']}{part}: {told}[/], from {row['source']}", highlight=False
    )
    if row["reason"]:
        console.print(f"  {row['status']}: {row['reason']}", highlight=False)
    if pd.notna(row["numerator"]):
        console.print(f"  numerator {row['numerator']:,.2f}, denominator {row['denominator']:,.2f}", highlight=False)
    if pd.notna(row["comparator_value"]):
        rest = f"{row['comparator_value']:,.{spec.decimals}f}: {row['difference']}"
        console.print(f"  rest of the Netherlands {rest}", highlight=False)


def _estimate(spec: Spec, row: Mapping[str, object], unit: str = "") -> str:
    """A value with its limits, as precisely as it is printed."""
    value, lower, upper = (row[name] for name in ("value", "lower", "upper"))
    limits = f" ({lower:,.{spec.decimals}f} to {upper:,.{spec.decimals}f})" if pd.notna(lower) else ""
    return f"{value:,.{spec.decimals}f}{unit}{limits}"


def _show_segments(console: Console, spec: Spec, rows: pd.DataFrame) -> None:
    """The published parts beside a total: kinds of care, components of a change, bases of growth."""
    if (parts := rows[rows["segment"].ne(ALL) & rows["value"].notna()]).empty:
        return
    table = Table("source", "part", spec.unit.en, box=SIMPLE_HEAD, title="parts")
    for source, segment, value in parts[["source", "segment", "value"]].itertuples(index=False):
        table.add_row(source, segment.replace("_", " "), f"{value:,.{spec.decimals}f}")
    console.print(table)


def _made_again(
    programme: Programme, spec: Spec, rows: pd.DataFrame
) -> tuple[dict[object, Workings], dict[object, list[str]]]:
    """What the rows are made of, from the cubes in the warehouse now, and of which kinds of region it may be told."""
    project = programme.project
    if not project.warehouse.is_file():
        return {}, {}
    with open_warehouse(project.warehouse, reach=[project.landing]) as warehouse:  # stg may show files in it
        cells = {name: load_cells(warehouse, programme.cubes[name]) for name in programme.cubes_of(spec)}
        regions = programme.regions(warehouse)
    # Breakdowns that nobody asked for need not be made again.
    asked = {*rows["segment_type"], *(name for name in ("sex", "age_group") if rows[name].ne(ALL).any())}
    spec = spec.model_copy(update={"breakdowns": [name for name in spec.breakdowns if name in asked]})
    found: dict[object, Workings] = {}
    levels: dict[object, list[str]] = {}
    for cube, those in rows[rows["status"].isin(SHOWN) & ~rows["source"].map(_is_printed(spec))].groupby("source"):
        least = programme.publication.threshold(str(cube))
        traced = trace(spec, cells, str(cube), regions, programme.tables)
        made = {at: workings(traced, row, least) for at, row in those.to_dict("index").items()}
        found |= {at: working for at, working in made.items() if working}
        # One that is hidden already needs no look at the other regions.
        apart = {at for at, working in made.items() if working and not working.hidden}
        levels |= {at: shown_levels(traced, rows.loc[at].to_dict(), least) for at in apart}
    return found, levels


def _show_workings(console: Console, spec: Spec, row: Mapping[str, object], found: Workings | None, kept: str) -> None:
    """The strata of one row, unless ``kept`` says why they are kept back, and the value made again from them."""
    if found is None:
        printed = _is_printed(spec)[str(row["source"])]
        why = FORMULAS["as_published"] if printed else "it cannot be made again: the warehouse does not hold its sums"
        console.print(f"  {why}", highlight=False)
        return
    again = _estimate(spec, {name: getattr(found.again, name).item() for name in ("value", "lower", "upper")})
    if again != _estimate(spec, row):
        # What the gate has not seen is not told.
        console.print("  it comes out otherwise: the warehouse holds other data or content than this release")
        return
    beside = {name: total for name, total in found.beside.items() if name not in ("numerator", "denominator")}
    if beside and pd.notna(row["numerator"]):
        told = ", ".join(f"{name.replace('_', ' ')} {_number(total)}" for name, total in beside.items())
        console.print(f"  of all strata together: {told}", highlight=False)
    if kept:
        console.print(f"  strata are not shown: {kept}", highlight=False)
    else:
        table = Table(*(name.replace("_", " ") for name in found.strata), box=SIMPLE_HEAD, title="strata")
        for stratum in found.strata.itertuples(index=False):
            table.add_row(*(part if isinstance(part, str) else _number(part) for part in stratum))
        console.print(table)
    console.print(f"  made again from its strata: {again}, as published", highlight=False)


def _number(value: float) -> str:
    """Whole numbers whole, amounts to the cent, rates and weights to six digits."""
    if pd.isna(value):
        return "–"
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.6g}"


def _show_deliveries(console: Console, programme: Programme, spec: Spec, period: int, inputs: dict[str, str]) -> None:
    """The files a number rests on, with their hashes."""
    reads = {extract for cube in programme.cubes_of(spec) for extract in programme.extracts_of(programme.cubes[cube])}
    years = {year for route in spec.compute for year in _years(route, period)}
    for slot, sha256 in sorted(inputs.items()):
        extract, year, party = slot.split("/", 2)
        if extract == SLOT and int(year) in years:
            console.print(f"  contribution of {party} sha256 {sha256[:16]}…", highlight=False)
        elif extract in reads and int(year) in years:
            names = [d.name for d in landed(programme.project.landing, extract) if d.sha256 == sha256]
            console.print(f"  {extract}: {names[0] if names else '?'} sha256 {sha256[:16]}…", highlight=False)


def _years(route: Compute, period: int) -> Iterable[int]:
    """The years that a number of a period is made of."""
    if route.growth and route.growth.base:
        return (route.growth.base, period)
    two_ends = 2 if route.growth or route.method == "decomposition" else 1
    years = route.growth.years if route.growth and route.growth.years else max(two_ends, route.pool)
    return range(period + 1 - years, period + 1)
