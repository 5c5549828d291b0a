"""Cells → regional sums: where filters, breakdowns, boundary changes and region levels are applied.

Not here: statistics. Sums are apportioned and added; nothing is divided in this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import AgeRange, Compute, Regions
from triple_aim.errors import ContentError
from triple_aim.vocabulary import ALL, age_bounds, age_group

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Geography:
    """The regions of an indicator in which a code lies, and the share of each municipality code in each of them."""

    frame: pd.DataFrame  # region_type, region_code, region_name; one row a region
    shares: Floats  # (regions, codes)
    municipal: Floats  # (municipalities of today, codes)
    within: Floats  # (regions, municipalities of today)
    unresolved: tuple[str, ...]
    unknown: tuple[str, ...]

    @cached_property
    def country(self) -> int:
        """The row of the whole country."""
        return int(np.flatnonzero(self.frame["region_type"] == "nl")[0])

    @cached_property
    def _shares(self) -> csr_array:
        return csr_array(self.shares)

    @cached_property
    def _municipal(self) -> csr_array:
        return csr_array(self.municipal)

    def roll_up(self, sums: Floats) -> Floats:
        """(period, municipality, …) → (period, region, …); a region is nan where none of its codes delivered."""
        return _rolled(self._shares, sums)

    def of_today(self, sums: Floats) -> Floats:
        """(period, municipality, …) → (period, municipality of today, …)."""
        return _rolled(self._municipal, sums)

    def coverage(self, heard: Floats, known: Floats) -> Floats:
        """Which part of a denominator comes from municipalities that delivered, as (period, region, …).

        ``known`` is the denominator of everyone, ``heard`` of those who delivered the numerator. A municipality of
        today that is unknown in a period counts as much as in the nearest period of which it is known.
        """
        everyone = np.nan_to_num(_nearest(self.of_today(known)))
        whole = np.moveaxis(_added(csr_array(self.within), np.moveaxis(everyone, 1, 0)), 0, 1)
        got = np.nan_to_num(self.roll_up(heard))
        whole = np.maximum(whole, got)
        share: Floats = np.divide(got, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
        return share

    def deliverers(self, heard: Floats) -> tuple[Floats, Floats]:
        """How many of today's municipalities delivered, as (period, region), and how many a region has."""
        spoke = self.of_today(heard.reshape(*heard.shape[:2], -1).sum(axis=2)) > 0
        return spoke @ self.within.T, self.within.sum(axis=1)

    def both(self, one: Floats, other: Floats) -> tuple[Mask, Mask]:
        """Which codes of one period, and of another, lie in a municipality of today that delivered in both.

        Both arrays are (pair, municipality code), nan where nothing was delivered. A code that leads to no municipality
        of today counts for the country only and stands for itself.
        """
        leads = self.municipal > 0
        there = [~np.isnan(side) @ leads.T for side in (one, other)]
        nowhere = ~leads.any(axis=0)
        first, second = (
            ~np.isnan(side) & (spoke @ leads | nowhere) for side, spoke in zip((one, other), there[::-1], strict=True)
        )
        return first, second

    def throughout(self, heard: Mask) -> Mask:
        """Which codes, as (period, code), lie in a municipality of today that delivered in every one of the periods."""
        leads = self.municipal > 0
        always = (heard @ leads.T).all(axis=0)
        return heard & (always @ leads | ~leads.any(axis=0))


def _rolled(shares: csr_array, sums: Floats) -> Floats:
    by_code = np.moveaxis(sums, 1, 0)
    silent = np.isnan(by_code)
    total = _added(shares, np.where(silent, 0.0, by_code))
    result: Floats = np.where(_added(shares > 0, ~silent), total, np.nan)
    return np.moveaxis(result, 0, 1)


def _added(weights: csr_array, sums: Any) -> Any:
    """(out, in) and (in, …) → (out, …): the sum of ``in`` by weight.

    One term after the other, in the order of the labels. A dense product adds in an order that depends on the processor
    and on how many other regions there are, and the last digits with it.
    """
    return (weights @ sums.reshape(len(sums), -1)).reshape(weights.shape[0], *sums.shape[1:])


def _nearest(known: Floats) -> Floats:
    """Along the first axis, what is nan taken from the nearest period that has it, the earlier of two as near."""
    filled = known.copy()
    for distance in range(1, len(known)):
        for target, source in ((filled[distance:], known[:-distance]), (filled[:-distance], known[distance:])):
            np.copyto(target, source, where=np.isnan(target))
    return filled


def geography(regions: Regions, levels: Sequence[str], codes: Sequence[str]) -> Geography:
    """Stack the wanted levels; ``own`` stands for every classification the region team added."""
    return _geography(regions, tuple(levels), tuple(codes))


