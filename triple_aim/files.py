"""Writes files that survive a power failure and have the right readers, and tables as reproducible Parquet.

Not here: which files a release (``triple_aim.release``) or an export (``triple_aim.reports``) contains.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from triple_aim.errors import ProjectError


def _own_umask() -> int:
    """The umask with which this process started, for files that readers may open."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


_UMASK = _own_umask()


def close_to_others() -> None:
    """Let every later file and folder of this process be for its owner only, also those that libraries write."""
    os.umask(0o077)


def open_to_readers(folder: Path) -> None:
    """Give a folder and all in it the modes with which the process started, where they are for its owner only."""
    for path in (folder, *folder.rglob("*")):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~_UMASK)


def wider_than_owner(folder: Path) -> list[Path]:
    """The files and folders in a folder, and the folder itself, that others than the owner may enter or read."""
    found = (folder, *folder.rglob("*")) if folder.is_dir() else ()
    return [path for path in found if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077]


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as Parquet that contains its rows and nothing else; equal rows give equal bytes.

    Dictionary columns become plain strings, because they still list categories that were filtered out. The metadata of
    pandas (index, column names) is removed.
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
    """Replace a file in one step: a reader sees the old content or the new content, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_synced(draft, content)
        os.replace(draft, path)
        sync_folder(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ProjectError(
            f"the file could not be written: {error.strerror}",
            str(path),
            "check that the folder exists and has free space",
        ) from error


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and wait until it is on disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()
