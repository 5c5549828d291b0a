"""Do contrasts of domains and clustered designs give the same result as a linearisation over respondents?"""

import numpy as np
import pytest
from scipy import stats

from triple_aim.stats.survey import StratumSums
from triple_aim.stats.survey_design import cluster_covariance, person_covariance, weighted_ratio, weighted_total
from triple_aim.stats.survey_domains import combined_ratio, standardised_proportion, weighted_gap
from triple_aim.stats.weighting import post_stratification_factors, raked

STRATA, DOMAINS, CLUSTERS = 3, 2, 5


@pytest.fixture(params=range(4))
def sample(request):
    """Respondents: stratum, cluster, domain (2 is in neither), weight and answer."""
    rng = np.random.default_rng(request.param)
    stratum = rng.integers(0, STRATA, 240)
    weight = rng.uniform(0.3, 9, stratum.size)
    answer = (rng.random(stratum.size) < 0.4).astype(float)
    return stratum, rng.integers(0, CLUSTERS, 240), rng.integers(0, DOMAINS + 1, 240), weight, answer


def influence(domain, weight, answer, coefficient):
    """First-order influence of each respondent on the combination of domain means."""
    total = np.zeros_like(weight)
    value = 0.0
    for number, share in enumerate(coefficient):
        w = weight * (domain == number)
        mean = (w * answer).sum() / w.sum()
        value += share * mean
        total += share * w * (answer - mean) / w.sum()
    return value, total


def between(units, fraction):
    """Variance of a total from the totals of its sampled units."""
    return (1 - fraction) * units.size / (units.size - 1) * ((units - units.mean()) ** 2).sum()


def by_person(sample):
    stratum, _, domain, weight, answer = sample

    def sums(x):
        return np.array([[x[(stratum == h) & (domain == d)].sum() for d in range(DOMAINS)] for h in range(STRATA)])

    n = np.bincount(stratum)[:, None]
    w, wy = weight, weight * answer
    return StratumSums(n, sums(w), sums(wy), sums(w * w), sums(w * wy), sums(wy * wy))


def by_cluster(sample):
    stratum, cluster, domain, weight, answer = sample
    here = [
        [[(stratum == h) & (cluster == c) & (domain == d) for d in range(DOMAINS)] for c in range(CLUSTERS)]
        for h in range(STRATA)
    ]
    return tuple(
        np.array([[[x[k].sum() for k in row] for row in rows] for rows in here]) for x in (weight, weight * answer)
    )


@pytest.mark.parametrize("coefficient", [(-1.0, 1.0), (0.3, 0.7)])
def test_a_combination_of_domains_of_persons(sample, coefficient):
    stratum, _, domain, weight, answer = sample
    value, shares = influence(domain, weight, answer, coefficient)
    expected = sum(between(shares[stratum == h], 0.2) for h in range(STRATA))
    sums = by_person(sample)
    spread = person_covariance(sums, sampling_fraction=0.2).sum(axis=0)
    found = combined_ratio(sums.w.sum(axis=0), sums.wy.sum(axis=0), spread, coefficient)
    assert found == (pytest.approx(value, rel=1e-12), pytest.approx(expected, rel=1e-10))


@pytest.mark.parametrize("coefficient", [(-1.0, 1.0), (0.3, 0.7)])
def test_a_combination_of_domains_of_clusters(sample, coefficient):
    stratum, cluster, domain, weight, answer = sample
    value, shares = influence(domain, weight, answer, coefficient)
    totals = [np.bincount(cluster[stratum == h], shares[stratum == h], CLUSTERS) for h in range(STRATA)]
    w, wy = by_cluster(sample)
    spread = cluster_covariance(CLUSTERS, w, wy, sampling_fraction=0.1).sum(axis=0)
    found = combined_ratio(w.sum(axis=(0, 1)), wy.sum(axis=(0, 1)), spread, coefficient)
    expected = sum(between(units, 0.1) for units in totals)
    assert found == (pytest.approx(value, rel=1e-12), pytest.approx(expected, rel=1e-10))


def test_clusters_without_members_of_a_domain_still_count():
    few, more = (cluster_covariance(n, [[4.0], [4.0]], [[4.0], [2.0]])[0, 0] for n in (2, 4))
    assert few == pytest.approx(2 * (16 + 4 - 36 / 2)) and more == pytest.approx(4 / 3 * (16 + 4 - 36 / 4))
    with pytest.raises(ValueError, match="more clusters hold respondents than were sampled"):
        cluster_covariance(1, [[4.0], [4.0]], [[4.0], [2.0]])


