"""Opens one release for SQL: an in-memory warehouse with a documented view per mart.

Not here: choosing the release (``store``). The connection has no access to files, because the marts are registered as
datasets; no statement can read or overwrite a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow.dataset as ds

from triple_aim.definitions import Mart, Publication
from triple_aim.errors import ProjectError
from triple_aim.release.store import read_manifest
from triple_aim.warehouse import Warehouse, literal, open_warehouse, quoted

PARQUET = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


@contextmanager
def open_marts(
    release: Path, promise: Publication, *, memory_limit: str = "1GB", threads: int = 2
) -> Iterator[Warehouse]:
    """Open every mart of a release as a view in schema ``mart``; queries may leave out the schema."""
    manifest = read_manifest(release)
    if manifest is None:
        raise ProjectError("this is not a release", str(release), "name a folder in releases/, or run triple-aim run")
    described = {mart.name: mart for mart in promise.marts}
    marts = sorted(name.removesuffix(".parquet") for name in manifest["files"] if name.endswith(".parquet"))
    with open_warehouse(None, memory_limit=memory_limit, threads=threads) as warehouse, ExitStack() as stack:
        for name in marts:
            dataset = f"{name}_file"
            stack.enter_context(warehouse.named(dataset, ds.dataset(release / f"{name}.parquet", format=PARQUET)))
            warehouse.run(f"create view mart.{quoted(name)} as select * from {quoted(dataset)}")
            if name in described:
                _document(warehouse, described[name])
        warehouse.run("use mart")
        yield warehouse


def _document(warehouse: Warehouse, mart: Mart) -> None:
    """Comment the view and its columns with title and meanings; an older release may have fewer columns."""
    view = f"mart.{quoted(mart.name)}"
    title = f"{mart.title.en}; one row per {', '.join(mart.grain)}"
    warehouse.run(f"comment on view {view} is {literal(title)}")
    present = {name for name, _ in warehouse.header(f"select * from {view}")}
    for column in mart.columns:
        if column.name in present:
            warehouse.run(f"comment on column {view}.{quoted(column.name)} is {literal(column.meaning.en)}")
