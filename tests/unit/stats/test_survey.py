"""Do sums per stratum give the same result as a linearisation over respondents?"""

import numpy as np
import pytest
from scipy import stats

from triple_aim.stats.intervals import clopper_pearson, wilson
from triple_aim.stats.survey import StratumSums, ratio_variance, variance_components, weighted_proportion
from triple_aim.stats.survey_limits import proportion_limits
from triple_aim.stats.weighting import kish_effective_sample_size


def respondents(seed, sizes=(40, 25, 1, 60)):
    """Draw a sample: stratum, weight, 0/1 answer, and whether the respondent is in the domain."""
    rng = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    weight = rng.uniform(0.3, 9, stratum.size)
    answer = (rng.random(stratum.size) < 0.3).astype(float)
    return stratum, weight, answer, rng.random(stratum.size) < 0.6


def sums_of(stratum, weight, answer, domain):
    def per_stratum(x):
        return np.bincount(stratum, np.broadcast_to(x, stratum.shape), minlength=stratum.max() + 1)

    w, y = weight * domain, answer
    return StratumSums(*(per_stratum(x) for x in (1.0, w, w * y, w * w, w * w * y, w * w * y * y)))


def totals(sums):
    share = variance_components(sums)
    return sums.w.sum(), sums.wy.sum(), *(part.sum() for part in share)


def linearised_by_hand(stratum, weight, answer, domain):
    """Take Lumley's route: influence per respondent, then the variance between respondents per stratum."""
    w = weight * domain
    p = (w * answer).sum() / w.sum()
    influence = w * (answer - p) / w.sum()
    variance = 0.0
    for h in np.unique(stratum):
        z = influence[stratum == h]
        # lonely.psu = "adjust": centred at the overall mean, which is 0 for influences
        variance += ((z - z.mean()) ** 2).sum() * z.size / (z.size - 1) if z.size > 1 else (z**2).sum()
    return p, variance


@pytest.mark.parametrize("seed", range(5))
def test_sums_agree_with_linearisation_over_respondents(seed):
    sample = respondents(seed)
    p, variance = linearised_by_hand(*sample)
    w, wy, *components = totals(sums_of(*sample))
    assert wy / w == pytest.approx(p, rel=1e-12)
    assert ratio_variance(w, wy, *components) == pytest.approx(variance, rel=1e-12)


def test_logit_limits_use_the_t_quantile():
    sample = respondents(9)
    p, variance = linearised_by_hand(*sample)
    estimate = weighted_proportion(*totals(sums_of(*sample)), 122, per=100, level=0.9)
    half = stats.t.ppf(0.95, 122) * variance**0.5 / (p * (1 - p))
    expected = 100 / (1 + np.exp(-(np.log(p / (1 - p)) + half * np.array([0, -1, 1]))))
    np.testing.assert_allclose([estimate.value, estimate.lower, estimate.upper], expected, rtol=1e-12)


def test_equal_weights_and_one_stratum_give_the_binomial_variance():
    answer = np.r_[np.ones(30), np.zeros(70)]
    sums = sums_of(np.zeros(100, int), np.full(100, 2.5), answer, np.ones(100, bool))
    assert ratio_variance(*totals(sums)) == pytest.approx(0.3 * 0.7 / 99)


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_unanimous_answers_get_exact_limits_of_the_effective_sample(answer):
    stratum, weight, everyone, _ = respondents(3)
    sums = sums_of(stratum, weight, np.full_like(everyone, answer), np.ones_like(everyone, bool))
    effective = kish_effective_sample_size(sums.w.sum(), sums.ww.sum())
    estimate = weighted_proportion(*totals(sums), 100, effective_n=effective)
    expected = clopper_pearson(answer * effective, effective)
    np.testing.assert_allclose([estimate.value, estimate.lower, estimate.upper], [answer, *expected])
    assert np.isnan(weighted_proportion(*totals(sums), 100).lower)


def test_a_stratum_without_respondents_adds_nothing():
    assert all(part == 0 for part in variance_components(StratumSums(0, 0, 0, 0, 0, 0)))


