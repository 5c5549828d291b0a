"""Keys of cells, and the noise that a key gives to a count or to another number.

Not here: which columns receive noise and how much of it a sum receives (the gate, ``triple_aim.disclosure``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from triple_aim.perturbation.change_table import ChangeTable, Floats
from triple_aim.perturbation.siphash import Words, siphash, siphash_of_cells, start_state

#: Combined with a key before it is mixed, so that one key gives independent numbers for two purposes.
_FOR_COUNTS = np.uint64(0x9E3779B97F4A7C15)
_FOR_UNIT_NOISE = np.uint64(0x3C6EF372FE94F82A)
_UNIT_BITS = 48


@dataclass(frozen=True)
class Perturbation:
    """The noise of one installation: its secret, its table of changes and its share for magnitudes.

    Attributes
    ----------
    secret : bytes
        16 bytes, the same over the years and over the contributors of a federation; not shown by ``repr``.
    table : ChangeTable
        The changes of counts.
    share : float
        The standard deviation of the noise of a magnitude, as a share of the root of its sum of squares. 0.10 is 10 %
        of the largest contributor or more.

    Raises
    ------
    ValueError
        For a secret of another length or a share that is not between 0 and 1.
    """

    secret: bytes = field(repr=False)
    table: ChangeTable = field(repr=False)
    share: float = 0.10

    def __post_init__(self) -> None:
        start_state(self.secret)
        if not 0 < self.share < 1:
            raise ValueError(f"a share of noise is between 0 and 1, not {self.share}")

    def keys(self, column: str, labels: Sequence[Sequence[str]], values: NDArray[np.float64]) -> Words:
        """Return the key of every inner cell of one column.

        Formula: SipHash-2-4 of the secret and of the words (hash of the column, hash of the label per axis, bits of the
        value). The hash of a text is SipHash-2-4 of its UTF-8 bytes. The key of a region, a margin or pooled years is
        the sum of the keys of its cells modulo ``2**64``; ``keys.sum(axis)`` computes it.

        Parameters
        ----------
        column : str
            The column, or the alias that columns of the same persons share.
        labels : sequence of sequences of str
            The labels of each axis of ``values``, such as periods, municipalities, sexes and age bands.
        values : float64 array, one axis per sequence of labels
            The sum of the cell; 0 where nobody is counted, nan where nothing was delivered.

        Returns
        -------
        uint64 array, shape of ``values``
            0 where the value is nan.

        Raises
        ------
        ValueError
            When the labels do not fit the shape of the values.

        References
        ----------
        Thompson G, Broadfoot S, Elazar D (2013). Methodology for the automatic confidentialisation of statistical
        outputs from remote servers at the Australian Bureau of Statistics. UNECE work session, Ottawa.
        Aumasson J-P, Bernstein DJ (2012). SipHash: a fast short-input PRF. INDOCRYPT 2012, LNCS 7668: 489-508.

        Examples
        --------
        >>> noise = Perturbation(bytes(16), ChangeTable.from_columns([1, 1, 1], [-1, 0, 1], [0.25, 0.5, 0.25]))
        >>> keys = noise.keys("client_count", [["2023"], ["F", "M"]], np.array([[3.0, np.nan]]))
        >>> keys.dtype, int(keys[0, 1])
        (dtype('uint64'), 0)
        """
        axes = [np.array([_text_word(self.secret, label) for label in axis], dtype=np.uint64) for axis in labels]
        # Adding 0 turns -0.0 into 0.0, because both are the same number of persons.
        bits = (np.asarray(values, dtype=np.float64) + 0.0).view(np.uint64)
        keys = siphash_of_cells(self.secret, _text_word(self.secret, column), axes, bits)
        keys[np.isnan(values)] = 0
        return keys

    def count_change(self, keys: Words, counts: ArrayLike) -> Floats:
        """Return the change of counts of persons.

        Formula: the mixed key gives a uniform number; the change is its quantile in the row of the whole part of the
        count, and in the last row for larger counts.

        Parameters
        ----------
        keys : uint64 array
            The sums of the keys of the inner cells.
        counts : array_like, broadcastable with ``keys``
            Persons, at least 0; a count may have a fraction where a municipality is apportioned.

        Returns
        -------
        float64 array
            Whole numbers, in persons. 0 where the count is below 1, and nan where it is nan. The mean over keys is 0
            and no count becomes negative.

        Raises
        ------
        ValueError
            For a negative count.

        Examples
        --------
        >>> noise = Perturbation(bytes(16), ChangeTable.from_columns([1, 1, 1], [-1, 0, 1], [0.25, 0.5, 0.25]))
        >>> noise.count_change(np.array([1, 1, 5, 5], dtype=np.uint64), [0.0, 12.0, 12.0, np.nan])
        array([ 0.,  1., -1., nan])
        """
        persons = np.asarray(counts, dtype=np.float64)
        if (persons < 0).any():
            raise ValueError("a count of persons is negative")
        missing = np.isnan(persons)
        rows = np.minimum(np.floor(np.where(missing, 0.0, persons)), len(self.table.probabilities) - 1)
        # The row plus a number below 1 is exact, because 48 bits leave room for the row.
        places = np.searchsorted(self.table.bounds, rows + _uniform(keys, _FOR_COUNTS), side="right")
        changes = places - rows * self.table.changes.size - self.table.max_change
        return np.where(missing, np.nan, changes)

    def unit_noise(self, keys: Words) -> Floats:
        """Return noise with mean 0 and variance 1, uniform from -sqrt(3) to sqrt(3).

        It is independent of :meth:`count_change` of the same keys, because the key is mixed in another way.

        Parameters
        ----------
        keys : uint64 array
            The sums of the keys of the inner cells.

        Returns
        -------
        float64 array
            Without unit, shape of ``keys``.

        Examples
        --------
        >>> noise = Perturbation(bytes(16), ChangeTable.from_columns([1, 1, 1], [-1, 0, 1], [0.25, 0.5, 0.25]))
        >>> noise.unit_noise(np.array([1, 2, 3], dtype=np.uint64)).round(3).tolist()
        [0.851, 0.789, 1.429]
        """
        middle = _uniform(keys, _FOR_UNIT_NOISE) + 0.5 ** (_UNIT_BITS + 1)
        return np.asarray(np.sqrt(3.0) * (2.0 * middle - 1.0))


def split_key(keys: Words, share: ArrayLike) -> Words:
    """Return the keys of the part of a municipality that a region receives.

    Formula: the key is mixed with the bits of the share, so two parts of one municipality have independent noise.

    Parameters
    ----------
    keys : uint64 array
        Keys of whole municipalities.
    share : array_like, broadcastable with ``keys``
        The part of the municipality in the region, from 0 to 1.

    Returns
    -------
    uint64 array
        The key itself where the share is 1; 0 where the share is 0 and where the key is 0 (nothing delivered).

    Raises
    ------
    ValueError
        For a share below 0, above 1 or nan.

    Examples
    --------
    >>> split_key(np.array([7, 7, 0], dtype=np.uint64), [1.0, 0.0, 0.4]).tolist()
    [7, 0, 0]
    """
    parts = np.asarray(share, dtype=np.float64) + 0.0
    if not ((parts >= 0) & (parts <= 1)).all():
        raise ValueError("a share of a municipality is not between 0 and 1")
    mixed = _mixed(keys ^ _mixed(np.asarray(parts.view(np.uint64))))
    nothing = (parts == 0) | (keys == 0)
    return np.where(nothing, np.uint64(0), np.where(parts == 1, keys, mixed))


def _uniform(keys: Words, purpose: np.uint64) -> Floats:
    """Numbers from 0 to below 1, in steps of ``2**-48``."""
    return np.asarray((_mixed(keys ^ purpose) >> np.uint64(64 - _UNIT_BITS)) * 0.5**_UNIT_BITS)


def _mixed(words: Words) -> Words:
    """Mix 64-bit words one to one, so equal chances stay equal (SplitMix64: Steele, Lea and Flood 2014).

    A key of a region is a sum. Without mixing, the changes of two regions would restrict the change of their union.
    """
    with np.errstate(over="ignore"):  # products are modulo 2**64; numpy warns when there is one word only
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> np.uint64(31)))


@lru_cache(maxsize=8192)
def _text_word(secret: bytes, text: str) -> int:
    """The word of a label; a run asks for the same labels for every column."""
    return siphash(secret, text.encode())
