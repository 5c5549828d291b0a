"""Does every method refuse impossible values, and return missing for missing?"""

import numpy as np
import pytest

from triple_aim.stats import compare, growth, intervals, rates, standardise, survey
from triple_aim.stats.estimate import Estimate


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, np.nan])
@pytest.mark.parametrize(
    "method",
    [
        lambda level: rates.crude_rate(5, 10, level=level),
        lambda level: rates.proportion(5, 10, level=level),
        lambda level: rates.mean(5, 10, 4, level=level),
        lambda level: rates.ratio_of_sums(5, 10, level=level),
        lambda level: standardise.directly_standardised_rate([5], [10], [1], level=level),
        lambda level: standardise.directly_standardised_mean([5], None, [10], [1], level=level),
        lambda level: standardise.indirectly_standardised_ratio([5], [10], [1], level=level),
        lambda level: survey.weighted_proportion(2, 1, 1, 1, 1, 5, level=level),
        lambda level: growth.compound(2, 1, 1, level=level),
        lambda level: growth.year_on_year([2, 1], level=level),
    ],
)
def test_impossible_level_is_refused(method, level):
    with pytest.raises(ValueError, match="level must be strictly between 0 and 1"):
        method(level)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("count must not be negative", lambda: rates.crude_rate(-1, 10)),
        ("person_years must not be negative", lambda: rates.crude_rate(1, -10)),
        ("count must not exceed n", lambda: rates.proportion(11, 10)),
        ("denominator must not be negative", lambda: rates.ratio_of_sums(1, -1)),
        ("total_sq is smaller", lambda: rates.mean(10, 1, 2)),
        ("weight must not be negative", lambda: standardise.directly_standardised_rate([1], [1], [-1])),
        (
            'empty must be "drop_weight"',
            lambda: standardise.directly_standardised_rate([1], [1], [1], empty="0"),
        ),
        ("exposure must not be negative", lambda: standardise.indirectly_standardised_ratio([1], [-1], [1])),
        ("pass is_count=False", lambda: standardise.indirectly_standardised_ratio([1], [1], [1], variance=1)),
        ("nobody was sampled", lambda: survey.variance_components(survey.StratumSums(0, 1, 1, 1, 1, 1))),
        ("answers to a proportion", lambda: survey.weighted_proportion(1, 2, 1, 1, 1, 5)),
        ("years must be positive", lambda: growth.compound(2, 1, 0)),
        ("price index must be positive", lambda: growth.deflate(1, 0)),
        ("comparable must be boolean", lambda: growth.break_adjusted([1], [1], np.array([1.0]))),
        ("needs an axis of time", lambda: growth.year_on_year(1.0)),
        ("infinite", lambda: rates.crude_rate(np.inf, 1)),
        ("one shape", lambda: Estimate(np.zeros(2), np.zeros(2), np.zeros(3))),
        ("reference_lower", lambda: compare.interval_overlap(Estimate(*np.zeros((3, 2))), np.zeros(3))),
    ],
)
def test_impossible_argument_is_refused(message, call):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "estimate",
    [
        rates.crude_rate([np.nan, 5, 5, 0], [10, np.nan, 0, 0]),
        rates.proportion([np.nan, 0], [10, 0]),
        rates.mean([np.nan, 0], [10, 0], [10, 0]),
        rates.ratio_of_sums([np.nan, 1], [1, 0]),
        standardise.directly_standardised_rate([[np.nan, 20], [20, 20]], [[9, 9], [np.nan, 9]], [1, 1]),
        standardise.directly_standardised_mean([[np.nan, 20]], [[90, 90]], [[9, 9]], [1, 1]),
        standardise.indirectly_standardised_ratio([[np.nan, 20], [1, 1]], [[9, 9], [0, 0]], [1, 1]),
        growth.compound([np.nan, 1, 1, -1], [1, np.nan, 0, 1], 1, variance_end=1, variance_start=1),
    ],
)
def test_missing_stays_missing_without_a_warning(estimate):
    for part in (estimate.value, estimate.lower, estimate.upper):
        assert np.isnan(part).all()


def test_limits_of_a_count_accept_scalars_vectors_and_empties():
    assert intervals.poisson(3)[0].shape == ()
    assert intervals.poisson(np.zeros((0, 4)))[1].shape == (0, 4)
    assert intervals.poisson(np.full((2, 3), 12.0))[0].shape == (2, 3)
