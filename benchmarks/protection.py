"""Measures what the protection of persons costs and what an attack still finds, for the samples and an invented nation.

    python benchmarks/protection.py --nation work/protection

The folder gets the deliveries of 310,000 invented persons and their cubes, unless it has them. The tables are printed
and written to docs/methods/disclosure.md. Not here: the tests of every attack (``tests/disclosure``).
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
import pandas as pd
import typer
from scipy.sparse import csr_array

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from triple_aim.cubes import Cells, build_table  # noqa: E402
from triple_aim.definitions import Programme, Regions, Spec, load_programme, load_project  # noqa: E402
from triple_aim.deliveries import delivered_periods, ingest_extract  # noqa: E402
from triple_aim.disclosure import below_threshold  # noqa: E402
from triple_aim.disclosure.protect import LABELS, protect  # noqa: E402
from triple_aim.indicators.build import IndicatorInputs, changed_rows  # noqa: E402
from triple_aim.indicators.compute import indicator_rows  # noqa: E402
from triple_aim.indicators.estimators import Sums, estimate  # noqa: E402
from triple_aim.perturbation import Perturbation  # noqa: E402
from triple_aim.synthetic import Nation, write_nation  # noqa: E402
from triple_aim.vocabulary import SHOWN, age_group  # noqa: E402
from triple_aim.warehouse import load_reference, open_warehouse  # noqa: E402

PAGE = ROOT / "docs" / "methods" / "disclosure.md"
BEGIN, END = "<!-- protection:begin -->", "<!-- protection:end -->"
COMMAND = "python benchmarks/protection.py"
KEY = ["indicator_id", "source", *LABELS]
SECRET = b"benchmark only!!"
#: Indicators of persons with many small cells, for the attacks.
ATTACKED = ("long_benzodiazepine_65_plus", "dementia_prevalence", "wmo_use")
RELEASES, CLASSIFICATIONS = 30, 20
DRAWS = 4000
Release: TypeAlias = tuple[pd.DataFrame, dict[str, tuple[list[str], np.ndarray]]]
#: The year that is attacked in a country of many municipalities.
PERIOD = "2022"


class Inputs(IndicatorInputs):
    """Inputs of indicators with given cells and regions, so that an attack can redraw own partnerships."""

    def __init__(self, programme: Programme, cells: Mapping[str, Cells], regions: Regions) -> None:
        super().__init__(programme, SECRET)
        self.given, self.places = cells, regions

    def cells(self, warehouse: object, cube: str) -> Cells:
        return self.given[cube]

    def regions(self, warehouse: object) -> Regions:
        return self.places

    def exact(self, spec: Spec) -> pd.DataFrame:
        """The private rows of an indicator."""
        return indicator_rows(spec, self.given, self.places, self.programme.tables, self.programme.publication.run_off)

    def printed(self, specs: Iterable[Spec], exact: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """The rows of indicators as a release prints them."""
        wanted = list(specs)
        changed = dict(list(changed_rows(None, self, wanted).groupby("indicator_id")))  # type: ignore[arg-type]
        publication, year = self.programme.publication, self.places.division_year
        return pd.concat(
            [protect(exact[s.id], s, publication, year, self.places, changed.get(s.id)) for s in wanted],
            ignore_index=True,
        )


@dataclass(frozen=True, eq=False)
class Measured:
    """One country: its exact and printed rows side by side, and what the gate took."""

    name: str
    inputs: Inputs
    rows: pd.DataFrame
    gate_seconds: float
    exact_seconds: float

    @property
    def is_large(self) -> bool:
        """Whether one year is enough for an attack."""
        return len(self.inputs.given["claims"].labels["municipality_code"]) > 100


def main(
    nation: Annotated[Path, typer.Option(help="Folder of the invented nation; made when it is empty.")],
    samples: Annotated[Path, typer.Option(help="Settings of the samples.")] = ROOT / "data_samples" / "monitor.toml",
    write: Annotated[bool, typer.Option(help="Write the tables to docs/methods/disclosure.md.")] = True,
) -> None:
    """Print the tables, and write them to the page."""
    if not (nation / "monitor.toml").exists():
        invented = Nation(persons=310_000, years=(2021, 2022, 2023), municipalities=342, seed=20230101, lines=12.0)
        write_nation(invented, nation)
    countries = [measured(name, config) for name, config in (("samples", samples), ("nation", nation / "monitor.toml"))]
    text = "\n\n".join(
        [introduction(countries), cost_table(countries), coverage_table(countries[0]), attack_table(countries)]
    )
    print(text)
    if write:
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def measured(name: str, config: Path) -> Measured:
    """Compute all indicators of a country, exact and printed."""
    programme = load_programme(load_project(config.resolve()))
    project = programme.project
    project.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with open_warehouse(project.warehouse, reach=project.reach, memory_limit="3GB") as warehouse:
        if not warehouse.exists("cube.claims"):
            build_cubes(warehouse, programme)
        read = IndicatorInputs(programme, SECRET)
        cells = {cube: read.cells(warehouse, cube) for cube in programme.cubes}
        inputs = Inputs(programme, cells, read.regions(warehouse))
    specs = list(programme.specs.values())
    started = cpu()
    exact = {spec.id: inputs.exact(spec) for spec in specs}
    exact_seconds, started = cpu() - started, cpu()
    safe = inputs.printed([spec for spec in specs if len(exact[spec.id])], exact)
    gate_seconds = cpu() - started
    private = pd.concat([rows.assign(indicator_id=name) for name, rows in exact.items() if len(rows)])
    rows = private.merge(safe, on=KEY, suffixes=("_exact", ""), validate="one_to_one")
    return Measured(name, inputs, with_thresholds(rows, programme), gate_seconds, exact_seconds)


def build_cubes(warehouse: object, programme: Programme) -> None:
    """Fill the cubes from the deliveries, without checks, indicators or marts."""
    load_reference(warehouse, programme.project.reference)
    periods = delivered_periods(programme.project, programme.contracts.values())
    for contract in programme.contracts.values():
        ingest_extract(warehouse, programme.project, contract, programme.staging[contract.extract], periods)
    for queries in (programme.persons, programme.cubes):
        by_table = {query.table: query for query in queries.values()}
        sources = {table: [read for read in query.reads if read in by_table] for table, query in by_table.items()}
        for table in TopologicalSorter(sources).static_order():
            build_table(warehouse, by_table[table], periods)


def with_thresholds(rows: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    """Rows of sources with noise, with ``is_small``: whether the thresholds alone withhold the exact row."""
    publication = programme.publication
    parts = []
    for (name, cube), part in rows.groupby(["indicator_id", "source"]):
        threshold, spec = publication.threshold(str(cube)), programme.specs[str(name)]
        if threshold.mode != "cell_key":
            continue
        route = spec.route_of[str(cube)]
        events, persons = part["denominator_exact"] - part["numerator_exact"], part["persons"] - part["cases"]
        complement = np.fmin(events, persons) if route.method == "proportion" else np.full(len(part), np.nan)
        least = max(threshold.persons, spec.disclosure.get("threshold", 0))
        is_small = below_threshold(
            part["persons"], part["cases"], complement, min_persons=least, min_cases=threshold.cases
        )
        is_count = str(route.numerator).endswith("_count") and route.method not in ("growth", "decomposition")
        parts.append(part.assign(is_small=is_small, is_count=is_count))
    kept = pd.concat(parts, ignore_index=True)
    return kept[kept["status_exact"].isin(SHOWN) | kept["status"].eq("suppressed")]


def introduction(countries: list[Measured]) -> str:
    """What was measured, and how long the gate took."""
    sizes = ", ".join(f"{country.name}: {len(country.rows):,} rows" for country in countries)
    seconds = " and ".join(f"{c.gate_seconds:.1f} CPU seconds for the {c.name}" for c in countries)
    return (
        f"`{COMMAND}` measures this section ({sizes}; only rows of sources with noise). The gate, with the rows from "
        f"changed sums, takes {seconds}."
    )


def cost_table(countries: list[Measured]) -> str:
    """Withheld rows, changed counts and changed verdicts, by country, level and aim."""
    lines = [
        "| country | level or aim | rows | withheld by thresholds alone, % | withheld, % | change of a count, mean % "
        "| 95th percentile, % | of counts of 100 or more, mean % | verdicts changed, % | reversed |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for country in countries:
        rows = country.rows
        groups = [("all", rows), *rows.groupby("region_type"), *rows.groupby("aim")]
        lines += [f"| {country.name} | {label} | {' | '.join(cost(part))} |" for label, part in groups]
    return "\n".join(lines)


def cost(rows: pd.DataFrame) -> list[str]:
    """The numbers of one line."""
    counts = rows[rows["is_count"] & rows["numerator"].notna() & (rows["numerator_exact"] > 0)]
    change = 100 * (counts["numerator"] / counts["numerator_exact"] - 1).abs()
    compared = rows[(rows[["difference", "difference_exact"]] != "not_compared").all(axis=1)]
    changed = compared["difference"] != compared["difference_exact"]
    reversed_ = changed & ~compared[["difference", "difference_exact"]].eq("no_demonstrable_difference").any(axis=1)
    numbers = [
        100 * rows["is_small"].mean(),
        100 * rows["status"].eq("suppressed").mean(),
        change.mean(),
        change.quantile(0.95),
        change[counts["numerator_exact"] >= 100].mean(),
        100 * changed.mean(),
    ]
    return [f"{len(rows):,}", *("" if np.isnan(x) else f"{x:.1f}" for x in numbers), str(int(reversed_.sum()))]


def coverage_table(country: Measured) -> str:
    """How often a 95 % interval contains the truth, with exact sums and with changed sums."""
    programme, random = country.inputs.programme, np.random.default_rng(1)
    noise = Perturbation(SECRET, programme.tables.changes, programme.publication.noise.share)
    lines = ["| interval | persons or events | exact sums, % | changed sums, % |", "| --- | ---: | ---: | ---: |"]
    variance = noise.table.variance
    for name, label in (("wmo_use", "share (Wilson)"), ("mortality", "standardised rate (Dobson)")):
        route = programme.specs[name].compute[0]
        for expected in (15, 50, 200, 2000):
            people = np.full(DRAWS, expected * 12.0)
            count = random.binomial(12 * expected, 1 / 12, DRAWS).astype(float)
            change = noise.count_change(random.integers(0, 2**64, DRAWS, dtype=np.uint64), count)
            covered = []
            for numerator, spread in ((count, {}), (count + change, {"numerator": np.full(DRAWS, variance)})):
                sums = Sums({"numerator": numerator, "denominator": people}, spread)
                weight = np.array([])
                if "standardised" in route.method:
                    sums = Sums({key: array[:, np.newaxis] for key, array in sums.parts.items()}, spread)
                    weight = np.ones((DRAWS, 1))
                found = estimate(route, sums, weight)
                covered.append(np.mean((found.lower <= route.per / 12) & (route.per / 12 <= found.upper)))
            lines.append(f"| {label} | {expected:,} | {100 * covered[0]:.1f} | {100 * covered[1]:.1f} |")
    route = next(iter(programme.specs["zvw_cost_per_insured_year"].route_of.values()))
    for persons in (200, 2000):
        euros = random.lognormal(7, 1.2, (DRAWS, persons))
        total, squares = euros.sum(axis=1), (euros**2).sum(axis=1)
        change = noise.unit_noise(random.integers(0, 2**64, DRAWS, dtype=np.uint64)) * noise.share * np.sqrt(squares)
        truth, people = np.exp(7 + 1.2**2 / 2), np.full(DRAWS, float(persons))
        covered = []
        for numerator, spread in ((total, {}), (total + change, {"numerator": noise.share**2 * squares})):
            parts = {"numerator": numerator, "denominator": people, "persons": people, "sumsq": squares}
            found = estimate(route, Sums.changed(parts, spread))
            covered.append(np.mean((found.lower <= truth) & (truth <= found.upper)))
        lines.append(f"| euros per person (delta) | {persons:,} | {100 * covered[0]:.1f} | {100 * covered[1]:.1f} |")
    return "\n".join(lines)


@dataclass(frozen=True)
class Observed:
    """Printed counts of one indicator as linear equations of the cells of municipality, sex and age group."""

    design: np.ndarray  # (printed number, municipality, sex, age group)
    counts: np.ndarray


def attack_table(countries: list[Measured]) -> str:
    """The error of the best linear estimate of withheld cells of 1 to 9 persons."""
    lines = [
        "| country | what a reader has | cells of 1 to 9 | a guess of 5 | best linear estimate "
        "| rate times persons | best linear estimate with these |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    samples = countries[0]
    for country in countries:
        regions = country.inputs.places
        codes = country.inputs.given["claims"].labels["municipality_code"]
        random = np.random.default_rng(2)
        halves = random.permutation(codes)
        before = {code: "A" if place < len(codes) // 2 else "B" for place, code in enumerate(halves)}
        moved = {code: "B" if place == 0 else before[code] for place, code in enumerate(halves)}
        both = [with_own(regions, {"partnership": before}), with_own(regions, {"partnership": moved})]
        lines.append(attack_line(country, "one release", both[:1], None))
        lines.append(
            attack_line(country, "two releases, a municipality moved between partnerships", both, str(halves[0]))
        )
    codes = samples.inputs.given["claims"].labels["municipality_code"]
    random = np.random.default_rng(3)
    many = [
        with_own(
            samples.inputs.places,
            {
                f"own{k}": dict(zip(codes, random.choice(list("AB"), len(codes)), strict=True))
                for k in range(CLASSIFICATIONS)
            },
        )
        for _ in range(RELEASES)
    ]
    for used in (1, 8, RELEASES):
        what = f"{used} release{'s' * (used > 1)}, each with {CLASSIFICATIONS} other own classifications"
        lines.append(attack_line(samples, what, many[:used], None))
    return "\n".join(lines)


def attack_line(country: Measured, what: str, places: list[Regions], only: str | None) -> str:
    """One attack on several indicators and years, on the withheld cells of all municipalities or of one."""
    found = []
    for name in ATTACKED:
        spec = country.inputs.programme.specs[name]
        cube = next(cube for cube in spec.route_of if country.inputs.given[cube].labels["period"])
        found += list(estimated_cells(country, spec, cube, places))
    cells = pd.concat(found)
    cells = cells[cells["truth"].between(1, 9)]
    if only is not None:
        cells = cells[cells["region_code"] == only]
    errors = [rms((cells[name] - cells["truth"]).to_numpy()) for name in ("guess", "informed", "plain")]
    plain_guess = rms((5 - cells["truth"]).to_numpy())
    return (
        f"| {country.name} | {what} | {len(cells):,} | {plain_guess:.2f} | "
        + " | ".join(f"{error:.2f}" for error in (errors[2], errors[0], errors[1]))
        + " |"
    )


def estimated_cells(country: Measured, spec: Spec, cube: str, places: list[Regions]) -> Iterable[pd.DataFrame]:
    """The withheld cells of municipalities with their truth, a guess and the best linear estimate, per year.

    The unknowns are the counts by municipality, sex and age group; the equations are all printed counts of regions,
    sexes and age groups, each once, because equal sums have equal noise. ``plain`` knows of a withheld cell
    that it has 1 to 9 persons. ``informed`` also knows the persons in every cell and the rate of the country, with the
    variance of a count and 30 % of differences between places; ``guess`` is that rate times these persons alone.
    """
    cells = country.inputs.given[cube]
    route = spec.route_of[cube]
    groups = list(dict.fromkeys(age_group(band) for band in cells.labels["age_band"]))
    member = np.array([[age_group(band) == group for band in cells.labels["age_band"]] for group in groups], float)
    codes, sexes = cells.labels["municipality_code"], cells.labels["sex"]
    releases = [released(country, spec.id, cube, regions) for regions in places]
    true = np.nan_to_num(cells.flat(route.numerator) @ member.T)  # (period, municipality, sex, group)
    people = np.nan_to_num(cells.flat(route.denominator) @ member.T)
    for place, period in enumerate(cells.labels["period"]):
        if country.is_large and period != PERIOD:
            continue
        total = people[place].sum(axis=0)
        mean = people[place] * np.divide(true[place].sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
        observed = equations(releases, int(period), codes, sexes, groups)
        rows = releases[0][0]
        is_withheld = (rows["region_type"] == "municipality") & (rows["status"] == "suppressed")
        withheld = rows[is_withheld & (rows["period"] == int(period))]
        cells_of = [
            (codes.index(row.region_code), *category(row.sex, row.age_group, sexes, groups))
            for row in withheld.itertuples()
        ]
        small = np.zeros((len(cells_of), *mean.shape))
        for number, chosen in enumerate(cells_of):
            small[(number, *chosen)] = 1.0
        variance = np.full(len(observed.counts), country.inputs.programme.tables.changes.variance)
        # Without rates a reader knows of a withheld cell that it has 1 to 9 persons, and nothing of other cells.
        plain = best_linear(
            np.concatenate([observed.design, small]),
            np.concatenate([observed.counts, np.full(len(small), 5.0)]),
            np.concatenate([variance, np.full(len(small), 60 / 9)]),
            mean,
            (mean + 10) ** 2,
        )
        informed = best_linear(observed.design, observed.counts, variance, mean, mean + (0.3 * mean) ** 2)
        numbers = {
            "region_code": withheld["region_code"].to_list(),
            "truth": [true[place][chosen].sum() for chosen in cells_of],
            "guess": [mean[chosen].sum() for chosen in cells_of],
            "plain": [plain[chosen].sum() for chosen in cells_of],
            "informed": [informed[chosen].sum() for chosen in cells_of],
        }
        yield pd.DataFrame(numbers)


@cache
def released(country: Measured, name: str, cube: str, regions: Regions) -> Release:
    """The printed rows of an indicator for own classifications, and the shares of municipalities in every region."""
    inputs, spec = Inputs(country.inputs.programme, country.inputs.given, regions), country.inputs.programme.specs[name]
    rows = inputs.printed([spec], {name: inputs.exact(spec)})
    shares = regions.membership(country.inputs.given[cube].labels["municipality_code"]).shares
    return rows[rows["source"] == cube], {kind: (list(regions.names(kind)), shares[kind]) for kind in shares}


def best_linear(
    design: np.ndarray, counts: np.ndarray, variance: np.ndarray, mean: np.ndarray, spread: np.ndarray
) -> np.ndarray:
    """The best linear estimate of cells with a mean and a spread from sums with a variance of their noise."""
    flat, prior = csr_array(design.reshape(len(design), -1)), np.maximum(spread.ravel(), 1e-9)
    surplus = counts - flat @ mean.ravel()
    if len(counts) > len(prior):  # the smaller of two equal systems
        scaled = flat.T * (1 / variance)
        update = np.linalg.solve((scaled @ flat).toarray() + np.diag(1 / prior), scaled @ surplus)
    else:
        gain = ((flat * prior) @ flat.T).toarray() + np.diag(variance)
        update = prior * (flat.T @ np.linalg.solve(gain, surplus))
    return mean + update.reshape(mean.shape)


def equations(
    releases: list[Release],
    period: int,
    codes: list[str],
    sexes: list[str],
    groups: list[str],
) -> Observed:
    """Every printed count of a year, each sum once."""
    seen: dict[tuple[bytes, str, str], tuple[np.ndarray, float]] = {}
    for rows, shares in releases:
        for row in rows[(rows["period"] == period) & rows["numerator"].notna()].itertuples():
            names, of_kind = shares[row.region_type]
            members = of_kind[names.index(row.region_code)]
            key = (members.tobytes(), row.sex, row.age_group)
            if key not in seen:
                design = np.zeros((len(codes), len(sexes), len(groups)))
                chosen = category(row.sex, row.age_group, sexes, groups)
                design[(slice(None), *chosen)] = members[:, np.newaxis, np.newaxis]
                seen[key] = design, row.numerator
    return Observed(np.stack([design for design, _ in seen.values()]), np.array([count for _, count in seen.values()]))


def category(sex: str, group: str, sexes: list[str], groups: list[str]) -> tuple[slice, slice]:
    """The cells of one sex or age group, or of all."""
    chosen = []
    for label, labels in ((sex, sexes), (group, groups)):
        chosen.append(slice(None) if label == "all" else slice(labels.index(label), labels.index(label) + 1))
    return chosen[0], chosen[1]


def with_own(regions: Regions, classifications: Mapping[str, Mapping[str, str]]) -> Regions:
    """The regions with own classifications, each a region per municipality."""
    tables, covers = dict(regions.tables), dict(regions.covers)
    for name, membership in classifications.items():
        tables[name] = pd.DataFrame(
            [(str(regions.division_year), code, region, region) for code, region in membership.items()],
            columns=["division_year", "municipality_code", "region_code", "region_name"],
        ).sort_values("region_code")
        covers[name] = "part"
    tables["nl"] = tables.pop("nl")
    return replace(regions, tables=tables, covers=covers)


def rms(errors: np.ndarray) -> float:
    """The root mean square of errors."""
    return float(np.sqrt(np.mean(np.square(errors)))) if len(errors) else float("nan")


def cpu() -> float:
    """CPU seconds of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    typer.run(main)
