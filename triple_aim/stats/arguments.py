"""The checks that every method makes on its arguments.

Belongs here: refusing impossible values (a negative count, a level of 95). Not here: whether data are plausible or
complete (``triple_aim.checks``), or any correction of a value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.estimate import Floats


def broadcast(**arrays: ArrayLike) -> tuple[Floats, ...]:
    """Broadcast all arguments to one shape, as float64.

    Raises
    ------
    ValueError
        If the shapes do not broadcast, or a number is infinite.

    Examples
    --------
    >>> [part.shape for part in broadcast(count=[1, 2], person_years=10)]
    [(2,), (2,)]
    >>> broadcast(count=[1, 2], person_years=[1, 2, 3])
    Traceback (most recent call last):
    ValueError: shapes do not fit together: count (2,), person_years (3,)
    """
    floats = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    for name, array in floats.items():
        # Infinity nearly always comes from an unnoticed division by zero; a missing value must be nan.
        if np.isinf(array).any():
            raise ValueError(f"{name} holds an infinite number")
    try:
        return tuple(np.broadcast_arrays(*floats.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in floats.items())
        raise ValueError(f"shapes do not fit together: {shapes}") from None


def require_non_negative(**arrays: Floats) -> None:
    """Raise ValueError if any number is below zero; nan (missing) passes."""
    for name, array in arrays.items():
        if (array < 0).any():
            raise ValueError(f"{name} must not be negative")


def tail_probability(level: float) -> float:
    """Return the probability in one tail outside a two-sided interval.

    Raises
    ------
    ValueError
        If ``level`` is not strictly between 0 and 1 (95 is not a level; 0.95 is).

    Examples
    --------
    >>> round(tail_probability(0.95), 3)
    0.025
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be strictly between 0 and 1, got {level}")
    return (1 - level) / 2


def require_one_of(name: str, choice: str, allowed: tuple[str, ...]) -> None:
    """Raise ValueError unless the choice is one of the allowed words.

    Examples
    --------
    >>> require_one_of("interval", "dobson", ("dobson", "gamma"))
    """
    if choice not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {choice!r}")


def quotient(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Divide, with nan instead of infinity or a warning where the denominator is zero or missing.

    Examples
    --------
    >>> quotient([1.0, 1.0], [2.0, 0.0])
    array([0.5, nan])
    """
    numerator, denominator = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    result: Floats = np.full(denominator.shape, np.nan)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result