def test_no_degrees_of_freedom_or_no_answers_means_no_limits():
    assert np.isnan(weighted_proportion(8.0, 4.0, 1.0, 0.5, 1.0, 0).lower)
    assert np.isnan(weighted_proportion(0.0, 0.0, 0.0, 0.0, 0.0, 50, effective_n=np.nan).value)


def test_infinite_degrees_of_freedom_give_normal_limits():
    estimate = weighted_proportion(8.0, 4.0, 16 / 3, 0.0, 0.0, np.inf)
    half = stats.norm.ppf(0.975) * (1 / 12) ** 0.5 / 0.25
    assert estimate.upper == pytest.approx(1 / (1 + np.exp(-half)))


LONELY = StratumSums(n=[1, 4], w=[2.0, 8.0], wy=[2.0, 4.0], ww=[4.0, 16.0], wwy=[4.0, 8.0], wwyy=[4.0, 8.0])


def test_a_lonely_stratum_is_centred_at_the_overall_mean_or_taken_as_certain():
    adjusted, certain = (variance_components(LONELY, lonely=rule) for rule in ("adjust", "certainty"))
    assert adjusted.v_yy[0] == 4.0 and certain.v_yy[0] == 0.0
    assert adjusted.v_yy[1] == certain.v_yy[1] > 0


def test_a_lonely_stratum_can_be_refused_unless_completely_sampled():
    with pytest.raises(ValueError, match="one sampled unit"):
        variance_components(LONELY, lonely="fail")
    whole = variance_components(LONELY, lonely="fail", sampling_fraction=[1.0, 0.0])
    assert whole.v_yy[0] == 0.0


def test_a_census_has_no_sampling_variance_and_a_half_sample_half():
    none, half, census = (variance_components(LONELY, sampling_fraction=f).v_yy for f in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(half, none / 2)
    assert (census == 0).all()


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("lonely must be one of", {"lonely": "remove"}),
        ("sampling_fraction must be between", {"sampling_fraction": 1.5}),
        ("sampling_fraction must not be negative", {"sampling_fraction": -0.1}),
    ],
)
def test_impossible_options_of_a_design_are_refused(message, options):
    with pytest.raises(ValueError, match=message):
        variance_components(LONELY, **options)


def test_wald_limits_are_symmetric_and_may_exceed_0_to_1():
    lower, upper = proportion_limits(0.02, 0.0004, 50, limits="wald")
    assert (lower, upper) == pytest.approx((0.02 - 0.02 * stats.t.ppf(0.975, 50), 0.02 + 0.02 * stats.t.ppf(0.975, 50)))
    assert lower < 0


def test_beta_limits_are_those_of_korn_and_graubard():
    """R's svyciprop(method = "beta"), written out with scipy's beta distribution."""
    p, variance, n, freedom = 0.1, 0.0009, 60, 40
    effective = p * (1 - p) / variance * (stats.t.ppf(0.025, n - 1) / stats.t.ppf(0.025, freedom)) ** 2
    expected = (
        stats.beta.ppf(0.025, effective * p, effective * (1 - p) + 1),
        stats.beta.ppf(0.975, effective * p + 1, effective * (1 - p)),
    )
    assert proportion_limits(p, variance, freedom, limits="beta", respondents=n) == pytest.approx(expected, rel=1e-9)


def test_wilson_type_limits_use_the_same_effective_sample():
    freedom, n = 40, 60
    effective = 0.09 / 0.0009 * (stats.t.ppf(0.975, n - 1) / stats.t.ppf(0.975, freedom)) ** 2
    found = proportion_limits(0.1, 0.0009, freedom, limits="wilson", respondents=n)
    np.testing.assert_allclose(found, wilson(0.1 * effective, effective), rtol=1e-9)


@pytest.mark.parametrize("limits", ["logit", "wald", "beta", "wilson"])
def test_every_kind_of_limits_falls_back_where_all_agree(limits):
    found = proportion_limits(1.0, 0.0, 30, limits=limits, effective_n=20)
    np.testing.assert_allclose(found, clopper_pearson(20, 20))


def test_an_unknown_kind_of_limits_is_refused():
    with pytest.raises(ValueError, match="limits must be one of logit, wald, beta, wilson"):
        proportion_limits(0.5, 0.01, 10, limits="asin")
