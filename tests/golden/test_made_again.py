"""Does every indicator of the samples, and each kind of its breakdown, come out again from the strata it names?

Twice: by the engine from the strata alone, and where the formula is short, written out here for a table of strata.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from triple_aim.cubes.cells import Cells, load_cells
from triple_aim.definitions.programme import Programme, load_programme
from triple_aim.definitions.regions import Regions
from triple_aim.definitions.settings import load_project
from triple_aim.definitions.specs import Compute
from triple_aim.explain.differencing import shown_levels
from triple_aim.explain.report import Part, explain_indicator
from triple_aim.explain.strata import SPLIT, Workings, hidden, trace, workings
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL, SHOWN
from triple_aim.warehouse.connection import open_warehouse

INDICATORS = sorted(path.stem for path in Path(__file__).parents[2].glob("indicator_specs/*/*.yaml"))
#: It takes five years and the samples hold three; ``tests/unit/test_workings.py`` makes it again.
NOT_IN_THE_SAMPLES = {"zvw_cost_growth_trend"}


@dataclass(frozen=True)
class Sampled:
    programme: Programme
    values: pd.DataFrame
    cells: Mapping[str, Cells]
    regions: Regions


@pytest.fixture(scope="module")
def sampled(marts: dict[str, pd.DataFrame], folder: Path) -> Sampled:
    values = marts["indicator_values"]
    programme = load_programme(load_project(folder / "monitor.toml"))
    cubes = {name for spec in programme.specs.values() for name in programme.cubes_of(spec)}
    with open_warehouse(programme.project.warehouse) as warehouse:
        cells = {name: load_cells(warehouse, programme.cubes[name]) for name in cubes}
        regions = programme.regions(warehouse)
    return Sampled(programme, values[values["status"].isin(SHOWN)], cells, regions)


@pytest.mark.parametrize("indicator", INDICATORS)
def test_one_number_of_every_kind_is_made_again(sampled: Sampled, indicator: str) -> None:
    rows = sampled.values[sampled.values["indicator_id"] == indicator]
    assert rows.empty == (indicator in NOT_IN_THE_SAMPLES)
    spec = sampled.programme.specs[indicator]
    for source, given in rows.groupby("source"):
        traced = trace(spec, sampled.cells, source, sampled.regions, sampled.programme.tables)
        for row in one_of_each_kind(given, spec.breakdowns):
            found = workings(traced, row, sampled.programme.publication.threshold(source))
            assert found is not None and len(found.strata), row[SPLIT].to_dict()
            again = [part.item() for part in (found.again.value, found.again.lower, found.again.upper)]
            assert again == pytest.approx([row["value"], row["lower"], row["upper"]], rel=1e-9, nan_ok=True)
            if (by_hand := BY_HAND.get(spec.route_of[source].method)) and (
                value := by_hand(spec.route_of[source], found, row["segment"])
            ) is not None:
                assert value == pytest.approx(row["value"], rel=1e-9)


def one_of_each_kind(rows: pd.DataFrame, breakdowns: list[str]) -> list[pd.Series]:
    """The last published row of the total, a sex, an age group, a family, and of every component and basis."""
    alike = rows["segment"].where(~rows["segment_type"].isin(breakdowns), ALL)
    kinds = [rows["sex"].eq(ALL), rows["age_group"].eq(ALL), rows["segment_type"], alike]
    return [row for _, row in rows.groupby(kinds).tail(1).iterrows()]


def of_sums(route: Compute, found: Workings, segment: str) -> float:
    return route.per * found.strata["numerator"].sum() / found.strata["denominator"].sum()


def direct(route: Compute, found: Workings, segment: str) -> float:
    lived_in = found.strata[found.strata["denominator"] > 0]
    rates = lived_in["numerator"] / lived_in["denominator"]
    return route.per * (lived_in["weight"] * rates).sum() / lived_in["weight"].sum()


def indirect(route: Compute, found: Workings, segment: str) -> float:
    return route.per * found.strata["numerator"].sum() / found.strata["expected"].sum()


def asked(route: Compute, found: Workings, segment: str) -> float:
    if "weight" not in found.strata:
        return route.per * found.strata["wy"].sum() / found.strata["w"].sum()
    answered = found.strata[found.strata["w"] > 0]
    shares = answered["wy"] / answered["w"]
    return route.per * (answered["weight"] * shares).sum() / answered["weight"].sum()


def gap(route: Compute, found: Workings, segment: str) -> float:
    worst, best = found.strata["wy"] / found.strata["w"]
    return route.per * (best - worst)


def variation(route: Compute, found: Workings, segment: str) -> float:
    excess = found.strata["observed"] - found.strata["expected"]
    apart = excess**2 / found.strata["expected"] ** 2 - 1 / found.strata["expected"]
    return max(route.per * apart.mean(), 0.0)


def growth(route: Compute, found: Workings, segment: str) -> float:
    def level(when: str) -> float:
        if "comparable" in found.strata:
            return found.strata.query("comparable == 1")[f"{when}_parts"].sum() / found.beside[f"{when}_exposure"]
        total, exposure = (found.strata[f"{when}_{name}"] for name in ("total", "exposure"))
        if segment == "standardised":
            return (found.strata["weight"] * total / exposure).sum() / found.strata["weight"].sum()
        return total.sum() / exposure.sum()

    prices = found.beside["end_index"] / found.beside["start_index"] if segment == "real" else 1.0
    return route.per * ((level("end") / prices / level("start")) ** (1 / found.beside["years"]) - 1)


def change(route: Compute, found: Workings, segment: str) -> float | None:
    def per_head(when: str) -> float:
        ages = found.strata.drop_duplicates(["sex", "age"])
        return found.strata[f"{when}_euros"].sum() / ages[f"{when}_exposure"].sum()

    return route.per * (per_head("end") - per_head("start")) if segment == ALL else None


def lorenz(route: Compute, found: Workings, segment: str) -> float:
    classes = found.strata.groupby(str(route.groups))[["numerator", "denominator"]].sum()
    classes = classes[classes["denominator"] > 0]
    persons, euros = classes["denominator"] / classes["denominator"].sum(), classes["numerator"].cumsum()
    curve = np.concatenate([[0.0], euros / classes["numerator"].sum()])
    return route.per * (1 - (persons * (curve[1:] + curve[:-1])).sum())


BY_HAND: dict[str, Callable[[Compute, Workings, str], float | None]] = {
    **dict.fromkeys(["crude_rate", "proportion", "mean", "ratio"], of_sums),
    **dict.fromkeys(["directly_standardised_rate", "directly_standardised_mean"], direct),
    "indirectly_standardised_ratio": indirect,
    **dict.fromkeys(["survey_proportion", "survey_mean"], asked),
    "survey_gap": gap,
    "systematic_variation": variation,
    "growth": growth,
    "decomposition": change,
    "gini": lorenz,
}


def told(sampled: Sampled, indicator: str, region: str, part: Part) -> str:
    console = Console(file=StringIO(), width=200)
    explain_indicator(console, sampled.programme, indicator, region, 2023, part)
    return console.file.getvalue()


def strata_in(said: str) -> int:
    return sum(line.split()[:1] in (["F"], ["M"]) for line in said.splitlines())


@pytest.mark.parametrize(
    ("indicator", "part", "strata"),
    [
        ("zvw_cost_per_insured_year", Part(sex="F"), 19),
        ("zvw_cost_per_insured_year", Part(age_group="65-74"), 4),
        ("gp_rating", Part(sex="M"), 2),
        ("zvw_cost_growth", Part(segment="real"), 38),
    ],
)
def test_a_part_is_told_with_its_own_strata(sampled: Sampled, indicator: str, part: Part, strata: int) -> None:
    said = told(sampled, indicator, "GG5006", part)
    assert f"2023{part.told}: " in said and "made again from its strata" in said and ", as published" in said
    assert strata_in(said) == strata


def test_no_strata_of_a_part_where_one_beside_it_is_small(sampled: Sampled) -> None:
    said = told(sampled, "zvw_cost_per_insured_year", "GG5006", Part(segment="hospital"))
    assert "with those of the numbers beside it, are too small" in said and ", as published" in said
    assert strata_in(said) == 0


def test_nothing_is_told_of_a_number_that_comes_out_otherwise(
    sampled: Sampled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def otherwise(*given: Any) -> Workings | None:
        found = workings(*given)
        return found and replace(found, again=Estimate.without_limits(found.again.value + 1))

    monkeypatch.setattr("triple_aim.explain.report.workings", otherwise)
    said = told(sampled, "zvw_cost_growth", "GG5006", Part(segment="real"))
    assert "it comes out otherwise" in said and "made again" not in said and strata_in(said) == 0


def test_no_strata_of_any_part_where_a_part_is_withheld(sampled: Sampled, marts: dict[str, pd.DataFrame]) -> None:
    rows = marts["indicator_values"].query("indicator_id == 'wmo_use' and period == 2023 and segment == 'all'")
    hidden = rows[rows["status"] == "suppressed"]["region_code"]
    shown = rows[rows["region_code"].isin(hidden) & rows["sex"].eq("F") & rows["status"].isin(SHOWN)].iloc[0]
    said = told(sampled, "wmo_use", shown["region_code"], Part(sex="F"))
    assert "parts of this number are withheld" in said and ", as published" in said
    assert strata_in(said) == 0


@pytest.mark.parametrize("indicator", ["obesity", "zvw_cost_per_insured_year"])
def test_no_small_stratum_follows_from_the_printed_ones_of_other_regions(sampled: Sampled, indicator: str) -> None:
    """Every sum and difference of printed strata that is some municipalities together is large enough."""
    spec = sampled.programme.specs[indicator].model_copy(update={"breakdowns": []})
    source = next(iter(spec.route_of))
    rows = sampled.values.query("indicator_id == @indicator and source == @source")
    rows = rows[(rows[SPLIT] == ALL).all(axis=1) & (rows["period"] == rows["period"].max())]
    least = sampled.programme.publication.threshold(source)
    traced = trace(spec, sampled.cells, source, sampled.regions, sampled.programme.tables)
    levels = shown_levels(traced, rows.iloc[0].to_dict(), least)
    heard = sorted(rows.loc[rows["region_type"] == "municipality", "region_code"])
    inside = dict(zip(traced.place.frame["region_code"], traced.place.within > 0, strict=True))
    printed: list[Any] = []
    strata: dict[str, pd.DataFrame] = {}
    at = [list(sampled.regions.names("municipality")).index(code) for code in heard]
    for row in rows.to_dict("records"):
        made = workings(traced, row, least)
        assert made is not None
        own = inside[row["region_code"]][at]
        strata |= {code: made.strata for code in heard if code == row["region_code"]}
        if row["region_type"] in levels:
            assert made.hidden == 0
            printed.append(own)
    assert printed and "ggd_region" in levels
    known = np.array(printed, dtype=float)
    for chosen in range(1, 2 ** len(heard)):
        some = np.array([chosen >> place & 1 for place in range(len(heard))], dtype=float)
        if np.abs(known.T @ np.linalg.lstsq(known.T, some, rcond=None)[0] - some).max() < 1e-9:
            whole = pd.concat([strata[code] for code, is_in in zip(heard, some, strict=True) if is_in])
            labels = [name for name in ("sex", "age") if name in whole]
            assert hidden(whole.groupby(labels, as_index=False).sum(), traced, least) == 0