def test_a_gap_has_students_limits_with_the_covariance_of_its_sides(sample):
    sums = by_person(sample)
    w, wy = sums.w.sum(axis=0), sums.wy.sum(axis=0)
    spread = person_covariance(sums).sum(axis=0)
    gap = weighted_gap(w, wy, spread, 100, per=100, level=0.9)
    value, variance = combined_ratio(w, wy, spread, [-1, 1])
    half = 100 * stats.t.ppf(0.95, 100) * variance**0.5
    assert (gap.value, gap.lower, gap.upper) == pytest.approx((100 * value, 100 * value - half, 100 * value + half))
    independent = sum(combined_ratio(w, wy, spread, one)[1] for one in ([1, 0], [0, 1]))
    assert variance != pytest.approx(independent, rel=1e-6)


def test_a_mean_has_students_limits():
    mean = weighted_ratio(8.0, 40.0, 16 / 3, 0.0, 0.0, 3)
    half = stats.t.ppf(0.975, 3) * (16 / 3) ** 0.5 / 8
    assert (mean.value, mean.lower, mean.upper) == pytest.approx((5.0, 5.0 - half, 5.0 + half))


def test_a_total_scales_with_its_unit():
    total = weighted_total([4000.0], [100.0], np.inf, per=0.001)
    assert total.value == pytest.approx([4.0])
    assert total.upper == pytest.approx([4.0 + 0.01 * stats.norm.ppf(0.975)])


def test_a_cell_that_does_not_count_may_be_empty_and_one_that_counts_may_not(sample):
    sums = by_person(sample)
    w, wy, spread = (part.sum(axis=0) for part in (sums.w, sums.wy, person_covariance(sums)))
    gone = w * [1, 0], wy * [1, 0], spread * np.outer([1, 0, 1, 0], [1, 0, 1, 0])
    alone = standardised_proportion(*gone, [2.0, 0.0], 50)
    assert alone.value == pytest.approx(wy[0] / w[0])
    assert np.isfinite(alone.upper)
    withheld = standardised_proportion(*gone, [2.0, 1.0], 50)
    assert np.isnan([withheld.value, withheld.lower, withheld.upper]).all()


def test_a_covariance_that_does_not_fit_its_domains_is_refused():
    with pytest.raises(ValueError, match="2 domains need a covariance of 4"):
        combined_ratio([1.0, 1.0], [1.0, 0.0], np.eye(3), [1, -1])


def test_a_cell_with_inhabitants_and_no_respondents_cannot_be_weighted():
    with pytest.raises(ValueError, match="no respondents"):
        post_stratification_factors([0.0, 5.0], [1.0, 5.0])
    assert post_stratification_factors([0.0, 5.0], [0.0, 10.0]).tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("message", "table", "margins"),
    [
        ("were not met", [[1.0, 0.0], [0.0, 1.0]], [((0,), [2.0, 1.0]), ((1,), [1.0, 2.0])]),
        ("do not add up to one population", [[1.0, 1.0]], [((0,), [2.0]), ((1,), [1.0, 2.0])]),
        ("a class has inhabitants", [[1.0, 0.0], [1.0, 0.0]], [((1,), [1.0, 1.0])]),
        ("does not fit classes", [[1.0, 1.0]], [((0,), [1.0, 1.0])]),
        ("axes of a margin must be among", [[1.0, 1.0]], [((2,), [1.0, 1.0])]),
        ("missing number", [[1.0, np.nan]], [((0,), [1.0])]),
        ("must not be negative", [[1.0, -1.0]], [((0,), [1.0])]),
        ("at least one margin", [[1.0]], []),
    ],
)
def test_raking_refuses_impossible_margins(message, table, margins):
    with pytest.raises(ValueError, match=message):
        raked(table, margins)


CALLS = [
    lambda x, level: weighted_total(x, 1.0, 9, level=level),
    lambda x, level: weighted_ratio(4.0, x, 1.0, 0.5, 1.0, 9, level=level),
    lambda x, level: weighted_gap([4.0, 4.0], [x, 1.0], np.eye(4), 9, level=level),
    lambda x, level: standardised_proportion([4.0, 4.0], [x, 1.0], np.eye(4), [1, 1], 9, level=level),
]


@pytest.mark.parametrize("call", CALLS)
def test_missing_stays_missing_and_an_impossible_level_is_refused(call):
    made = call(np.nan, 0.998)
    assert np.isnan([made.value, made.lower, made.upper]).all()
    with pytest.raises(ValueError, match="level must be strictly between 0 and 1"):
        call(1.0, 95)
