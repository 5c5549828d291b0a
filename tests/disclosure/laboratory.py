"""Releases made in memory from the cells of the samples, so that an attack can change anything between two releases.

Not here: the attacks (``attacks``). Cells, regions and the secret are given; rows, noise and the gate are those of the
product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tests.content import programme
from triple_aim.cubes import Cells
from triple_aim.definitions import Regions, Spec
from triple_aim.disclosure.protect import LABELS, protect
from triple_aim.indicators.build import IndicatorInputs, changed_rows
from triple_aim.indicators.compute import indicator_rows
from triple_aim.perturbation import SAMPLES_SECRET
from triple_aim.warehouse import Warehouse

#: What identifies a printed row of one indicator.
KEY = ["source", *LABELS]


class InMemory(IndicatorInputs):
    """Inputs of indicators whose cells and regions are given instead of read from a warehouse."""

    def __init__(self, secret: bytes, cells: Mapping[str, Cells], regions: Regions) -> None:
        super().__init__(programme(), secret)
        self.given, self.places = cells, regions

    def cells(self, warehouse: Warehouse | None, cube: str) -> Cells:
        return self.given[cube]

    def regions(self, warehouse: Warehouse | None) -> Regions:
        return self.places


@dataclass(frozen=True)
class Deliveries:
    """The cells of all cubes and the regions: everything that a release depends on, except the secret."""

    cells: Mapping[str, Cells]
    regions: Regions

    def release(self, *indicators: str, secret: bytes = SAMPLES_SECRET) -> pd.DataFrame:
        """The rows of some indicators as a release prints them."""
        return self._release(indicators, InMemory(secret, self.cells, self.regions))

    def releases(self, count: int, *indicators: str) -> list[pd.DataFrame]:
        """The same release by installations with other secrets."""
        return [self.release(*indicators, secret=secret_of(number)) for number in range(count)]

    def exact(self, indicator: str) -> pd.DataFrame:
        """The private rows of one indicator, with its persons and cases."""
        return indicator_rows(
            spec_of(indicator), self.cells, self.regions, programme().tables, programme().publication.run_off
        )

    def with_cells(self, cube: str, change: Callable[[dict[str, np.ndarray]], None]) -> Deliveries:
        """These deliveries with other cells of one cube; ``change`` receives copies of the sums."""
        sums = {name: array.copy() for name, array in self.cells[cube].sums.items()}
        change(sums)
        return replace(self, cells={**self.cells, cube: replace(self.cells[cube], sums=sums)})

    def with_own(self, **classifications: Mapping[str, str]) -> Deliveries:
        """These deliveries with own classifications; each maps the codes of municipalities to a region."""
        tables, covers = dict(self.regions.tables), dict(self.regions.covers)
        for name, membership in classifications.items():
            tables[name] = pd.DataFrame(
                [(str(self.regions.division_year), code, region, region) for code, region in membership.items()],
                columns=["division_year", "municipality_code", "region_code", "region_name"],
            ).sort_values("region_code")
            covers[name] = "part"
        # The country comes last, as in the regions of the product.
        tables["nl"] = tables.pop("nl")
        return replace(self, regions=replace(self.regions, tables=tables, covers=covers))

    def _release(self, indicators: Iterable[str], inputs: InMemory) -> pd.DataFrame:
        specs = [spec_of(name) for name in indicators]
        changed = changed_rows(None, inputs, specs)  # type: ignore[arg-type]  # nothing is read from a warehouse
        parts = []
        for spec in specs:
            own = changed[changed["indicator_id"] == spec.id]
            year = self.regions.division_year
            parts.append(protect(self.exact(spec.id), spec, programme().publication, year, self.regions, own))
        return pd.concat(parts, ignore_index=True)


def spec_of(indicator: str) -> Spec:
    return programme().specs[indicator]


def secret_of(number: int) -> bytes:
    return number.to_bytes(16, "little")
