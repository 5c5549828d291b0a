"""The terminal report on an indicator: its meaning, and the strata and deliveries of one published number.

Not here: the numbers themselves. Strata come from the cube; they are shown only if all of them pass the threshold rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from triple_aim.cubes import load_cells
from triple_aim.definitions import Compute, Programme, Spec
from triple_aim.deliveries import CONTRIBUTION, landed_deliveries
from triple_aim.errors import ProjectError
from triple_aim.explain.differencing import shown_levels
from triple_aim.explain.strata import Derivation, Row, derive, trace
from triple_aim.release import current_release, open_marts, read_manifest
from triple_aim.vocabulary import ALL, SHOWN
from triple_aim.warehouse import Warehouse, open_warehouse, qualified

FORMULAS = {
    "crude_rate": "events / person-time × {per:g}; limits: exact Poisson below 10 events, Byar from 10",
    "proportion": "cases / persons × {per:g}; limits: Wilson",
    "mean": "sum / persons × {per:g}; limits: Student t",
    "ratio": "sum / base × {per:g}; limits: {interval}",
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
    """The part of a total that a number is about: at most one field is not ``all``."""

    sex: str = ALL
    age_group: str = ALL
    segment: str = ALL

    @property
    def label(self) -> str:
        sexes = {"F": "women", "M": "men"}
        ages = "" if self.age_group == ALL else f", {self.age_group} years"
        sex = "" if self.sex == ALL else f", {sexes.get(self.sex, self.sex)}"
        return sex + ages + ("" if self.segment == ALL else f", {self.segment.replace('_', ' ')}")


TOTAL = Part()


def explain_indicator(
    console: Console, programme: Programme, name: str, region: str | None, period: int | None, part: Part = TOTAL
) -> None:
    """Print the meaning and the routes; with a region and period also the number, its strata and its deliveries."""
    spec = programme.specs.get(name)
    if spec is None:
        similar = [known for known in programme.specs if name in known or known in name]
        raise ProjectError(
            f"there is no indicator {name}", "explain", f"try {', '.join(similar or sorted(programme.specs)[:4])}"
        )
    console.print(f"[bold]{spec.title.en}[/] ({spec.id} {spec.version}, {spec.aim})")
    console.print(spec.meaning.en, highlight=False)
    console.print(
        f"Unit: {spec.unit.en}. Population: {spec.population}. {spec.polarity.replace('_', ' ')}.", highlight=False
    )
    for route in spec.compute:
        console.print(f"From {' or '.join(route.cubes)}: {_formula(route)}", highlight=False)
        by_segment = f" by {route.segments}" if route.segments else ""
        sums = f"  numerator {route.numerator}{by_segment}, denominator {route.denominator or '-'}"
        condition = f", where {route.only}" if route.where else ""
        console.print(
            sums + condition + (f", standard {route.standard}" if route.standard else ""), markup=False, highlight=False
        )
    for caution in spec.cautions:
        console.print(f"Caution: {caution.en}", style="yellow", highlight=False)
    if region and period:
        _explain_number(console, programme, spec, region, period, part)
    elif part != TOTAL:
        raise ProjectError("a part needs a region and a year", "explain", "add --region and --period")


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
    # A published value without its sums counts as withheld in mode suppress, which removes only the sums of some.
    modes = {cube: programme.publication.threshold(cube).mode for cube in spec.route_of}
    is_suppressing = rows["source"].map(modes).eq("suppress")
    without_sums = rows["status"].isin(SHOWN) & rows["numerator"].isna() & is_suppressing
    withheld = rows.loc[rows["status"].eq("suppressed") | without_sums, "source"].value_counts()
    chosen = _rows_of_part(rows, part)
    if chosen.empty:
        asked = f"{spec.id} of {region} in {period}"
        raise ProjectError(
            f"there is no {asked}{part.label}",
            f"release {release.name}",
            _available_parts(rows) or "check code and year",
        )
    derivations, levels, exact = _derive_rows(programme, spec, chosen)
    for index, row in chosen.to_dict("index").items():
        _show_number(console, spec, row)
        if row["status"] in SHOWN:
            source, derivation = str(row["source"]), derivations.get(index)
            # Strata would reveal the withheld parts.
            why_hidden = f"{withheld[source]} parts of this number are withheld" if source in withheld else ""
            if derivation and not why_hidden:
                if small := derivation.small_count:
                    # A single hidden stratum could be solved for from the total, so all are hidden.
                    count = derivation.stratum_count
                    why_hidden = f"{small} of {count}, including those of sibling numbers, are too small"
                elif row["region_type"] not in levels[index]:
                    why_hidden = "small ones would follow from the strata of other regions"
            source_mode = modes[str(row["source"])]
            _show_derivation(console, spec, exact.get(index, row), derivation, why_hidden, source_mode)
    if part == TOTAL:
        _show_segments(console, spec, rows)
        if others := _available_parts(rows):
            console.print(f"  {others}", highlight=False)
    inputs = (read_manifest(release) or {}).get("facts", {}).get("inputs", {})
    _show_deliveries(console, programme, spec, period, inputs)


def _is_as_published(spec: Spec) -> dict[str, bool]:
    """Return whether each source holds percentages that another party published, without sums."""
    return {cube: route.method == "as_published" for cube, route in spec.route_of.items()}


def _rows_of_part(rows: pd.DataFrame, part: Part) -> pd.DataFrame:
    """Return the row of a part per source; for the total, all age groups of a source without a total."""
    rows = rows[rows["sex"].eq(part.sex) & rows["segment"].eq(part.segment)]
    if part != TOTAL:
        return rows[rows["age_group"] == part.age_group]
    has_total = rows.groupby("source")["age_group"].transform(lambda groups: groups.eq(ALL).any())
    return rows[(rows["age_group"] == ALL) | ~has_total]


def _available_parts(rows: pd.DataFrame) -> str:
    """Return the options that select another published part of a region and year, as text."""
    shown = rows[rows["status"].isin(SHOWN)]
    options = {f"--{name.replace('_', '-')}": sorted(set(shown[name]) - {ALL}) for name in Part._fields}
    text = "; ".join(f"{option} {', '.join(names)}" for option, names in options.items() if names)
    return text and f"also published: {text}"


def _show_number(console: Console, spec: Spec, row: Row) -> None:
    """Print the number as it was published."""
    result: str = _format_estimate(spec, row, f" {row['unit']}") if pd.notna(row["value"]) else row["status"]
    part = Part(*(str(row[name]) for name in Part._fields)).label
    console.print()
    console.print(
        f"[bold]{row['region_name']}, {row['period']}{part}: {result}[/], from {row['source']}", highlight=False
    )
    if row["reason"]:
        console.print(f"  {row['status']}: {row['reason']}", highlight=False)
    if pd.notna(row["numerator"]):
        console.print(f"  numerator {row['numerator']:,.2f}, denominator {row['denominator']:,.2f}", highlight=False)
    if pd.notna(row["comparator_value"]):
        rest = f"{row['comparator_value']:,.{spec.decimals}f}: {row['difference']}"
        console.print(f"  rest of the Netherlands {rest}", highlight=False)


def _format_estimate(spec: Spec, row: Row, unit: str = "") -> str:
    """Return a value and its limits as text, with the decimals of the indicator."""
    value, lower, upper = (row[name] for name in ("value", "lower", "upper"))
    limits = f" ({lower:,.{spec.decimals}f} to {upper:,.{spec.decimals}f})" if pd.notna(lower) else ""
    return f"{value:,.{spec.decimals}f}{unit}{limits}"


def _show_segments(console: Console, spec: Spec, rows: pd.DataFrame) -> None:
    """Print the published parts of a total: kinds of care, components of a change, bases of growth."""
    if (parts := rows[rows["segment"].ne(ALL) & rows["value"].notna()]).empty:
        return
    table = Table("source", "part", spec.unit.en, box=SIMPLE_HEAD, title="parts")
    for source, segment, value in parts[["source", "segment", "value"]].itertuples(index=False):
        table.add_row(source, segment.replace("_", " "), f"{value:,.{spec.decimals}f}")
    console.print(table)


def _derive_rows(
    programme: Programme, spec: Spec, rows: pd.DataFrame
) -> tuple[dict[object, Derivation], dict[object, list[str]], dict[object, Row]]:
    """Return the derivation of each row from the current cubes, the kinds of region with strata, and the exact rows."""
    project = programme.project
    if not project.warehouse.is_file():
        return {}, {}, {}
    with open_warehouse(project.warehouse, reach=[project.landing]) as warehouse:  # stg may show files in it
        cells = {
            name: load_cells(warehouse, programme.cubes[name], programme.parts_of(name))
            for name in programme.cubes_of(spec)
        }
        regions = programme.regions(warehouse)
        exact = _exact_rows(warehouse, spec, rows)
    # Breakdowns without a selected row need no recomputation.
    selected = {*rows["segment_type"], *(name for name in ("sex", "age_group") if rows[name].ne(ALL).any())}
    spec = spec.model_copy(update={"breakdowns": [name for name in spec.breakdowns if name in selected]})
    derivations: dict[object, Derivation] = {}
    levels: dict[object, list[str]] = {}
    for cube, shown in rows[rows["status"].isin(SHOWN) & ~rows["source"].map(_is_as_published(spec))].groupby("source"):
        threshold = programme.publication.threshold(str(cube))
        traced = trace(spec, cells, str(cube), regions, programme.tables)
        of_cube = {index: derive(traced, row, threshold) for index, row in shown.to_dict("index").items()}
        derivations |= {index: derivation for index, derivation in of_cube.items() if derivation}
        # A row with small strata hides them anyway: it needs no check of other regions.
        unchecked = {index for index, derivation in of_cube.items() if derivation and not derivation.small_count}
        unhidden = shown[shown.index.isin(unchecked)].to_dict("index")
        levels |= {index: shown_levels(traced, row, threshold) for index, row in unhidden.items()}
    return derivations, levels, exact


def _exact_rows(warehouse: Warehouse, spec: Spec, rows: pd.DataFrame) -> dict[object, Row]:
    """Return the exact row of each published row, by its index; they stay on the private side."""
    if not warehouse.exists(f"ind.{spec.id}"):
        return {}
    exact = warehouse.frame(f"select * from {qualified('ind.' + spec.id)}")
    key = ["source", "region_type", "region_code", "period", "sex", "age_group", "segment_type", "segment"]
    place = pd.MultiIndex.from_frame(exact[key]).get_indexer(pd.MultiIndex.from_frame(rows[key]))
    found = exact.iloc[place[place >= 0]].set_axis(rows.index[place >= 0])
    return dict(found.to_dict("index"))


def _show_derivation(
    console: Console, spec: Spec, row: Row, derivation: Derivation | None, why_hidden: str, mode: str
) -> None:
    """Print the strata of one row, or why they are hidden, and the value recomputed from them."""
    if derivation is None:
        no_sums = "it cannot be recomputed: the warehouse does not hold its sums"
        is_as_published = _is_as_published(spec)[str(row["source"])]
        console.print(f"  {FORMULAS['as_published'] if is_as_published else no_sums}", highlight=False)
        return
    recomputed = _format_estimate(
        spec, {name: getattr(derivation.recomputed, name).item() for name in ("value", "lower", "upper")}
    )
    if recomputed != _format_estimate(spec, row):
        console.print("  the recomputed number differs: the warehouse has other data or definitions than this release")
        return
    overall = {name: total for name, total in derivation.overall.items() if name not in ("numerator", "denominator")}
    if overall and pd.notna(row["numerator"]):
        text = ", ".join(f"{name.replace('_', ' ')} {_format_number(total)}" for name, total in overall.items())
        console.print(f"  for all strata: {text}", highlight=False)
    if why_hidden:
        console.print(f"  strata are not shown: {why_hidden}", highlight=False)
    else:
        table = Table(*(str(name).replace("_", " ") for name in derivation.strata), box=SIMPLE_HEAD, title="strata")
        for stratum in derivation.strata.itertuples(index=False):
            table.add_row(*(part if isinstance(part, str) else _format_number(part) for part in stratum))
        console.print(table)
    kind = "the exact number, which is not published" if mode == "cell_key" else "as published before rounding"
    console.print(f"  recomputed from its strata: {recomputed}, {kind}", highlight=False)


def _format_number(value: float) -> str:
    """Return a number as text: integers without decimals, from 100 with two decimals, else with six digits."""
    if pd.isna(value):
        return "–"
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 100 else f"{value:.6g}"


def _show_deliveries(console: Console, programme: Programme, spec: Spec, period: int, inputs: dict[str, str]) -> None:
    """Print the files behind a number, with their hashes."""
    reads = {extract for cube in programme.cubes_of(spec) for extract in programme.extracts_of(programme.cubes[cube])}
    years = {year for route in spec.compute for year in _years(route, period)}
    for slot, sha256 in sorted(inputs.items()):
        extract, year, party = slot.split("/", 2)
        if extract == CONTRIBUTION and int(year) in years:
            console.print(f"  contribution of {party} sha256 {sha256[:16]}…", highlight=False)
        elif extract in reads and int(year) in years:
            names = [d.name for d in landed_deliveries(programme.project.landing, extract) if d.sha256 == sha256]
            console.print(f"  {extract}: {names[0] if names else '?'} sha256 {sha256[:16]}…", highlight=False)


def _years(route: Compute, period: int) -> Iterable[int]:
    """Return the years whose data a number uses."""
    if route.growth and route.growth.base:
        return (route.growth.base, period)
    two_ends = 2 if route.growth or route.method == "decomposition" else 1
    years = route.growth.years if route.growth and route.growth.years else max(two_ends, route.pool)
    return range(period + 1 - years, period + 1)
