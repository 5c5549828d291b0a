"""The result of every statistic in this package: a value with its limits.

Not here: formulas (see the modules named after the methods).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


# Arrays have no single truth value, so a generated __eq__ would raise: compare the fields instead.
@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A statistic and its confidence limits.

    Parameters
    ----------
    value, lower, upper : ndarray of float, equal shapes
        In the unit of the method that made them. nan in ``value``: not computable. nan in a limit only:
        no sampling interval is defined (a complete count) or it cannot be estimated.

    Raises
    ------
    ValueError
        If the three shapes differ.

    Examples
    --------
    >>> Estimate.without_limits(np.array([1.5])).lower
    array([nan])
    """

    value: Floats
    lower: Floats
    upper: Floats

    def __post_init__(self) -> None:
        shapes = {np.shape(part) for part in (self.value, self.lower, self.upper)}
        if len(shapes) > 1:
            raise ValueError(f"value, lower and upper must have one shape, got {sorted(shapes)}")

    @classmethod
    def without_limits(cls, value: Floats) -> Estimate:
        """Make an estimate without an interval: both limits are nan."""
        return cls(value, np.full_like(value, np.nan), np.full_like(value, np.nan))

    def where(self, keep: NDArray[np.bool_]) -> Estimate:
        """Set value and limits to nan where ``keep`` (shape of ``value``) is false."""
        return Estimate(*(np.where(keep, part, np.nan) for part in (self.value, self.lower, self.upper)))
