"""The tables ``ind.*``: finds the stale ones, rebuilds them and records their fingerprints.

Not here: the rows of one indicator (``compute``), their checks (``triple_aim.checks``).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from triple_aim.cubes import Cells, cube_noise, fingerprints, fingerprints_of, load_cells, record_fingerprint
from triple_aim.definitions import Programme, Regions, Spec, library_versions
from triple_aim.indicators.compute import indicator_rows
from triple_aim.indicators.methods.as_published import with_published
from triple_aim.indicators.rows import NO_ROWS
from triple_aim.perturbation import Perturbation, fingerprint
from triple_aim.warehouse import Warehouse, qualified, quoted


@dataclass
class IndicatorInputs:
    """The programme, regions and cells of one run; each is read once and again only after a change."""

    programme: Programme
    secret: bytes = field(repr=False)  # of the noise
    _regions: tuple[object, Regions] | None = None  # the delivered shares, and the regions from them
    _cells: dict[str, tuple[object, Cells]] = field(default_factory=dict)  # by cube: its fingerprints and its cells
    _noisy: dict[str, tuple[Cells, Cells]] = field(default_factory=dict)  # by cube: its cells, exact and with keys

    @cached_property
    def perturbation(self) -> Perturbation:
        """The secret of this installation with the published table of changes."""
        return Perturbation(self.secret, self.programme.tables.changes, self.programme.publication.noise.share)

    @property
    def secret_fingerprint(self) -> str:
        """A hash that shows whether the secret is another one; the secret does not follow from it."""
        return fingerprint(self.secret)

    def regions(self, warehouse: Warehouse) -> Regions:
        """The current regions, with the delivered shares of split municipalities, if any."""
        shares = _split_shares(warehouse)
        if self._regions is None or self._regions[0] != shares:
            self._regions = shares, self.programme.regions(warehouse)
        return self._regions[1]

    def cells(self, warehouse: Warehouse, cube: str) -> Cells:
        """The cells of a cube; read again only after a rebuild."""
        parts = self.programme.parts_of(cube)
        current = [fingerprints_of(warehouse, f"cube.{name}") for name in (cube, *(query.name for query in parts))]
        if cube not in self._cells or self._cells[cube][0] != current:
            self._cells[cube] = current, load_cells(warehouse, self.programme.cubes[cube], parts)
        return self._cells[cube][1]

    def noisy_cells(self, warehouse: Warehouse, cube: str) -> Cells:
        """The cells of a cube with the keys of all sums that a spec reads; exact where the cube does not change."""
        exact = self.cells(warehouse, cube)
        mode = self.programme.publication.threshold(cube).mode
        if mode in ("suppress", "as_delivered"):
            return exact
        if cube not in self._noisy or self._noisy[cube][0] is not exact:
            routes = [spec.route_of[cube] for spec in self.programme.specs.values() if cube in spec.route_of]
            names = {name for route in routes for name in route.columns(exact.sums)} if mode == "cell_key" else set()
            noise = cube_noise(self.perturbation, self.programme.cubes[cube], list(exact.sums))
            self._noisy[cube] = exact, replace(exact, noise=noise).keyed(sorted(names))
        return self._noisy[cube][1]

    def fingerprints(self, warehouse: Warehouse, specs: Sequence[Spec]) -> dict[str, str]:
        """Per indicator, the hash of its spec, cubes, delivered shares, content and library versions."""
        recorded, shares = fingerprints(warehouse), _split_shares(warehouse)
        content = [self.programme.project.content_hash, library_versions()]

        def parts(spec: Spec) -> list[object]:
            cubes = [(cube, recorded.get(f"cube.{cube}")) for cube in self.programme.tables_of(spec)]
            return [spec, content, shares, cubes]

        return {spec.id: hashlib.sha256(repr(parts(spec)).encode()).hexdigest() for spec in specs}


@dataclass(frozen=True)
class RebuiltIndicators:
    """The indicators that one call rebuilt."""

    specs: list[Spec]
    fingerprints: dict[str, str]
    seconds: dict[str, float]  # of every requested indicator; 0 where nothing was rebuilt


def rebuild_indicators(warehouse: Warehouse, inputs: IndicatorInputs, specs: Sequence[Spec]) -> RebuiltIndicators:
    """Compute and store the indicators whose fingerprint changed; ``record_indicators`` marks them as current."""
    programme, regions = inputs.programme, inputs.regions(warehouse)
    wanted, recorded = inputs.fingerprints(warehouse, specs), fingerprints(warehouse)
    stale = [spec for spec in specs if recorded.get(f"ind.{spec.id}", {}).get(0) != wanted[spec.id]]
    seconds, computed = {spec.id: 0.0 for spec in specs}, []
    names = sorted({cube for spec in stale for cube in programme.cubes_of(spec)})
    cells = {cube: inputs.cells(warehouse, cube) for cube in names}
    for spec in stale:
        started = time.monotonic()
        rows = indicator_rows(spec, cells, regions, programme.tables, programme.publication.run_off)
        computed.append(with_published(warehouse, spec, regions, rows).assign(indicator_id=spec.id))
        seconds[spec.id] = time.monotonic() - started
    if computed:
        _store(warehouse, stale, pd.concat(computed, ignore_index=True))
    return RebuiltIndicators(stale, {spec.id: wanted[spec.id] for spec in stale}, seconds)


def changed_rows(warehouse: Warehouse, inputs: IndicatorInputs, specs: Sequence[Spec]) -> pd.DataFrame:
    """The rows of indicators from changed sums, for the sources whose mode asks for them, with ``indicator_id``."""
    programme, regions = inputs.programme, inputs.regions(warehouse)
    exact_modes = ("suppress", "as_delivered")
    computed = []
    names = sorted({cube for spec in specs for cube in programme.cubes_of(spec)})
    cells = {cube: inputs.noisy_cells(warehouse, cube) for cube in names}
    for spec in specs:
        sources = [cube for cube in spec.route_of if programme.publication.threshold(cube).mode not in exact_modes]
        rows = indicator_rows(spec, cells, regions, programme.tables, programme.publication.run_off, sources)
        computed.append(rows.assign(indicator_id=spec.id))
    return pd.concat(computed, ignore_index=True) if computed else NO_ROWS.assign(indicator_id="")


def record_indicators(warehouse: Warehouse, rebuilt: RebuiltIndicators) -> None:
    """Record the fingerprints of rebuilt indicators; call it after the checks, so that unchecked tables are rebuilt."""
    with warehouse.transaction():
        for name, fingerprint in rebuilt.fingerprints.items():
            record_fingerprint(warehouse, f"ind.{name}", 0, fingerprint)


def indicator_row_counts(warehouse: Warehouse, names: Sequence[str]) -> dict[str, int]:
    """The number of rows of each indicator, in one query."""
    counts = [f"select ? as indicator_id, count(*) as row_count from ind.{quoted(name)}" for name in names]
    return dict(warehouse.rows(" union all ".join(counts), list(names))) if names else {}


def _store(warehouse: Warehouse, specs: Sequence[Spec], rows: pd.DataFrame) -> None:
    """Write the rows as one table per indicator, all or none.

    The frame becomes one table first: converting it per indicator would take longer than computing it.
    """
    with warehouse.transaction(), warehouse.named("arriving", rows):
        warehouse.run("create or replace temp table landed as select * from arriving")
        for spec in specs:
            record_fingerprint(warehouse, f"ind.{spec.id}", 0, None)
            warehouse.run(
                f"""create or replace table {qualified(f"ind.{spec.id}")} as
                    select * exclude (indicator_id) from landed where indicator_id = ?""",
                [spec.id],
            )
        warehouse.run("drop table landed")


def _split_shares(warehouse: Warehouse) -> list[tuple[object, ...]]:
    """The staged deliveries with the shares of split municipalities."""
    return warehouse.rows("select period, delivery from meta.staged where extract = 'boundary_changes' order by all")
