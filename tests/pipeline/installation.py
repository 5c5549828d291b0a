"""A small installation in its own folder, with a few indicators, for tests of the complete graph."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from tests import content
from triple_aim.definitions.contracts import SetAside
from triple_aim.definitions.programme import Programme
from triple_aim.definitions.settings import Project
from triple_aim.release.store import current_release

INDICATORS = ("good_self_rated_health", "avoidable_admissions", "zvw_cost_standardised", "zvw_cost_growth", "mortality")
#: Installations with the same deliveries publish the same bytes only if they have the same secret.
SECRET = "0123456789abcdef0123456789abcdef"
Change = Callable[[Programme], Programme]
QUIET = {"loggers": {"console": {"config": {"log_level": "DEBUG"}}}}


@dataclasses.dataclass(frozen=True)
class Installation:
    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "monitor.toml"

    @property
    def deliveries(self) -> Path:
        return self.folder / "deliveries"

    @property
    def publication(self) -> Path:
        return self.folder / "publication"

    def current(self) -> str:
        release = current_release(self.publication)
        return release.name if release else ""

    def run(
        self,
        first: int = 2021,
        last: int = 2023,
        change: Change = lambda programme: programme,
        only: str = "",
        since: str = "",
    ) -> dg.ExecuteInProcessResult:
        """Run the nightly job for these years, with a changed programme.

        ``only`` names a single asset; ``since`` names an asset that runs with every asset downstream of it.
        """
        from pipelines.jobs import year_range_tags
        from pipelines.run import dagster_instance

        with self.definitions(change) as definitions, dagster_instance() as instance:
            selected = None
            if only or since:
                selection = dg.AssetSelection.assets(only or since)
                selection = selection.downstream() if since else selection
                selected = sorted(selection.resolve(definitions.resolve_asset_graph()))
            return definitions.resolve_job_def("nightly").execute_in_process(
                instance=instance,
                tags=year_range_tags(first, last),
                raise_on_error=False,
                run_config=QUIET,
                asset_selection=selected,
            )

    @contextmanager
    def definitions(self, change: Change = lambda programme: programme) -> Iterator[dg.Definitions]:
        from assets import resources
        from pipelines.definitions import build

        def small(project: Project) -> Programme:
            programme = dataclasses.replace(content.programme(), project=project)
            # With so few rows, the share of synthetic defects is larger than the contracts tolerate.
            tolerant = {"set_aside": SetAside(max_share=0.05)}
            contracts = {name: contract.model_copy(update=tolerant) for name, contract in programme.contracts.items()}
            specs = {name: programme.specs[name] for name in INDICATORS}
            return change(dataclasses.replace(programme, contracts=contracts, specs=specs))

        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)  # pytest removes the filter of assets.resources
            patch.setattr(resources, "load_programme", small)
            resources.programme_at.cache_clear()
            try:
                yield build(str(self.config))
            finally:
                resources.programme_at.cache_clear()


def create_installation(folder: Path) -> Installation:
    """Create an installation in a folder, with its settings file and the secret that all of them share."""
    folder.mkdir(exist_ok=True)
    (folder / "work").mkdir(mode=0o700, exist_ok=True)
    (folder / "work" / "perturbation.key").touch(0o600)
    (folder / "work" / "perturbation.key").write_text(SECRET)
    (folder / "monitor.toml").write_text('deliveries = "deliveries"\nwork = "work"\npublication = "publication"\n')
    return Installation(folder)
