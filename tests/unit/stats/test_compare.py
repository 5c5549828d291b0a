"""Do the verdicts follow from the intervals, and is a missing interval not compared?"""

import numpy as np

from triple_aim.stats.compare import Difference, interval_overlap
from triple_aim.stats.estimate import Estimate


def estimates(lower, upper):
    lower, upper = np.asarray(lower, float), np.asarray(upper, float)
    return Estimate((lower + upper) / 2, lower, upper)


def test_verdicts_in_both_directions():
    region, reference = estimates([1, 1, 5, 2], [2, 3, 6, 5]), estimates(3, 4)
    expected = [
        Difference.LOWER,
        Difference.NO_DEMONSTRABLE_DIFFERENCE,  # touching intervals do not differ
        Difference.HIGHER,
        Difference.NO_DEMONSTRABLE_DIFFERENCE,
    ]
    verdict = interval_overlap(region, reference)
    assert verdict.dtype == np.int8
    np.testing.assert_array_equal(verdict, expected)
    np.testing.assert_array_equal(interval_overlap(reference, region), -np.array(expected))


def test_a_missing_limit_on_either_side_is_not_compared():
    assert interval_overlap(estimates(1, np.nan), 9.0) == Difference.NOT_COMPARED
    assert interval_overlap(estimates(1, 2), Estimate.without_limits(np.array(9.0))) == Difference.NOT_COMPARED
    assert interval_overlap(estimates(1, 2), np.nan) == Difference.NOT_COMPARED


def test_a_fixed_norm_is_a_reference_without_width():
    np.testing.assert_array_equal(interval_overlap(estimates([1, 9], [2, 12]), [1.5, 3.0]), [0, 1])
