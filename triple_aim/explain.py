"""What an indicator means, and how one published number came about, told at the terminal.

Not here: the numbers themselves. Strata come from the cube and pass the same rule as a publication, or none is shown.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from triple_aim.cubes import load_cells
from triple_aim.disclosure.primary import too_small
from triple_aim.errors import ProjectError
from triple_aim.landing import landed
from triple_aim.numerators import cases, numerators
from triple_aim.programme import Programme
from triple_aim.readers import open_marts
from triple_aim.releases import current_release, read_manifest
from triple_aim.rollup import flat, geography, where
from triple_aim.specs import Compute, Spec
from triple_aim.vocabulary import ALL
from triple_aim.warehouse import open_warehouse

FORMULAS = {
    "crude_rate": "events / person-time × {per:g}; limits: exact Poisson below 10 events, Byar from 10",
    "proportion": "cases / persons × {per:g}; limits: Wilson",
    "mean": "sum / persons × {per:g}; limits: Student t",
    "ratio": "sum / base × {per:g}; limits: delta method where the source has the spread between persons, else none",
    "directly_standardised_rate": "Σ weight × events / person-time × {per:g} over sex and age; limits: Dobson",
    "directly_standardised_mean": "Σ weight × sum / base × {per:g} over sex and age; limits: delta method",
    "indirectly_standardised_ratio": "observed / Σ base × national rate × {per:g} over sex and age; limits: Byar",
    "survey_proportion": "Σ weight × yes / Σ weight × {per:g}; limits: linearisation by stratum, on the logit scale",
    "growth": "(value / earlier value) ^ (1 / years) − 1, × {per:g}",
    "as_published": "the percentage as its publisher printed it; nothing is computed",
}


def explain_indicator(
    console: Console, programme: Programme, name: str, region: str | None, period: int | None
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
        console.print(
            f"From {' or '.join(route.cubes)}: {FORMULAS[route.method].format(per=route.per)}", highlight=False
        )
        sums = f"  numerator {route.numerator}, denominator {route.denominator or '-'}"
        chosen = f", where {', '.join(route.where)}" if route.where else ""
        console.print(
            sums + chosen + (f", standard {route.standard}" if route.standard else ""), markup=False, highlight=False
        )
    for caution in spec.cautions:
        console.print(f"Caution: {caution.en}", style="yellow", highlight=False)
    if region and period:
        _explain_number(console, programme, spec, region, period)


def _explain_number(console: Console, programme: Programme, spec: Spec, region: str, period: int) -> None:
    project = programme.project
    release = current_release(project.publication)
    if release is None:
        raise ProjectError("nothing has been published yet", str(project.settings.publication), "triple-aim run")
    with open_marts(release, programme.publication) as marts:
        rows = marts.frame(
            """select * from mart.indicator_values where indicator_id = ? and region_code = ? and period = ?
               and sex = 'all' and segment = 'all' order by source, age_group""",
            [spec.id, region, period],
        )
    if rows.empty:
        raise ProjectError(
            f"there is no {spec.id} of {region} in {period}", f"release {release.name}", "check code and year"
        )
    # The total of a source, or its age groups where it knows no total.
    known = rows.groupby("source")["age_group"].transform(lambda groups: groups.eq(ALL).any())
    rows = rows[(rows["age_group"] == ALL) | ~known]
    for row in rows.to_dict("records"):
        console.print()
        ages = "" if row["age_group"] == ALL else f", {row['age_group']} years"
        told = f"{row['value']:,.{spec.decimals}f} {row['unit']}" if pd.notna(row["value"]) else row["status"]
        limits = (
            f" ({row['lower']:,.{spec.decimals}f} to {row['upper']:,.{spec.decimals}f})"
            if pd.notna(row["lower"])
            else ""
        )
        console.print(
            f"[bold]{row['region_name']}, {period}{ages}: {told}{limits}[/], from {row['source']}", highlight=False
        )
        if row["status"] != "published":
            console.print(f"  {row['reason']}", highlight=False)
            continue
        if pd.notna(row["numerator"]):
            console.print(
                f"  numerator {row['numerator']:,.2f}, denominator {row['denominator']:,.2f}", highlight=False
            )
        if pd.notna(row["comparator_value"]):
            console.print(
                f"  rest of the Netherlands {row['comparator_value']:,.{spec.decimals}f}: {row['difference']}",
                highlight=False,
            )
        _show_strata(console, programme, spec, str(row["source"]), region, period)
    _show_deliveries(
        console, programme, spec, period, (read_manifest(release) or {}).get("facts", {}).get("inputs", {})
    )


def _show_strata(console: Console, programme: Programme, spec: Spec, cube: str, region: str, period: int) -> None:
    """Numerator and denominator by sex and age band, from the cube that is in the warehouse now."""
    route: Compute = spec.route_of[cube]
    project = programme.project
    if route.denominator is None or not project.warehouse.is_file():
        return
    with open_warehouse(project.warehouse) as warehouse:
        names = {cube, *(addend.cube for addend in route.add)}
        cells = {name: load_cells(warehouse, programme.cubes[name]) for name in names}
        regions = programme.regions(warehouse)
    mine = where(cells[cube], route)
    if str(period) not in mine.labels["period"]:
        return
    place = geography(regions, spec.levels, mine.labels["municipality_code"])
    at = int(np.flatnonzero(place.frame["region_code"] == region)[0])
    when = mine.labels["period"].index(str(period))
    _, top = numerators(route, mine, cells)
    total, base = (place.roll_up(array)[when, at] for array in (top[ALL], flat(mine, route.denominator)))
    persons = place.roll_up(flat(mine, route.persons))[when, at] if route.persons else base
    counted = cases(route, mine, ALL)
    behind = np.nan if counted is None else place.roll_up(counted)[when, at]
    least = programme.publication.threshold(cube)
    others = base - behind if route.method == "proportion" else np.nan
    enough = max(least.persons, spec.disclosure.get("threshold", 0))
    small = too_small(persons, behind, others, least_persons=enough, least_cases=least.cases) & (base > 0)
    if small.any():
        # A single hidden stratum could be solved for from the total, so all are hidden.
        console.print(f"  strata are not shown: {small.sum()} of {small.size} are too small ({least.reason.en})")
        return
    table = Table("sex", "age", "numerator", "denominator", box=SIMPLE_HEAD, title="strata")
    for sex, band in np.ndindex(total.shape):
        told = (f"{total[sex, band]:,.2f}", f"{base[sex, band]:,.2f}")
        table.add_row(mine.labels["sex"][sex], mine.labels["age_band"][band], *told)
    console.print(table)


def _show_deliveries(console: Console, programme: Programme, spec: Spec, period: int, inputs: dict[str, str]) -> None:
    """The files a number rests on, with their hashes."""
    reads = {name for cube in programme.cubes_of(spec) for name in programme.cubes[cube].reads}
    for slot, sha256 in sorted(inputs.items()):
        extract, year, _ = slot.split("/", 2)
        if f"stg.{extract}" in reads and int(year) == period:
            names = [d.name for d in landed(programme.project.landing, extract) if d.sha256 == sha256]
            console.print(f"  {extract}: {names[0] if names else '?'} sha256 {sha256[:16]}…", highlight=False)
