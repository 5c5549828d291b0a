"""Are feasible intervals those that listing all solutions gives?"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from triple_aim.audit.feasible import Least, System, intervals


def at_least(width: float, targets: int = 1) -> Least:
    return Least(np.full(targets, width), np.zeros(targets))


#: No interval is as wide, so that both ends of each are found.
NEVER = 1e12


@pytest.mark.parametrize("seed", range(12))
def test_intervals_are_those_of_all_tables_with_the_margins(seed: int) -> None:
    random = np.random.default_rng(seed)
    table = random.integers(0, 5, (2, 3))
    noise = int(random.integers(0, 3))
    system = System()
    cells = [[system.unknown() for _ in range(3)] for _ in range(2)]
    known = [*table.sum(axis=1), *table.sum(axis=0)]
    margins = [system.unknown(max(0, n - noise), n + noise) for n in known]
    for row in range(2):
        system.total(margins[row], cells[row])
    for column in range(3):
        system.total(margins[2 + column], [cells[0][column], cells[1][column]])
    found = intervals(system, [*cells[0], *cells[1]], at_least(NEVER, 6))

    ranges = [range(max(0, n - noise), n + noise + 1) for n in known]
    possible = [
        (a, b, c, d, e, f)
        for a, b, c, d, e, f in itertools.product(range(max(known) + noise + 1), repeat=6)
        if a + b + c in ranges[0]
        and d + e + f in ranges[1]
        and a + d in ranges[2]
        and b + e in ranges[3]
        and c + f in ranges[4]
    ]
    smallest, largest = np.min(possible, axis=0), np.max(possible, axis=0)
    np.testing.assert_allclose(found.lower, smallest, atol=1e-4)
    np.testing.assert_allclose(found.upper, largest, atol=1e-4)
    assert found.contradictions == 0


def test_a_wide_interval_costs_few_programs() -> None:
    system = System()
    total = system.unknown(1000, 1000)
    parts = [system.unknown() for _ in range(200)]
    system.total(total, parts)
    found = intervals(system, parts, at_least(5, 200))
    assert (found.upper - found.lower >= 5).all()
    assert found.programs < 60


def test_an_unknown_without_a_total_is_wide() -> None:
    system = System()
    found = intervals(system, [system.unknown()], at_least(5))
    assert found.upper[0] - found.lower[0] >= 5


def test_large_amounts_keep_their_cents() -> None:
    system = System()
    total, part = system.unknown(4_999_123_456.78, 4_999_123_456.78), system.unknown(4_994_124_333.33, 4_994_124_333.33)
    rest = system.unknown()
    system.total(total, [part, rest])
    found = intervals(system, [rest], at_least(NEVER))
    assert found.lower[0] == pytest.approx(4_999_123.45, abs=1)
    assert found.upper[0] == pytest.approx(4_999_123.45, abs=1)


def test_noise_of_events_is_widened_until_the_sums_fit() -> None:
    system = System()
    total, one = system.unknown(94, 106, widens=True), system.unknown(54, 66, widens=True)
    other, rest = system.unknown(60, 72, widens=True), system.unknown()
    system.total(total, [one, other, rest])
    found = intervals(system, [rest], at_least(NEVER))
    assert found.contradictions == 0
    assert found.upper[0] > 0


def test_numbers_that_contradict_each_other_are_counted_and_leave_a_result() -> None:
    system = System()
    total, part, rest = system.unknown(20, 20), system.unknown(30, 30), system.unknown()
    system.total(total, [part, rest])
    found = intervals(system, [rest], at_least(NEVER))
    assert found.contradictions == 1
    assert found.lower[0] == pytest.approx(0, abs=1e-3)
