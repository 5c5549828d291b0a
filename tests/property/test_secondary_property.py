"""Which cells random sums determine, checked against the rank of the whole matrix."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from triple_aim.disclosure.secondary import Counts, secondary_suppression
from triple_aim.disclosure.unknowns import SumConstraints, complementary_cells, determined_cells

CELLS = 9
AMPLE = np.full(CELLS, 1000.0)
#: A constraint: the sign of each cell in it; at least two cells, of which one is a total.
constraint = st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=CELLS, max_size=CELLS).filter(
    lambda signs: 1 in signs and sum(map(abs, signs)) > 1
)
systems = st.lists(constraint, min_size=1, max_size=7)
masks = st.lists(st.booleans(), min_size=CELLS, max_size=CELLS).map(np.array)


def sum_constraints(system: list[list[int]]) -> SumConstraints:
    matrix = np.array(system, dtype=float)
    number, cell = np.nonzero(matrix)
    return SumConstraints(number, cell, matrix[number, cell])


def determined_by_rank(system: list[list[int]], hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A cell is determined if and only if its unit vector is in the row space of the constraints."""
    matrix = np.array(system, dtype=float) * hidden
    rank = np.linalg.matrix_rank(matrix)
    in_row_space = [np.linalg.matrix_rank(np.vstack([matrix, row])) == rank for row in np.eye(CELLS)]
    return np.array(in_row_space) & hidden


@settings(max_examples=2 * settings.default.max_examples)
@given(systems, masks)
def test_the_determined_cells_are_those_of_the_rank(system: list[list[int]], hidden: NDArray[np.bool_]) -> None:
    assert determined_cells(sum_constraints(system), hidden).tolist() == determined_by_rank(system, hidden).tolist()


@settings(max_examples=2 * settings.default.max_examples)
@given(systems, masks)
def test_complementary_cells_undo_the_determination_or_nothing_does(
    system: list[list[int]], hidden: NDArray[np.bool_]
) -> None:
    for cell in np.flatnonzero(determined_by_rank(system, hidden)):
        complementary = complementary_cells(sum_constraints(system), hidden, cell, np.ones(CELLS))
        if complementary is None:
            assert determined_by_rank(system, np.ones(CELLS, dtype=bool))[cell]
        else:
            assert not (determined_by_rank(system, hidden | complementary) & complementary).any()


@settings(max_examples=2 * settings.default.max_examples)
@given(systems, masks)
def test_no_protected_cell_is_determined_unless_always(system: list[list[int]], small: NDArray[np.bool_]) -> None:
    chosen = secondary_suppression(
        sum_constraints(system), small, small, AMPLE, Counts(AMPLE, AMPLE, AMPLE * np.nan, 10, 10)
    )
    assert not (chosen & small).any()
    remaining = determined_by_rank(system, small | chosen) & (small | chosen)
    assert not (remaining & ~determined_by_rank(system, np.ones(CELLS, dtype=bool))).any()
