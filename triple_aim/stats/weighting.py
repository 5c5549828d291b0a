"""What weights are worth, and how they are made to agree with what is known of a population.

Belongs here: effective sample size, post-stratification and raking of sums of weights per cell. Does not belong
here: estimates and their variance (``survey``, ``survey_design``; a post-stratified mean with its variance is a
combination of domains, see ``survey_domains``).

A respondent's new weight is the old one times the factor of the cell the respondent is in, so cells are enough.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from triple_aim.stats.arguments import never_negative, quotient, together
from triple_aim.stats.estimate import Floats


def kish_effective_sample_size(w: ArrayLike, ww: ArrayLike) -> Floats:
    """Give how many equally weighted respondents would be as informative as these weights.

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
    w, ww = together(w=w, ww=ww)
    never_negative(w=w, ww=ww)
    return quotient(w**2, ww)


def post_stratification_factors(w: ArrayLike, population: ArrayLike) -> Floats:
    """Give by what the weights of each cell are multiplied so that they add up to its population.

    Formula: ``population / w``, cell by cell.

    Parameters
    ----------
    w : array_like, (..., cells)
        Sum of the weights of the respondents in each cell.
    population : array_like, broadcastable
        Persons who live in each cell.

    Returns
    -------
    ndarray
        Broadcast shape; 0 for a cell in which nobody lives.

    Raises
    ------
    ValueError
        For negative numbers, shapes that do not fit, or a cell with inhabitants and no respondents: nobody can
        speak for them, so join it to a neighbouring cell.

    References
    ----------
    Holt D, Smith TMF (1979). Post stratification. J R Stat Soc A 142: 33-46.

    Examples
    --------
    >>> post_stratification_factors([20.0, 30.0], [10.0, 60.0])
    array([0.5, 2. ])
    """
    w, population = together(w=w, population=population)
    never_negative(w=w, population=population)
    if ((w == 0) & (population > 0)).any():
        raise ValueError("a cell has inhabitants and no respondents: join it to a neighbouring cell")
    return np.where(population == 0, 0.0, quotient(population, w))


def raked(
    w: ArrayLike,
    margins: Sequence[tuple[tuple[int, ...], ArrayLike]],
    *,
    tolerance: float = 1e-9,
    max_rounds: int = 500,
) -> Floats:
    """Give weights per cell that agree with several margins at once, by iterative proportional fitting.

    Formula: in turn for each margin, every cell is multiplied by ``population / sum`` of its class in that margin,
    until a whole round changes no class by more than ``tolerance`` of the population. Cells keep their zeros and
    the odds ratios between cells stay those of the sample.

    Parameters
    ----------
    w : array_like, any number of axes
        Sum of the weights of the respondents in each cell of a cross table. Missing is refused.
    margins : sequence of (axes, population)
        The axes that a margin keeps, in increasing order, and the population by class, shaped like them.
    tolerance : float
        Largest deviation left in any class, as a fraction of the population.
    max_rounds : int
        Rounds after which the margins count as impossible to meet together.

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
    (table,) = together(w=w)
    targets = [(_others(table, axes), together(population=population)[0]) for axes, population in margins]
    _refuse_impossible(table, targets)
    size = targets[0][1].sum()
    for _ in range(max_rounds):
        off = 0.0
        for summed, target in targets:
            there = table.sum(axis=summed)
            off = max(off, float(np.abs(there - target).max()))
            table = table * np.expand_dims(quotient(target, np.where(there > 0, there, 1.0)), summed)
        if off <= tolerance * size:
            return table
    raise ValueError(f"the margins were not met in {max_rounds} rounds: empty cells contradict them; join classes")


def _others(table: Floats, kept: tuple[int, ...]) -> tuple[int, ...]:
    if not kept or not set(kept) <= set(range(table.ndim)):
        raise ValueError(f"a margin keeps axes among 0..{table.ndim - 1}, got {kept}")
    return tuple(axis for axis in range(table.ndim) if axis not in kept)


def _refuse_impossible(table: Floats, targets: Sequence[tuple[tuple[int, ...], Floats]]) -> None:
    if not targets:
        raise ValueError("raking needs at least one margin")
    never_negative(w=table, **{f"margin {i}": target for i, (_, target) in enumerate(targets)})
    if np.isnan(table).any() or any(np.isnan(target).any() for _, target in targets):
        raise ValueError("raking needs every cell and every margin: a missing number cannot be met")
    for summed, target in targets:
        there = table.sum(axis=summed)
        if there.shape != target.shape:
            raise ValueError(f"a margin of shape {target.shape} does not fit classes of shape {there.shape}")
        if ((there == 0) & (target > 0)).any():
            raise ValueError("a class has inhabitants and no respondents: join it to another")
    sizes = [target.sum() for _, target in targets]
    if not np.allclose(sizes, sizes[0], rtol=1e-9):
        raise ValueError("the margins do not add up to one population")
