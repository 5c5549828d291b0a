"""Weights of a sample: their effective sample size, and their adjustment to known population numbers.

Belongs here: effective sample size, post-stratification and raking of sums of weights per cell. Not here: estimates and
their variance (``survey``, ``survey_design``; a post-stratified mean with its variance is a combination of domains, see
``survey_domains``).

A respondent's new weight is the old one times the factor of the respondent's cell, so sums per cell are enough.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.arguments import broadcast, quotient, require_non_negative
from triple_aim.stats.estimate import Floats


def kish_effective_sample_size(w: ArrayLike, ww: ArrayLike) -> Floats:
    """Return the number of equally weighted respondents with the same information as these weights.

    Formula: ``(sum w)^2 / sum w^2``.

    Parameters
    ----------
    w, ww : array_like, broadcastable
        Sum of the weights and of their squares, over all respondents concerned.

    Returns
    -------
    ndarray
        Broadcast shape, in respondents; nan without respondents.

    Raises
    ------
    ValueError
        For negative sums or shapes that do not fit.

    References
    ----------
    Kish L (1965). Survey sampling. Wiley, section 11.7.

    Examples
    --------
    >>> kish_effective_sample_size(6.0, 14.0).round(2).item()       # weights 1, 2 and 3
    2.57
    """
    w, ww = broadcast(w=w, ww=ww)
    require_non_negative(w=w, ww=ww)
    return quotient(w**2, ww)


def post_stratification_factors(w: ArrayLike, population: ArrayLike) -> Floats:
    """Return the factor of the weights of each cell that makes them add up to its population.

    Formula: ``population / w``, cell by cell.

    Parameters
    ----------
    w : array_like, (..., cells)
        Sum of the weights of the respondents in each cell.
    population : array_like, broadcastable
        Inhabitants of each cell.

    Returns
    -------
    ndarray
        Broadcast shape; 0 for a cell without inhabitants.

    Raises
    ------
    ValueError
        For negative numbers, shapes that do not fit, or a cell with inhabitants and no respondents: merge it with a
        neighbouring cell.

    References
    ----------
    Holt D, Smith TMF (1979). Post stratification. J R Stat Soc A 142: 33-46.

    Examples
    --------
    >>> post_stratification_factors([20.0, 30.0], [10.0, 60.0])
    array([0.5, 2. ])
    """
    w, population = broadcast(w=w, population=population)
    require_non_negative(w=w, population=population)
    if ((w == 0) & (population > 0)).any():
        raise ValueError("a cell has inhabitants and no respondents: merge it with a neighbouring cell")
    return np.where(population == 0, 0.0, quotient(population, w))


def raked(
    w: ArrayLike,
    margins: Sequence[tuple[tuple[int, ...], ArrayLike]],
    *,
    tolerance: float = 1e-9,
    max_rounds: int = 500,
) -> Floats:
    """Return weights per cell that agree with several margins, by iterative proportional fitting.

    Formula: for each margin in turn, every cell is multiplied by ``population / sum`` of its class in that margin,
    until a round changes no class by more than ``tolerance`` of the population. Zeros remain zero and the odds ratios
    between cells remain those of the sample.

    Parameters
    ----------
    w : array_like, any number of axes
        Sum of the weights of the respondents in each cell of a cross table; nan is refused.
    margins : sequence of (axes, population)
        The axes of a margin, in increasing order, and the population by class, shaped like them.
    tolerance : float
        Largest remaining deviation in any class, as a fraction of the population.
    max_rounds : int
        Rounds after which the margins count as contradictory.

    Returns
    -------
    ndarray
        Shape of ``w``; divide by ``w`` for the factor of each respondent's weight.

    Raises
    ------
    ValueError
        For negative or missing numbers, margins that do not fit the table or do not add up to one population, a
        class with inhabitants and no respondents, or no convergence (zeros in the table contradict the margins).

    References
    ----------
    Deming WE, Stephan FF (1940). Ann Math Stat 11: 427-444. Ireland CT, Kullback S (1968). Biometrika 55: 179-188.

    Examples
    --------
    >>> raked([[30.0, 20.0], [20.0, 30.0]], [((0,), [60.0, 40.0]), ((1,), [50.0, 50.0])]).round(2)
    array([[34.79, 25.21],
           [15.21, 24.79]])
    """
    (table,) = broadcast(w=w)
    targets = [(_other_axes(table, axes), broadcast(population=population)[0]) for axes, population in margins]
    _refuse_impossible(table, targets)
    size = targets[0][1].sum()
    for _ in range(max_rounds):
        deviation = 0.0
        for summed, target in targets:
            current = table.sum(axis=summed)
            deviation = max(deviation, float(np.abs(current - target).max()))
            table = table * np.expand_dims(quotient(target, np.where(current > 0, current, 1.0)), summed)
        if deviation <= tolerance * size:
            return table
    raise ValueError(f"the margins were not met in {max_rounds} rounds: empty cells contradict them; merge classes")


def _other_axes(table: Floats, kept: tuple[int, ...]) -> tuple[int, ...]:
    if not kept or not set(kept) <= set(range(table.ndim)):
        raise ValueError(f"the axes of a margin must be among 0..{table.ndim - 1}, got {kept}")
    return tuple(axis for axis in range(table.ndim) if axis not in kept)


def _refuse_impossible(table: Floats, targets: Sequence[tuple[tuple[int, ...], Floats]]) -> None:
    if not targets:
        raise ValueError("raking needs at least one margin")
    require_non_negative(w=table, **{f"margin {i}": target for i, (_, target) in enumerate(targets)})
    if np.isnan(table).any() or any(np.isnan(target).any() for _, target in targets):
        raise ValueError("raking needs every cell and every margin: a missing number cannot be met")
    for summed, target in targets:
        current = table.sum(axis=summed)
        if current.shape != target.shape:
            raise ValueError(f"a margin of shape {target.shape} does not fit classes of shape {current.shape}")
        if ((current == 0) & (target > 0)).any():
            raise ValueError("a class has inhabitants and no respondents: merge it with another")
    sizes = [target.sum() for _, target in targets]
    if not np.allclose(sizes, sizes[0], rtol=1e-9):
        raise ValueError("the margins do not add up to one population")
