"""The file of the secret: 32 hexadecimal characters that only the owner may read.

Not here: where the file is (``triple_aim.definitions``), and what the secret is for (``cell_keys``).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from pathlib import Path

from triple_aim.errors import ProjectError
from triple_aim.files import sync_folder
from triple_aim.perturbation.siphash import SECRET_BYTES

HOW_TO = "read docs/how-to/keep-the-secret.md"
#: The samples are invented and their secret is public, so anybody may read that file.
SAMPLES_SECRET = b"samples only!!!!"


def read_or_make_secret(path: Path, *, is_published: bool) -> bytes:
    """Read the secret; make it when there is none and nothing was published with an earlier one."""
    if path.exists():
        return read_secret(path)
    if is_published:
        raise ProjectError("the secret of the published noise is gone", str(path), f"put its backup there; {HOW_TO}")
    return make_secret(path)


def read_secret(path: Path) -> bytes:
    """Read the secret, or refuse a file that others may read or that holds something else."""
    try:
        text = path.read_bytes().strip()
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise ProjectError(f"the secret cannot be read: {error.strerror}", str(path), HOW_TO) from error
    if len(text) != 2 * SECRET_BYTES or not set(text) <= set(b"0123456789abcdefABCDEF"):
        raise ProjectError(f"the secret is not {2 * SECRET_BYTES} hexadecimal characters", str(path), HOW_TO)
    secret = bytes.fromhex(text.decode())
    if mode & 0o077 and secret != SAMPLES_SECRET:
        raise ProjectError(
            f"others than its owner may use the secret (mode {mode:04o})",
            str(path),
            f"chmod 600 {path}, and if others had access, {HOW_TO}",
        )
    return secret


def make_secret(path: Path) -> bytes:
    """Write a new random secret for its owner alone; an existing file stays as it is and is an error."""
    secret = secrets.token_bytes(SECRET_BYTES)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ProjectError(f"the secret cannot be made: {error.strerror}", str(path), HOW_TO) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)  # a part of a secret would stop every later run
        raise ProjectError(f"the secret cannot be written: {error.strerror}", str(path), HOW_TO) from error
    return secret


def fingerprint(secret: bytes) -> str:
    """Eight characters by which two parties compare their secrets without showing them."""
    return hashlib.sha256(b"fingerprint " + secret).hexdigest()[:8]
