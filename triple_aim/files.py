"""Bytes on disk that are there for good: one table as Parquet, and writing that survives a pulled plug.

Not here: which files make a release (``triple_aim.release``) or an export (``triple_aim.reports``).
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from triple_aim.errors import ProjectError


def parquet_bytes(table: pa.Table) -> bytes:
    """One table as Parquet: the same bytes for the same rows, and nothing in it that is not a row.

    Dictionary columns still list categories that were filtered out, so they become plain strings; pandas' own
    metadata (index, column names) goes as well.
    """
    plain = pa.schema(
        [
            (field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
            for field in table.schema
        ]
    )
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.cast(plain).replace_schema_metadata(None).combine_chunks(),
        sink,
        compression="zstd",
        write_page_checksum=True,
        store_schema=False,
    )
    return bytes(sink.getvalue())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of either."""
    arriving = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_synced(arriving, content)
        os.replace(arriving, path)
        sync_folder(path.parent)
    except OSError as error:
        arriving.unlink(missing_ok=True)
        raise ProjectError(
            f"the file could not be written: {error.strerror}",
            str(path),
            "check that the folder exists, and its space",
        ) from error


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(content: bytes) -> str:
    """The content's fingerprint, in hex."""
    return hashlib.sha256(content).hexdigest()
