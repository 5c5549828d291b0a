"""SipHash-2-4, for one message of bytes and for an array of messages of 64-bit words.

Not here: which words a cell consists of (``cell_keys``), and the secret (``secret``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
#: Cells per block: four states and the room of one rotation stay in the second-level cache of a processor.
BLOCK = 8192
SECRET_BYTES = 16
_MASK = (1 << 64) - 1
_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def siphash(secret: bytes, message: bytes) -> int:
    """Return the 64-bit SipHash-2-4 of a message.

    Parameters
    ----------
    secret : bytes
        16 bytes.
    message : bytes
        Any length.

    Returns
    -------
    int
        At least 0 and below ``2**64``.

    Raises
    ------
    ValueError
        For a secret of another length.

    References
    ----------
    Aumasson J-P, Bernstein DJ (2012). SipHash: a fast short-input PRF. INDOCRYPT 2012, LNCS 7668: 489-508.

    Examples
    --------
    >>> hex(siphash(bytes(range(16)), bytes(range(15))))
    '0xa129ca6149be45e5'
    """
    v0, v1, v2, v3 = start_state(secret)
    padded = message + bytes(-(len(message) + 1) % 8) + bytes([len(message) % 256])
    for position in range(0, len(padded), 8):
        word = int.from_bytes(padded[position : position + 8], "little")
        v3 ^= word
        for _ in range(2):
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    v2 ^= 0xFF
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def start_state(secret: bytes) -> tuple[int, int, int, int]:
    """Return the four words of the state before the first word of a message.

    Raises
    ------
    ValueError
        For a secret that is not 16 bytes long.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret has {SECRET_BYTES} bytes, not {len(secret)}")
    k0, k1 = int.from_bytes(secret[:8], "little"), int.from_bytes(secret[8:], "little")
    return _START[0] ^ k0, _START[1] ^ k1, _START[2] ^ k0, _START[3] ^ k1


def siphash_of_cells(secret: bytes, first: int, axes: Sequence[Words], last: Words) -> Words:
    """Return SipHash-2-4 of the message (first, one word per axis, last) of every cell of an array.

    The words of the first axes are the same for many cells, so the state after them is computed once and shared.

    Parameters
    ----------
    secret : bytes
        16 bytes.
    first : int
        The first 64-bit word of every message.
    axes : sequence of uint64 arrays, one dimension each
        One word per position of that axis; at least one axis.
    last : uint64 array, shape ``tuple(len(axis) for axis in axes)``
        The last word of each cell's message.

    Returns
    -------
    uint64 array, shape of ``last``
        The hash of the words as 64-bit little-endian numbers; equal to :func:`siphash` of these bytes.

    Raises
    ------
    ValueError
        For a secret of another length, no axis, or a shape that does not fit the axes.

    Examples
    --------
    >>> words = np.array([1, 2], dtype=np.uint64)
    >>> cells = siphash_of_cells(bytes(16), 7, [words], np.array([5, 6], dtype=np.uint64))
    >>> int(cells[1]) == siphash(bytes(16), np.array([7, 2, 6], dtype="<u8").tobytes())
    True
    """
    if not axes or last.shape != tuple(axis.size for axis in axes):
        raise ValueError(f"{len(axes)} axes with the shape {last.shape} of the cells do not fit")
    state = [np.array([word], dtype=np.uint64) for word in start_state(secret)]
    _absorb(state, np.uint64(first), np.empty(1, dtype=np.uint64))
    for axis in axes[:-1]:
        state = [np.repeat(word, axis.size) for word in state]
        _absorb(state, np.tile(axis, state[0].size // max(axis.size, 1)), np.empty_like(state[0]))
    # The last word of a message contains its length in bytes, as the definition of SipHash says.
    length = np.uint64(((len(axes) + 2) * 8 % 256) << 56)
    width, prefixes = axes[-1].size, state[0].size
    rows = max(1, BLOCK // max(width, 1))
    hashes = np.empty((prefixes, width), dtype=np.uint64)
    values = np.ascontiguousarray(last, dtype=np.uint64).reshape(prefixes, width)
    for row in range(0, prefixes, rows):
        part = slice(row, row + rows)
        block = [np.repeat(word[part, np.newaxis], width, axis=1) for word in state]
        spare = np.empty_like(block[0])
        for words in (axes[-1], values[part], length):
            _absorb(block, words, spare)
        block[2] ^= np.uint64(0xFF)
        for _ in range(4):
            _rounds_in_place(block, spare)
        np.bitwise_xor(block[0], block[1], out=spare)
        spare ^= block[2]
        np.bitwise_xor(spare, block[3], out=hashes[part])
    return hashes.reshape(last.shape)


def _absorb(state: list[Words], words: Words | np.uint64, spare: Words) -> None:
    """Mix one word per message into the states, in place."""
    state[3] ^= words
    _rounds_in_place(state, spare)
    _rounds_in_place(state, spare)
    state[0] ^= words


def _rounds_in_place(state: list[Words], spare: Words) -> None:
    """Apply one round to every state."""
    v0, v1, v2, v3 = state
    v0 += v1
    _rotate_in_place(v1, 13, spare)
    v1 ^= v0
    _rotate_in_place(v0, 32, spare)
    v2 += v3
    _rotate_in_place(v3, 16, spare)
    v3 ^= v2
    v0 += v3
    _rotate_in_place(v3, 21, spare)
    v3 ^= v0
    v2 += v1
    _rotate_in_place(v1, 17, spare)
    v1 ^= v2
    _rotate_in_place(v2, 32, spare)


def _rotate_in_place(words: Words, bits: int, spare: Words) -> None:
    np.left_shift(words, bits, out=spare)
    np.right_shift(words, 64 - bits, out=words)
    words |= spare


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    """Apply one round to one state."""
    v0 = (v0 + v1) & _MASK
    v1 = _rotated(v1, 13) ^ v0
    v0 = _rotated(v0, 32)
    v2 = (v2 + v3) & _MASK
    v3 = _rotated(v3, 16) ^ v2
    v0 = (v0 + v3) & _MASK
    v3 = _rotated(v3, 21) ^ v0
    v2 = (v2 + v1) & _MASK
    v1 = _rotated(v1, 17) ^ v2
    v2 = _rotated(v2, 32)
    return v0, v1, v2, v3


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (64 - bits)) & _MASK
