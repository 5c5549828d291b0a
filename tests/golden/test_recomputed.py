"""Can every indicator of the samples, and each kind of its breakdown, be recomputed from its strata?

It is recomputed twice: by ``explain``, and where the formula is short, by a formula written out here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from tests.content import programme_of
from triple_aim.cubes.cells import Cells, load_cells
from triple_aim.definitions.programme import Programme
from triple_aim.definitions.regions import Regions
from triple_aim.definitions.specs import Compute
from triple_aim.explain.differencing import shown_levels
from triple_aim.explain.report import Part, explain_indicator
from triple_aim.explain.strata import SPLIT, Derivation, count_small, derive, trace
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL, SHOWN
from triple_aim.warehouse.connection import open_warehouse

INDICATORS = sorted(path.stem for path in Path(__file__).parents[2].glob("indicator_specs/*/*.yaml"))
#: It needs five years and the samples hold three; ``tests/unit/explain/test_strata.py`` recomputes it.
NOT_IN_THE_SAMPLES = {"zvw_cost_growth_trend"}


#: What identifies a row.
ROW = ["indicator_id", "source", "region_type", "region_code", "period", "sex", "age_group", "segment_type", "segment"]


@dataclass(frozen=True)
class Sampled:
    programme: Programme
    values: pd.DataFrame
    cells: Mapping[str, Cells]
    regions: Regions


@pytest.fixture(scope="module")
def sampled(marts: dict[str, pd.DataFrame], exact: pd.DataFrame, folder: Path) -> Sampled:
    """The rows that are shown, with their exact numbers."""
    shown = marts["indicator_values"][marts["indicator_values"]["status"].isin(SHOWN)]
    values = shown[ROW].merge(exact, on=ROW)
    programme = programme_of(folder / "monitor.toml")
    cubes = {name for spec in programme.specs.values() for name in programme.cubes_of(spec)}
    with open_warehouse(programme.project.warehouse) as warehouse:
        cells = {name: load_cells(warehouse, programme.cubes[name], programme.parts_of(name)) for name in cubes}
        regions = programme.regions(warehouse)
    return Sampled(programme, values, cells, regions)


@pytest.mark.parametrize("indicator", INDICATORS)
def test_one_number_of_every_kind_is_recomputed(sampled: Sampled, indicator: str) -> None:
    rows = sampled.values[sampled.values["indicator_id"] == indicator]
    assert rows.empty == (indicator in NOT_IN_THE_SAMPLES)
    spec = sampled.programme.specs[indicator]
    for source, given in rows.groupby("source"):
        traced = trace(spec, sampled.cells, source, sampled.regions, sampled.programme.tables)
        for row in one_of_each_kind(given, spec.breakdowns):
            result = derive(traced, row, sampled.programme.publication.threshold(source))
            assert result is not None and len(result.strata), row[SPLIT].to_dict()
            recomputed = [getattr(result.recomputed, name).item() for name in ("value", "lower", "upper")]
            assert recomputed == pytest.approx([row["value"], row["lower"], row["upper"]], rel=1e-9, nan_ok=True)
            if (by_hand := BY_HAND.get(spec.route_of[source].method)) and (
                value := by_hand(spec.route_of[source], result, row["segment"])
            ) is not None:
                assert value == pytest.approx(row["value"], rel=1e-9)


def one_of_each_kind(rows: pd.DataFrame, breakdowns: list[str]) -> list[pd.Series]:
    """The last published row of the total, a sex, an age group, a family, and of every component and basis."""
    alike = rows["segment"].where(~rows["segment_type"].isin(breakdowns), ALL)
    kinds = [rows["sex"].eq(ALL), rows["age_group"].eq(ALL), rows["segment_type"], alike]
    return [row for _, row in rows.groupby(kinds).tail(1).iterrows()]


def of_sums(route: Compute, result: Derivation, segment: str) -> float:
    return route.per * result.strata["numerator"].sum() / result.strata["denominator"].sum()


def direct(route: Compute, result: Derivation, segment: str) -> float:
    populated = result.strata[result.strata["denominator"] > 0]
    rates = populated["numerator"] / populated["denominator"]
    return route.per * (populated["weight"] * rates).sum() / populated["weight"].sum()


def indirect(route: Compute, result: Derivation, segment: str) -> float:
    return route.per * result.strata["numerator"].sum() / result.strata["expected"].sum()


def survey_mean(route: Compute, result: Derivation, segment: str) -> float:
    if "weight" not in result.strata:
        return route.per * result.strata["wy"].sum() / result.strata["w"].sum()
    answered = result.strata[result.strata["w"] > 0]
    shares = answered["wy"] / answered["w"]
    return route.per * (answered["weight"] * shares).sum() / answered["weight"].sum()


def gap(route: Compute, result: Derivation, segment: str) -> float:
    worst, best = result.strata["wy"] / result.strata["w"]
    return route.per * (best - worst)


def variation(route: Compute, result: Derivation, segment: str) -> float:
    excess = result.strata["observed"] - result.strata["expected"]
    systematic = excess**2 / result.strata["expected"] ** 2 - 1 / result.strata["expected"]
    return max(route.per * systematic.mean(), 0.0)


def growth(route: Compute, result: Derivation, segment: str) -> float:
    def level(when: str) -> float:
        if "comparable" in result.strata:
            return result.strata.query("comparable == 1")[f"{when}_parts"].sum() / result.overall[f"{when}_exposure"]
        total, exposure = (result.strata[f"{when}_{name}"] for name in ("total", "exposure"))
        if segment == "standardised":
            return (result.strata["weight"] * total / exposure).sum() / result.strata["weight"].sum()
        return total.sum() / exposure.sum()

    prices = result.overall["end_index"] / result.overall["start_index"] if segment == "real" else 1.0
    return route.per * ((level("end") / prices / level("start")) ** (1 / result.overall["years"]) - 1)


def change(route: Compute, result: Derivation, segment: str) -> float | None:
    def per_head(when: str) -> float:
        ages = result.strata.drop_duplicates(["sex", "age"])
        return result.strata[f"{when}_euros"].sum() / ages[f"{when}_exposure"].sum()

    return route.per * (per_head("end") - per_head("start")) if segment == ALL else None


def lorenz(route: Compute, result: Derivation, segment: str) -> float:
    classes = result.strata.groupby(str(route.groups))[["numerator", "denominator"]].sum()
    classes = classes[classes["denominator"] > 0]
    persons, euros = classes["denominator"] / classes["denominator"].sum(), classes["numerator"].cumsum()
    curve = np.concatenate([[0.0], euros / classes["numerator"].sum()])
    return route.per * (1 - (persons * (curve[1:] + curve[:-1])).sum())


BY_HAND: dict[str, Callable[[Compute, Derivation, str], float | None]] = {
    **dict.fromkeys(["crude_rate", "proportion", "mean", "ratio"], of_sums),
    **dict.fromkeys(["directly_standardised_rate", "directly_standardised_mean"], direct),
    "indirectly_standardised_ratio": indirect,
    **dict.fromkeys(["survey_proportion", "survey_mean"], survey_mean),
    "survey_gap": gap,
    "systematic_variation": variation,
    "growth": growth,
    "decomposition": change,
    "gini": lorenz,
}


#: How ``explain`` ends where the number and its strata agree.
RECOMPUTED = re.compile(r"the exact number, which is not\s+published|as published before rounding")


def explained(sampled: Sampled, indicator: str, region: str, part: Part) -> str:
    console = Console(file=StringIO(), width=200)
    explain_indicator(console, sampled.programme, indicator, region, 2023, part)
    return console.file.getvalue()


def strata_in(text: str) -> int:
    return sum(line.split()[:1] in (["F"], ["M"]) for line in text.splitlines())


@pytest.mark.parametrize(
    ("indicator", "part", "strata"),
    [
        ("zvw_cost_per_insured_year", Part(sex="F"), 19),
        ("zvw_cost_per_insured_year", Part(age_group="65-74"), 4),
        ("gp_rating", Part(sex="M"), 2),
        ("zvw_cost_growth", Part(segment="real"), 38),
    ],
)
def test_a_part_is_explained_with_its_own_strata(sampled: Sampled, indicator: str, part: Part, strata: int) -> None:
    text = explained(sampled, indicator, "GG5006", part)
    assert f"2023{part.label}: " in text and "recomputed from its strata" in text and RECOMPUTED.search(text)
    assert strata_in(text) == strata


def test_a_small_stratum_of_a_sibling_hides_the_strata_of_a_part(sampled: Sampled) -> None:
    text = explained(sampled, "zvw_cost_per_insured_year", "GG5006", Part(segment="hospital"))
    assert "including those of sibling numbers, are too small" in text and RECOMPUTED.search(text)
    assert strata_in(text) == 0


def test_a_recomputed_number_that_differs_is_not_shown(sampled: Sampled, monkeypatch: pytest.MonkeyPatch) -> None:
    def derive_another(*given: Any) -> Derivation | None:
        result = derive(*given)
        return result and replace(result, recomputed=Estimate.without_limits(result.recomputed.value + 1))

    monkeypatch.setattr("triple_aim.explain.report.derive", derive_another)
    text = explained(sampled, "zvw_cost_growth", "GG5006", Part(segment="real"))
    assert "the recomputed number differs" in text and not RECOMPUTED.search(text) and strata_in(text) == 0


def test_no_strata_of_any_part_where_a_part_is_withheld(sampled: Sampled, marts: dict[str, pd.DataFrame]) -> None:
    rows = marts["indicator_values"].query("indicator_id == 'wmo_use' and period == 2023 and segment == 'all'")
    hidden = rows[rows["status"] == "suppressed"]["region_code"]
    shown = rows[rows["region_code"].isin(hidden) & rows["sex"].eq("F") & rows["status"].isin(SHOWN)].iloc[0]
    text = explained(sampled, "wmo_use", shown["region_code"], Part(sex="F"))
    assert "parts of this number are withheld" in text and RECOMPUTED.search(text)
    assert strata_in(text) == 0


@pytest.mark.parametrize("indicator", ["obesity", "zvw_cost_per_insured_year"])
def test_no_small_stratum_follows_from_the_printed_ones_of_other_regions(sampled: Sampled, indicator: str) -> None:
    """Every union of municipalities that sums and differences of printed strata give is above the threshold."""
    spec = sampled.programme.specs[indicator].model_copy(update={"breakdowns": []})
    source = next(iter(spec.route_of))
    rows = sampled.values.query("indicator_id == @indicator and source == @source")
    rows = rows[(rows[SPLIT] == ALL).all(axis=1) & (rows["period"] == rows["period"].max())]
    threshold = sampled.programme.publication.threshold(source)
    traced = trace(spec, sampled.cells, source, sampled.regions, sampled.programme.tables)
    levels = shown_levels(traced, rows.iloc[0].to_dict(), threshold)
    municipalities = sorted(rows.loc[rows["region_type"] == "municipality", "region_code"])
    inside = dict(zip(traced.geography.frame["region_code"], traced.geography.within > 0, strict=True))
    printed: list[Any] = []
    strata: dict[str, pd.DataFrame] = {}
    columns = [list(sampled.regions.names("municipality")).index(code) for code in municipalities]
    for row in rows.to_dict("records"):
        result = derive(traced, row, threshold)
        assert result is not None
        own = inside[row["region_code"]][columns]
        strata |= {code: result.strata for code in municipalities if code == row["region_code"]}
        if row["region_type"] in levels:
            assert result.small_count == 0
            printed.append(own)
    assert printed and "ggd_region" in levels
    known = np.array(printed, dtype=float)
    subsets = np.array(list(product([0.0, 1.0], repeat=len(municipalities)))[1:]).T
    projected = known.T @ np.linalg.pinv(known.T) @ subsets
    follow = subsets[:, np.abs(projected - subsets).max(axis=0) < 1e-9]
    assert follow.size
    for some in follow.T:
        union = pd.concat([strata[code] for code, is_in in zip(municipalities, some, strict=True) if is_in])
        labels = [name for name in ("sex", "age") if name in union]
        assert count_small(union.groupby(labels, as_index=False).sum(), traced, threshold) == 0
