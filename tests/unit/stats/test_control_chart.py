"""Do limits, rules and icons of the control chart do what their docstrings say?"""

import numpy as np
import pytest

from triple_aim.stats.control_chart import Assurance, Variation, assurance, special_causes, variation, xmr_limits
from triple_aim.stats.estimate import Estimate

QUIET = np.array([10.0, 12, 9, 11, 10, 12, 9, 11, 10, 12, 9, 11])
FIXED = Estimate(*np.array([[10.0], [4.0], [16.0]]))  # centre 10, two thirds of the distance at 6 and 14


def rules(value, **options):
    return special_causes(value, FIXED, **options)


def test_limits_by_hand():
    limits = xmr_limits([3.0, 7.0, 5.0])
    np.testing.assert_allclose([limits.value, limits.lower, limits.upper], [[5], [5 - 2.66 * 3], [5 + 2.66 * 3]])


def test_one_jump_does_not_widen_the_limits_when_screened():
    jump = np.append(QUIET, 60.0)
    screened, plain = xmr_limits(jump), xmr_limits(jump, screen=False)
    ranges = np.abs(np.diff(jump))
    np.testing.assert_allclose(screened.upper - screened.value, 2.66 * ranges[:-1].mean())
    np.testing.assert_allclose(plain.upper - plain.value, 2.66 * ranges.mean())
    assert special_causes(jump, screened).outside[-1]


def test_a_missing_point_has_no_moving_range_and_ends_a_run():
    limits = xmr_limits([1.0, 3.0, np.nan, 8.0, 9.0])
    np.testing.assert_allclose(limits.upper - limits.value, 2.66 * 1.5)
    broken = [11.0] * 6 + [np.nan] + [11.0] * 6
    assert not rules(broken).any.any()
    icons = variation(broken, FIXED, rules(broken), "higher_is_better")
    assert icons[6] == Variation.NOT_JUDGED and icons[0] == Variation.COMMON_CAUSE


def test_a_single_point_has_a_centre_but_no_limits():
    limits = xmr_limits([4.0])
    assert limits.value == 4 and np.isnan(limits.upper).all()
    assert assurance(limits, 3.0, "higher_is_better") == Assurance.NOT_JUDGED


def test_baseline_uses_the_first_points_only():
    limits = xmr_limits(np.append(QUIET, [50.0, 60.0]), baseline=12)
    np.testing.assert_array_equal([limits.value, limits.upper], [xmr_limits(QUIET).value, xmr_limits(QUIET).upper])


def test_a_point_on_a_limit_is_not_outside():
    np.testing.assert_array_equal(rules([16.0, 16.1, 4.0, 3.9]).outside, [False, True, False, True])


@pytest.mark.parametrize(("length", "applies"), [(6, False), (7, True), (8, True)])
def test_run_of_seven_marks_all_its_points(length, applies):
    value = [9.0, 11.0] + [9.0] * length + [11.0]
    np.testing.assert_array_equal(rules(value).run, [False] * 2 + [applies] * length + [False])


def test_a_point_on_the_centre_ends_a_run():
    assert not rules([11.0] * 6 + [10.0] + [11.0] * 6).run.any()


@pytest.mark.parametrize(("length", "applies"), [(6, False), (7, True)])
def test_trend_of_seven_rising_points(length, applies):
    value = [12.0, *np.linspace(8, 11, length), 9.0]
    np.testing.assert_array_equal(rules(value).trend, [False] + [applies] * length + [False])


def test_two_of_three_near_one_limit():
    assert rules([10.0, 15.0, 11.0, 15.0, 9.0]).near_limit.tolist() == [False, True, False, True, False]
    assert not rules([15.0, 9.0, 15.0]).near_limit.any()  # the third is on the other side
    assert not rules([15.0, 17.0, 11.0]).near_limit.any()  # beyond the limit is not near it


def test_run_length_is_an_argument():
    assert rules([11.0] * 5, run_length=5).run.all() and not rules([11.0] * 5).run.any()


def test_icons_follow_polarity_and_side():
    value = [17.0, 3.0, 10.5]
    causes = rules(value)
    for polarity, expected in (
        ("higher_is_better", [1, -1, 0]),
        ("lower_is_better", [-1, 1, 0]),
        ("no_judgement", [2, 2, 0]),
    ):
        np.testing.assert_array_equal(variation(value, FIXED, causes, polarity), expected)


def test_assurance_in_both_directions():
    target = np.array([3.0, 10.0, 17.0, np.nan])
    np.testing.assert_array_equal(assurance(FIXED, target, "higher_is_better"), [1, 0, -1, -9])
    np.testing.assert_array_equal(assurance(FIXED, target, "lower_is_better"), [-1, 0, 1, -9])
    np.testing.assert_array_equal(assurance(FIXED, target, "no_judgement"), [Assurance.NOT_JUDGED] * 4)


def test_series_are_judged_separately():
    many = np.stack([QUIET, QUIET[::-1] * 3, np.arange(12.0)])[None]
    limits = xmr_limits(many)
    causes = special_causes(many, limits)
    assert limits.upper.shape == (1, 3, 1) and causes.any.shape == many.shape
    for row in range(3):
        alone = special_causes(many[0, row], xmr_limits(many[0, row]))
        np.testing.assert_array_equal(causes.any[0, row], alone.any)


def test_impossible_arguments_are_refused():
    for call, message in (
        (lambda: xmr_limits(3.0), "axis of time"),
        (lambda: xmr_limits([1.0, 2.0], baseline=1), "baseline must be 2"),
        (lambda: rules([1.0], run_length=2), "run_length must be 3"),
        (lambda: assurance(FIXED, 1.0, "up"), "polarity must be one of"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
