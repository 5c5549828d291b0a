"""A random stream for each topic, so that a change in one topic moves no other.

Not here: what is drawn.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.random import Generator, SeedSequence


def stream(seed: int, *topic: str | int) -> Generator:
    """The generator of one topic, such as ``stream(seed, "medicines", 2023)``.

    The topic's words are the key by which its sequence is spawned from the seed, so no stream depends on how many
    others there are or which came first.
    """
    words = tuple(word if isinstance(word, int) else zlib.crc32(word.encode()) for word in topic)
    return np.random.default_rng(SeedSequence(seed, spawn_key=words))
