"""The cells of the samples, read once from the run that other folders of tests share."""

from __future__ import annotations

import pytest

from tests.content import programme_of
from tests.disclosure.laboratory import Deliveries
from tests.project_copy import own_copy
from triple_aim.cubes import Cells
from triple_aim.indicators.build import IndicatorInputs
from triple_aim.perturbation import SAMPLES_SECRET
from triple_aim.warehouse import open_warehouse


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Deliveries:
    """The cells and the regions of the shipped samples."""
    content = programme_of(own_copy(tmp_path_factory).root / "data_samples" / "monitor.toml")
    inputs, cells = IndicatorInputs(content, SAMPLES_SECRET), dict[str, Cells]()
    with open_warehouse(content.project.warehouse, threads=1) as warehouse:
        for cube in content.cubes:
            if warehouse.exists(f"cube.{cube}"):
                cells[cube] = inputs.cells(warehouse, cube)
        return Deliveries(cells, inputs.regions(warehouse))