@lru_cache(maxsize=64)  # indicators ask for the same few, and making one costs more than most of them do
def _geography(regions: Regions, levels: tuple[str, ...], codes: tuple[str, ...]) -> Geography:
    wanted = [kind for kind in regions.types if kind in levels or ("own" in levels and kind in regions.own)]
    membership = regions.membership(codes)
    today = regions.membership(list(regions.names("municipality"))).shares
    shares = {kind: membership.shares[kind].reshape(len(regions.names(kind)), len(codes)) for kind in regions.types}
    frames = [
        pd.DataFrame({"region_type": kind, "region_code": list(names), "region_name": list(names.values())})
        for kind in wanted
        for names in [regions.names(kind)]
    ]
    frame, share = pd.concat(frames, ignore_index=True), np.concatenate([shares[kind] for kind in wanted])
    # Of a region in which no code lies nothing can be known, and it would cost as much as one that delivers.
    known = (share > 0).any(axis=1) | (frame["region_type"] == "nl").to_numpy()
    return Geography(
        frame=frame[known].reset_index(drop=True),
        shares=share[known],
        municipal=shares["municipality"],
        within=np.concatenate([today[kind] for kind in wanted])[known],
        unresolved=membership.unresolved,
        unknown=membership.unknown,
    )


@dataclass(frozen=True)
class Breakdown:
    """One way to split a total: labels of the categories and, for each, which sex × age cells belong to it."""

    dimension: str  # sex, age_group, the name of a family, or "none"
    labels: list[str]
    masks: Mask  # (categories, sexes, bands)


def breakdown(cells: Cells, dimension: str) -> Breakdown:
    sexes, bands = np.array(cells.labels["sex"]), np.array(cells.labels["age_band"])
    shape = (len(sexes), len(bands))
    if dimension == "sex":
        labels = [str(sex) for sex in sexes]
        masks = np.stack([np.broadcast_to((sexes == label)[:, None], shape) for label in labels])
    elif dimension == "age_group":
        groups = np.array([age_group(band) for band in bands])
        labels = list(dict.fromkeys(groups.tolist()))
        masks = np.stack([np.broadcast_to(groups == label, shape) for label in labels])
    else:
        labels, masks = [ALL], np.ones((1, *shape), dtype=bool)
    return Breakdown(dimension, labels, masks)


def divisible(cells: Cells, dimension: str) -> bool:
    """Whether the cube knows the dimension at all: a cube without ages cannot be broken down by age."""
    axis = {"sex": "sex", "age_group": "age_band"}.get(dimension)
    return axis is None or cells.labels[axis] != [ALL]


def where(cells: Cells, route: Compute) -> Cells:
    """The cells a route is about, with every axis beyond sex and age summed away."""
    for name, wanted in route.where.items():
        labels = cells.labels[name]
        if isinstance(wanted, AgeRange):
            kept = [wanted.from_ <= age_bounds(label)[0] and age_bounds(label)[1] <= wanted.below for label in labels]
        else:
            kept = [label in wanted for label in labels]
        cells = cells.keep(name, np.array(kept, dtype=bool))
    return cells


def flat(cells: Cells, name: str) -> Floats:
    """One sum as (period, municipality, sex, band); further axes added up."""
    array = cells.sums[name]
    return array.sum(axis=tuple(range(4, array.ndim))) if array.ndim > 4 else array


def by_category(sums: Floats, masks: Mask | Floats) -> Floats:
    """(period, region, sex, band[, segment]) → (period, region, category[, segment])."""
    by_cell = np.moveaxis(sums, (2, 3), (0, 1))
    by_cell = by_cell.reshape(-1, *by_cell.shape[2:])
    made: Floats = np.moveaxis(_added(csr_array(masks.reshape(len(masks), -1).astype(float)), by_cell), 0, 2)
    return made


def strata(sums: Floats, masks: Mask) -> Floats:
    """(period, region, sex, band) → (period, region, category, stratum), 0 outside the category."""
    flat_sums = sums.reshape(*sums.shape[:2], 1, -1)
    return np.where(masks.reshape(len(masks), -1), flat_sums, 0.0)


def stratum_weights(standard: Mapping[str, float], name: str, cells: Cells) -> Floats:
    """Weights as (sex, band): a standard has the same ages for every sex."""
    bands = cells.labels["age_band"]
    if lacking := [band for band in bands if band not in standard]:
        raise ContentError(
            f"the standard has no weight for {', '.join(lacking[:3])}",
            f"reference/standards/{name}.csv",
            "add the bands",
        )
    weight = np.array([standard[band] for band in bands])
    return np.broadcast_to(weight, (len(cells.labels["sex"]), len(bands)))
