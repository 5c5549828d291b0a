"""What is told of random sums, held against plain linear algebra on the whole matrix."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from triple_aim.disclosure.secondary import Counts, further
from triple_aim.disclosure.unknowns import Additions, opening, told

CELLS = 9
AMPLE = np.full(CELLS, 1000.0)
#: A relation: what part each cell has in it, at least two of them and one a total.
relation = st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=CELLS, max_size=CELLS).filter(
    lambda signs: 1 in signs and sum(map(abs, signs)) > 1
)
systems = st.lists(relation, min_size=1, max_size=7)
masks = st.lists(st.booleans(), min_size=CELLS, max_size=CELLS).map(np.array)


def additions(system: list[list[int]]) -> Additions:
    matrix = np.array(system, dtype=float)
    number, cell = np.nonzero(matrix)
    return Additions(number, cell, matrix[number, cell])


def follows(system: list[list[int]], unseen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the row of one cell lies in the space of the relations: then, and only then, they give it."""
    hidden = np.array(system, dtype=float) * unseen
    rank = np.linalg.matrix_rank(hidden)
    alone = [np.linalg.matrix_rank(np.vstack([hidden, row])) == rank for row in np.eye(CELLS)]
    return np.array(alone) & unseen


@settings(derandomize=True, max_examples=300)
@given(systems, masks)
def test_told_is_what_the_rank_says(system: list[list[int]], unseen: NDArray[np.bool_]) -> None:
    assert told(additions(system), unseen).tolist() == follows(system, unseen).tolist()


@settings(derandomize=True, max_examples=300)
@given(systems, masks)
def test_what_opens_a_cell_opens_it_or_nothing_does(system: list[list[int]], unseen: NDArray[np.bool_]) -> None:
    for cell in np.flatnonzero(follows(system, unseen)):
        found = opening(additions(system), unseen, cell, np.ones(CELLS))
        if found is None:
            assert follows(system, np.ones(CELLS, dtype=bool))[cell]
        else:
            assert not (follows(system, unseen | found) & found).any()


@settings(derandomize=True, max_examples=300)
@given(systems, masks)
def test_nothing_guarded_follows_that_need_not(system: list[list[int]], small: NDArray[np.bool_]) -> None:
    chosen = further(additions(system), small, small, AMPLE, Counts(AMPLE, AMPLE, AMPLE * np.nan, 10, 10))
    assert not (chosen & small).any()
    left = follows(system, small | chosen) & (small | chosen)
    assert not (left & ~follows(system, np.ones(CELLS, dtype=bool))).any()
