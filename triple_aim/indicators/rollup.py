"""Cells → regional sums: applies filters, breakdowns, boundary changes and region levels.

Not here: statistics (``estimators``). This module apportions and adds sums and divides nothing but coverage.
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

from triple_aim.cubes import Cells, Floats, Keys
from triple_aim.definitions import AgeRange, Compute, Regions
from triple_aim.errors import ContentError
from triple_aim.perturbation import split_key
from triple_aim.vocabulary import ALL, age_bounds, age_group

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Geography:
    """The regions of an indicator that contain a municipality code, and the share of each code in each region."""

    frame: pd.DataFrame  # region_type, region_code, region_name; one row per region
    shares: Floats  # (regions, codes)
    municipal: Floats  # (current municipalities, codes)
    within: Floats  # (regions, current municipalities)
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

    @cached_property
    def _by_share(self) -> list[tuple[float, csr_array]]:
        return _split_by_share(self.shares)

    @cached_property
    def _municipal_by_share(self) -> list[tuple[float, csr_array]]:
        return _split_by_share(self.municipal)

    def roll_up(self, sums: Floats) -> Floats:
        """(period, municipality, …) → (period, region, …); a region is nan where none of its codes delivered."""
        return _rolled(self._shares, sums)

    def by_current_municipality(self, sums: Floats) -> Floats:
        """(period, municipality, …) → (period, current municipality, …)."""
        return _rolled(self._municipal, sums)

    def roll_up_keys(self, keys: Keys) -> Keys:
        """The keys of the regions, as ``roll_up`` adds their sums."""
        return _rolled_keys(self._by_share, keys)

    def keys_by_current_municipality(self, keys: Keys) -> Keys:
        """The keys of the current municipalities, as ``by_current_municipality`` adds their sums."""
        return _rolled_keys(self._municipal_by_share, keys)

    def coverage(self, reported: Floats, denominator: Floats) -> Floats:
        """The share of a denominator that comes from municipalities that delivered, as (period, region, …).

        ``denominator`` is that of all municipalities, ``reported`` that of those with a numerator. A current
        municipality without a denominator in a period gets the one of the nearest period that has it.
        """
        expected = np.nan_to_num(_nearest(self.by_current_municipality(denominator)))
        total = np.moveaxis(_weighted_sum(csr_array(self.within), np.moveaxis(expected, 1, 0)), 0, 1)
        covered = np.nan_to_num(self.roll_up(reported))
        total = np.maximum(total, covered)
        share: Floats = np.divide(covered, total, out=np.full(total.shape, np.nan), where=total > 0)
        return share

    def reporting_counts(self, reported: Floats) -> tuple[Floats, Floats]:
        """The number of current municipalities that delivered, as (period, region), and of all, as (region,)."""
        reporting = self.by_current_municipality(reported.reshape(*reported.shape[:2], -1).sum(axis=2)) > 0
        return reporting @ self.within.T, self.within.sum(axis=1)

    def reporting_in_both(self, one: Floats, other: Floats) -> tuple[Mask, Mask]:
        """The codes of one period, and of another, whose current municipality delivered in both.

        Both arrays are (pair, municipality code), nan where nothing was delivered. A code without a current
        municipality counts for the country only and is compared with itself.
        """
        is_part = self.municipal > 0
        delivered = [~np.isnan(side) @ is_part.T for side in (one, other)]
        unplaced = ~is_part.any(axis=0)
        first, second = (
            ~np.isnan(side) & (in_other @ is_part | unplaced)
            for side, in_other in zip((one, other), delivered[::-1], strict=True)
        )
        return first, second

    def reporting_in_all(self, reporting: Mask) -> Mask:
        """The codes, as (period, code), whose current municipality delivered in every period."""
        is_part = self.municipal > 0
        always = (reporting @ is_part.T).all(axis=0)
        return reporting & (always @ is_part | ~is_part.any(axis=0))


def _rolled(shares: csr_array, sums: Floats) -> Floats:
    by_code = np.moveaxis(sums, 1, 0)
    missing = np.isnan(by_code)
    total = _weighted_sum(shares, np.where(missing, 0.0, by_code))
    result: Floats = np.where(_weighted_sum(shares > 0, ~missing), total, np.nan)
    return np.moveaxis(result, 0, 1)


def _split_by_share(shares: Floats) -> list[tuple[float, csr_array]]:
    """Which codes belong to which region, for each share of a code that occurs."""
    found = np.unique(shares[shares > 0])
    return [(float(share), csr_array((shares == share).astype(np.uint64))) for share in found]


def _rolled_keys(by_share: list[tuple[float, csr_array]], keys: Keys) -> Keys:
    """Add keys modulo 2^64; a municipality that is split over regions has another key in each."""
    by_code = np.moveaxis(keys, 1, 0)
    parts = [_weighted_sum(codes, split_key(by_code, share)) for share, codes in by_share]
    total: Keys = np.sum(parts, axis=0, dtype=np.uint64)
    return np.moveaxis(total, 0, 1)


def _weighted_sum(weights: csr_array, sums: Any) -> Any:
    """(out, in) and (in, …) → (out, …): the sum of ``in`` by weight.

    Terms are added one by one in the order of the labels. The order of a dense product, and so its last digits, depends
    on the processor and on the number of regions.
    """
    return (weights @ sums.reshape(len(sums), -1)).reshape(weights.shape[0], *sums.shape[1:])


def _nearest(known: Floats) -> Floats:
    """Fill nan along the first axis from the nearest period with a value; of two equally near, from the earlier."""
    filled = known.copy()
    for distance in range(1, len(known)):
        for target, source in ((filled[distance:], known[:-distance]), (filled[:-distance], known[distance:])):
            np.copyto(target, source, where=np.isnan(target))
    return filled


def geography(regions: Regions, levels: Sequence[str], codes: Sequence[str]) -> Geography:
    """Stack the wanted levels; ``own`` means every classification that the region team added."""
    return _geography(regions, tuple(levels), tuple(codes))


@lru_cache(maxsize=64)  # few geographies are used, and making one costs more than most indicators do
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
    # A region without any code has no data, and would cost as much as a region with data.
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
    """One way to split a total: labels of the categories and, for each, the sex × age cells that belong to it."""

    dimension: str  # sex, age_group, or "none"
    labels: list[str]
    masks: Mask  # (categories, sexes, bands)


def breakdown(cells: Cells, dimension: str) -> Breakdown:
    """Split by ``sex`` or ``age_group``; any other dimension gives one category with all cells."""
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
    """Whether the cube has the dimension: a cube without ages cannot be broken down by age."""
    axis = {"sex": "sex", "age_group": "age_band"}.get(dimension)
    return axis is None or cells.labels[axis] != [ALL]


def where(cells: Cells, route: Compute) -> Cells:
    """The cells that match the filters of a route."""
    for name, wanted in route.where.items():
        labels = cells.labels[name]
        if isinstance(wanted, AgeRange):
            kept = [wanted.from_ <= age_bounds(label)[0] and age_bounds(label)[1] <= wanted.below for label in labels]
        else:
            kept = [label in wanted for label in labels]
        cells = cells.keep(name, np.array(kept, dtype=bool))
    return cells


def by_category(sums: Floats, masks: Mask | Floats) -> Floats:
    """(period, region, sex, band[, segment]) → (period, region, category[, segment])."""
    by_cell = np.moveaxis(sums, (2, 3), (0, 1))
    by_cell = by_cell.reshape(-1, *by_cell.shape[2:])
    weights = csr_array(masks.reshape(len(masks), -1).astype(float))
    result: Floats = np.moveaxis(_weighted_sum(weights, by_cell), 0, 2)
    return result


def keys_by_category(keys: Keys, masks: Mask) -> Keys:
    """The keys as (period, region, category), as ``by_category`` adds sums."""
    by_cell = np.moveaxis(keys, (2, 3), (0, 1)).reshape(-1, *keys.shape[:2])
    weights = csr_array(masks.reshape(len(masks), -1).astype(np.uint64))
    result: Keys = np.moveaxis(_weighted_sum(weights, by_cell), 0, 2)
    return result


def strata(sums: Floats, masks: Mask) -> Floats:
    """(period, region, sex, band) → (period, region, category, stratum); 0 outside the category."""
    flat_sums = sums.reshape(*sums.shape[:2], 1, -1)
    return np.where(masks.reshape(len(masks), -1), flat_sums, 0.0)


def stratum_weights(standard: Mapping[str, float], name: str, cells: Cells) -> Floats:
    """Weights as (sex, band), the same for every sex; ContentError if the standard misses a band of the cube."""
    bands = cells.labels["age_band"]
    if missing := [band for band in bands if band not in standard]:
        raise ContentError(
            f"the standard has no weight for {', '.join(missing[:3])}",
            f"reference/standards/{name}.csv",
            "add the bands",
        )
    weight = np.array([standard[band] for band in bands])
    return np.broadcast_to(weight, (len(cells.labels["sex"]), len(bands)))
