"""What an indicator means, and how one published number came about, told at the terminal.

Not here: the numbers themselves. Strata come from the cube and pass the same rule as a publication, or none is shown.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from triple_aim.cubes import load_cells
from triple_aim.errors import ProjectError
from triple_aim.landing import landed
from triple_aim.programme import Programme
from triple_aim.readers import open_marts
from triple_aim.releases import current_release, read_manifest
from triple_aim.specs import Compute, Spec
from triple_aim.vocabulary import ALL, SHOWN
from triple_aim.warehouse import open_warehouse
from triple_aim.workings import workings

FORMULAS = {
    "crude_rate": "events / person-time × {per:g}; limits: exact Poisson below 10 events, Byar from 10",
    "proportion": "cases / persons × {per:g}; limits: Wilson",
    "mean": "sum / persons × {per:g}; limits: Student t",
    "ratio": "sum / base × {per:g}; limits: delta method where the source has the spread between persons, else none",
    "directly_standardised_rate": "Σ weight × events / person-time × {per:g} over strata; limits: {interval}",
    "directly_standardised_mean": "Σ weight × sum / base × {per:g} over strata; limits: {interval}",
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
        console.print(f"From {' or '.join(route.cubes)}: {_formula(route)}", highlight=False)
        sums = f"  numerator {route.numerator}, denominator {route.denominator or '-'}"
        chosen = f", where {', '.join(route.where)}" if route.where else ""
        console.print(
            sums + chosen + (f", standard {route.standard}" if route.standard else ""), markup=False, highlight=False
        )
    for caution in spec.cautions:
        console.print(f"Caution: {caution.en}", style="yellow", highlight=False)
    if region and period:
        _explain_number(console, programme, spec, region, period)


def _formula(route: Compute) -> str:
    return FORMULAS[route.method].format(
        per=route.per,
        at=route.at,
        interval=route.interval_method.replace("_", " "),
        correction=route.correction or "uncorrected",
    )


def _explain_number(console: Console, programme: Programme, spec: Spec, region: str, period: int) -> None:
    project = programme.project
    release = current_release(project.publication)
    if release is None:
        raise ProjectError("nothing has been published yet", str(project.settings.publication), "triple-aim run")
    with open_marts(release, programme.publication) as marts:
        rows = marts.frame(
            """select * from mart.indicator_values where indicator_id = ? and region_code = ? and period = ?
               order by source, age_group, segment""",
            [spec.id, region, period],
        )
    withheld = rows.loc[rows["status"] == "suppressed", "source"].value_counts()
    rows = rows[rows["sex"] == ALL]
    parts, rows = rows[rows["segment"] != ALL], rows[rows["segment"] == ALL]
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
        if row["reason"]:
            console.print(f"  {row['status']}: {row['reason']}", highlight=False)
        if row["status"] not in SHOWN:
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
        if hidden := int(withheld.get(row["source"], 0)):
            # Strata would tell of the parts that a publication does not.
            console.print(f"  strata are not shown: {hidden} parts of this number are withheld", highlight=False)
            continue
        _show_workings(console, programme, spec, row)
    _show_segments(console, spec, parts)
    _show_deliveries(
        console, programme, spec, period, (read_manifest(release) or {}).get("facts", {}).get("inputs", {})
    )


def _show_segments(console: Console, spec: Spec, parts: pd.DataFrame) -> None:
    """The published parts beside a total: kinds of care, components of a change, bases of growth."""
    if (parts := parts[parts["value"].notna()]).empty:
        return
    table = Table("source", "part", spec.unit.en, box=SIMPLE_HEAD, title="parts")
    for source, segment, value in parts[["source", "segment", "value"]].itertuples(index=False):
        table.add_row(source, segment.replace("_", " "), f"{value:,.{spec.decimals}f}")
    console.print(table)


def _show_workings(console: Console, programme: Programme, spec: Spec, row: Mapping[str, object]) -> None:
    """The strata of one row, from the cube that is in the warehouse now, and the value made again from them."""
    cube, project = str(row["source"]), programme.project
    route = spec.route_of[cube]
    if route.method == "as_published" or not project.warehouse.is_file():
        return
    with open_warehouse(project.warehouse) as warehouse:
        cells = {name: load_cells(warehouse, programme.cubes[name]) for name in programme.cubes_of(spec)}
        regions = programme.regions(warehouse)
    least = programme.publication.threshold(cube)
    region, period = str(row["region_code"]), int(str(row["period"]))
    found = workings(spec, cells, cube, regions, programme.tables, region, period, least)
    if found is None:
        return
    if found.hidden:
        # A single hidden stratum could be solved for from the total, so all are hidden.
        size, reason = len(found.strata), least.reason.en
        console.print(f"  strata are not shown: {found.hidden} of {size} are too small ({reason})", highlight=False)
    elif len(found.strata):
        table = Table(*(name.replace("_", " ") for name in found.strata), box=SIMPLE_HEAD, title="strata")
        for stratum in found.strata.itertuples(index=False):
            table.add_row(*(part if isinstance(part, str) else _number(part) for part in stratum))
        console.print(table)
    if found.again is not None:
        value, lower, upper = (part.item() for part in (found.again.value, found.again.lower, found.again.upper))
        limits = f" ({lower:,.{spec.decimals}f} to {upper:,.{spec.decimals}f})" if pd.notna(lower) else ""
        console.print(f"  made again from its strata: {value:,.{spec.decimals}f}{limits}", highlight=False)


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
    for slot, sha256 in sorted(inputs.items()):
        extract, year, _ = slot.split("/", 2)
        if extract in reads and int(year) == period:
            names = [d.name for d in landed(programme.project.landing, extract) if d.sha256 == sha256]
            console.print(f"  {extract}: {names[0] if names else '?'} sha256 {sha256[:16]}…", highlight=False)
