"""What may enter the statistics: the checks that every method makes on its arguments.

Belongs here: refusing what cannot be true (a negative count, a level of 95). Does not belong here: whether
data are plausible or complete (``triple_aim.checks``), and anything that repairs a value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.estimate import Floats


def together(**arrays: ArrayLike) -> tuple[Floats, ...]:
    """Give all arguments one shape, as float64.

    Raises
    ------
    ValueError
        If the shapes do not broadcast, or a number is infinite.

    Examples
    --------
    >>> [part.shape for part in together(count=[1, 2], person_years=10)]
    [(2,), (2,)]
    >>> together(count=[1, 2], person_years=[1, 2, 3])
    Traceback (most recent call last):
    ValueError: shapes do not fit together: count (2,), person_years (3,)
    """
    floats = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
    for name, array in floats.items():
        # Infinity is nearly always an earlier division by zero that escaped notice; nan is honest.
        if np.isinf(array).any():
            raise ValueError(f"{name} holds an infinite number")
    try:
        return tuple(np.broadcast_arrays(*floats.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in floats.items())
        raise ValueError(f"shapes do not fit together: {shapes}") from None


def never_negative(**arrays: Floats) -> None:
    """Raise ValueError if any number is below zero; nan passes, for missing is not wrong."""
    for name, array in arrays.items():
        if (array < 0).any():
            raise ValueError(f"{name} must not be negative")


def tail(level: float) -> float:
    """Give the probability in one tail outside a two-sided interval.

    Raises
    ------
    ValueError
        If ``level`` is not strictly between 0 and 1 (95 is not a level; 0.95 is).

    Examples
    --------
    >>> round(tail(0.95), 3)
    0.025
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie strictly between 0 and 1, got {level}")
    return (1 - level) / 2


def one_of(name: str, choice: str, allowed: tuple[str, ...]) -> None:
    """Raise ValueError unless the choice is one of the words a method knows.

    Examples
    --------
    >>> one_of("interval", "dobson", ("dobson", "gamma"))
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
