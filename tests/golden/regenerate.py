"""The expected marts of the samples. ``python -m tests.golden.regenerate`` rewrites them; review the difference."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[2]
EXPECTED = ROOT / "data_samples" / "expected"
#: Marts with numbers; of ``indicator_values`` only totals, and sexes for the country, so that a diff is readable.
MARTS = ("triple_aim", "reconciliation", "cost_growth", "indicator_values")
DIGITS = 6


def run_samples(folder: Path) -> dict[str, pd.DataFrame]:
    """Run the nightly job on the shipped samples, with work and publication in ``folder``; returns the marts."""
    import dagster as dg

    samples = ROOT / "data_samples"
    config = folder / "monitor.toml"
    config.write_text(
        f"deliveries = '{samples / 'deliveries'}'\nown_regions = '{samples / 'regions'}'\n"
        f"work = 'work'\npublication = 'publication'\nperturbation_secret = '{samples / 'perturbation.key'}'\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        from assets.resources import programme_at
        from pipelines.definitions import build
        from pipelines.jobs import year_range_tags

        programme_at.cache_clear()
        job = build(str(config)).resolve_job_def("nightly")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, tags=year_range_tags(2021, 2023), run_config=quiet)
    programme_at.cache_clear()
    if not result.success:
        raise RuntimeError("the job on the samples failed")
    return {path.stem: pd.read_parquet(path) for path in (folder / "publication" / "current").glob("*.parquet")}


def comparable(name: str, mart: pd.DataFrame) -> pd.DataFrame:
    """A mart as it is stored: sorted, floats with six digits, ``indicator_values`` limited to totals."""
    if name == "indicator_values":
        mart = mart[mart["age_group"].eq("all") & mart["segment"].eq("all")]
        mart = mart[mart["sex"].eq("all") | mart["region_type"].eq("nl")]
        mart = mart.drop(columns=["indicator_version", "aim", "division_year", "segment_type", "segment", "unit"])
        mart = mart.drop(columns=["region_name", "population"])
    rows = mart.sort_values(list(mart.columns[:9]), kind="stable").reset_index(drop=True)
    # The ledger is exact; other numbers may differ in their last digits between machines.
    digits = 15 if name == "reconciliation" else DIGITS
    return pd.DataFrame({column: [_text(value, digits) for value in rows[column]] for column in rows})


def _text(value: object, digits: int) -> str:
    if value is None or value != value:
        return ""
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def path_of(name: str) -> Path:
    return EXPECTED / f"{name}.csv"


def read_expected(name: str) -> pd.DataFrame:
    return pd.read_csv(path_of(name), dtype=str, keep_default_na=False)


def write_expected(marts: dict[str, pd.DataFrame]) -> None:
    EXPECTED.mkdir(exist_ok=True)
    for name in MARTS:
        comparable(name, marts[name]).to_csv(path_of(name), index=False)


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        write_expected(run_samples(Path(folder)))
    for name in MARTS:
        print(path_of(name).relative_to(ROOT), path_of(name).stat().st_size)
