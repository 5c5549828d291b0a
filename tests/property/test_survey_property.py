"""Do the survey methods have the properties that hold for any answers?"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triple_aim.stats.survey import StratumSums, variance_components
from triple_aim.stats.survey_design import cluster_covariance, person_covariance
from triple_aim.stats.survey_domains import combined_ratio, standardised_proportion, weighted_gap
from triple_aim.stats.survey_limits import proportion_limits
from triple_aim.stats.weighting import kish_effective_sample_size, post_stratification_factors, raked

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed, domains=2, strata=3, each=7):
    """Sums of a sample by stratum and domain, with persons of no domain among the sampled."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.1, 5, (strata, domains, each))
    y = (rng.random(w.shape) < 0.5).astype(float)
    terms = [term.sum(axis=2) for term in (w, w * y, w**2, w**2 * y, w**2 * y**2)]
    return StratumSums(np.full((strata, 1), each * domains + 2.0), *terms), (w, y)


def added(sums):
    return sums.w.sum(axis=0), sums.wy.sum(axis=0), person_covariance(sums).sum(axis=0)


@given(SEEDS)
def test_one_domain_is_the_variance_of_a_share(seed):
    sums, _ = drawn(seed, domains=1)
    matrix, spread = person_covariance(sums), variance_components(sums)
    expected = [[spread.v_yy[:, 0], spread.v_yw[:, 0]], [spread.v_yw[:, 0], spread.v_ww[:, 0]]]
    np.testing.assert_allclose(matrix, np.moveaxis(expected, -1, 0), rtol=1e-12, atol=1e-12)


@given(SEEDS)
def test_a_person_is_a_cluster_of_one(seed):
    sums, (w, y) = drawn(seed)
    strata, domains, each = w.shape
    alone_w, alone_wy = np.zeros((2, strata, domains * each, domains))
    for d in range(domains):
        alone_w[:, d * each : (d + 1) * each, d] = w[:, d]
        alone_wy[:, d * each : (d + 1) * each, d] = (w * y)[:, d]
    clusters = cluster_covariance(sums.n[:, 0], alone_w, alone_wy)
    np.testing.assert_allclose(clusters, person_covariance(sums), rtol=1e-9, atol=1e-9)


@given(SEEDS, st.floats(0.01, 1000))
def test_a_gap_changes_sign_with_its_sides_and_scales_with_its_unit(seed, per):
    w, wy, spread = added(drawn(seed)[0])
    swap, gap = [1, 0, 3, 2], weighted_gap(w, wy, spread, 20, per=per)
    flipped = weighted_gap(w[::-1], wy[::-1], spread[swap][:, swap], 20)
    np.testing.assert_allclose(
        [gap.value, gap.lower, gap.upper], np.multiply(-per, [flipped.value, flipped.upper, flipped.lower]), rtol=1e-9
    )


@given(SEEDS)
def test_own_weights_as_standard_give_the_crude_share(seed):
    w, wy, spread = added(drawn(seed, domains=4)[0])
    share = standardised_proportion(w, wy, spread, w, 30)
    np.testing.assert_allclose(share.value, wy.sum() / w.sum(), rtol=1e-12)


@given(SEEDS, st.permutations(range(4)))
def test_the_order_of_cells_does_not_matter(seed, order):
    w, wy, spread = added(drawn(seed, domains=4)[0])
    coefficient = np.array([0.1, 0.2, 0.3, 0.4])
    both = [*order, *(4 + place for place in order)]
    moved = combined_ratio(w[order], wy[order], spread[both][:, both], coefficient[order])
    np.testing.assert_allclose(moved, combined_ratio(w, wy, spread, coefficient), rtol=1e-9)


@given(
    st.floats(0.001, 0.999),
    st.floats(1e-6, 0.05),
    st.integers(3, 500),
    st.sampled_from(["logit", "wald", "beta", "wilson"]),
)
def test_limits_enclose_the_share_and_widen_with_the_level(p, variance, freedom, kind):
    narrow, wide = (proportion_limits(p, variance, freedom, limits=kind, level=level) for level in (0.9, 0.998))
    assert wide[0] <= narrow[0] + 1e-12 and narrow[1] <= wide[1] + 1e-12
    assert narrow[0] <= p + 1e-9 and p <= narrow[1] + 1e-9
    if kind != "wald":
        assert wide[0] >= 0 and wide[1] <= 1


@given(SEEDS)
def test_raking_meets_its_margins_and_keeps_odds_ratios_in_any_order(seed):
    rng = np.random.default_rng(seed)
    table, goal = rng.uniform(1, 30, (2, 2, 3))
    margins = [((0,), goal.sum(axis=1)), ((1,), goal.sum(axis=0))]
    met = raked(table, margins)
    np.testing.assert_allclose(met.sum(axis=1), goal.sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(met.sum(axis=0), goal.sum(axis=0), rtol=1e-6)
    np.testing.assert_allclose(met, raked(table, margins[::-1]), rtol=1e-5)
    np.testing.assert_allclose(raked(table, [((0,), table.sum(axis=1)), ((1,), table.sum(axis=0))]), table)
    odds = [cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0]) for cells in (met, table)]
    np.testing.assert_allclose(*odds, rtol=1e-9)


@given(SEEDS)
def test_raking_to_one_margin_of_all_cells_is_post_stratification(seed):
    rng = np.random.default_rng(seed)
    table, population = rng.uniform(1, 30, (2, 3, 4))
    np.testing.assert_allclose(
        raked(table, [((0, 1), population)]), table * post_stratification_factors(table, population), rtol=1e-9
    )


@given(SEEDS)
def test_unequal_weights_never_increase_the_effective_sample_size(seed):
    w = np.random.default_rng(seed).uniform(0.1, 5, 40)
    assert kish_effective_sample_size(w.sum(), (w**2).sum()) <= 40 + 1e-9
