"""Do our survey estimates reproduce printed examples?

The Academic Performance Index of Californian schools in 2000 is the example of R's survey package (Lumley 2010,
appendix A): ``apistrat`` has 200 schools in three strata, ``apiclus1`` all 183 schools of 15 of 757 districts. The
numbers below are sums of the public files, by stratum or district; the expected figures are those of the package's
output, manual and website (svymean, svytotal, svyratio, svyby, svyttest, postStratify, rake), to the printed digits.
"""

import numpy as np
import pytest

from triple_aim.stats.intervals import student_t
from triple_aim.stats.survey import StratumSums, ratio_variance, variance_components
from triple_aim.stats.survey_design import cluster_covariance, weighted_ratio, weighted_total
from triple_aim.stats.survey_domains import combined_ratio, weighted_gap
from triple_aim.stats.weighting import post_stratification_factors, raked

#: apistrat: schools of the population, sampled, and sums of api00, enroll, their squares and their product.
STRATA = np.array(
    [
        (4421, 100, 67443, 41678, 47038637, 20100668, 27403761),
        (755, 50, 31291, 66035, 20167941, 109279081, 40866208),
        (1018, 50, 31830, 41624, 20940396, 42310204, 26115739),
    ],
    dtype=float,
).T
#: apistrat: schools with no award and with one; their number, sum of api00 and of its square.
AWARDS = {
    "No": np.array([(27, 17815, 12244851), (34, 20699, 12903201), (26, 15577, 9658737)], dtype=float).T,
    "Yes": np.array([(73, 49628, 34793786), (16, 10592, 7264740), (24, 16253, 11281659)], dtype=float).T,
}
#: apiclus1: district; schools E, H, M; sum of api00 in each; sum of enroll; not improved and improved: schools, api00.
DISTRICTS = np.array(
    [
        (61, 10, 0, 3, 7203, 0, 2169, 6777, 3, 10, 2193, 7179),
        (135, 34, 0, 0, 22508, 0, 0, 15038, 8, 26, 5470, 17038),
        (178, 2, 1, 1, 1001, 529, 547, 1668, 1, 3, 547, 1530),
        (197, 10, 0, 3, 6714, 0, 1879, 6958, 4, 9, 2588, 6005),
        (255, 13, 0, 3, 9185, 0, 2184, 9025, 3, 13, 2094, 9275),
        (406, 2, 0, 0, 1116, 0, 0, 683, 0, 2, 0, 1116),
        (413, 1, 0, 0, 551, 0, 0, 274, 0, 1, 0, 551),
        (437, 2, 1, 1, 963, 443, 482, 1436, 0, 4, 0, 1888),
        (448, 9, 1, 2, 6858, 703, 1550, 7375, 1, 11, 733, 8378),
        (510, 16, 2, 3, 10593, 1256, 1912, 14968, 7, 14, 4491, 9270),
        (568, 4, 4, 1, 2859, 2848, 679, 2180, 5, 4, 3596, 2790),
        (637, 8, 1, 2, 5418, 608, 1333, 6081, 2, 9, 1295, 6064),
        (716, 30, 3, 4, 16808, 1577, 2009, 25814, 11, 26, 5734, 14660),
        (778, 1, 0, 1, 494, 0, 411, 680, 1, 1, 411, 494),
        (815, 2, 1, 1, 1166, 696, 631, 1641, 4, 0, 2493, 0),
    ],
    dtype=float,
)
SCHOOL_WEIGHT = 33.846996307373  # as the package's file gives it: 6194 / 183
TYPES = [4421, 755, 1018]  # schools E, H and M in California
DISTRICTS_SAMPLED = 15 / 757


def stratified(y, x=None, domain=None):
    """Stratum sums of apistrat with weights N / n; x is 1 for a mean."""
    population, n, api, enroll, api_sq, enroll_sq, product = STRATA
    weight = population / n
    if domain is not None:
        count, api, api_sq = AWARDS[domain]
        sums = (count, api, count, api, api_sq)
    elif x == "enroll":
        sums = (enroll, api, enroll_sq, product, api_sq)
    else:
        total, square = (api, api_sq) if y == "api00" else (enroll, enroll_sq)
        sums = (n, total, n, total, square)
    w, wy, ww, wwy, wwyy = sums
    return StratumSums(n, weight * w, weight * wy, weight**2 * ww, weight**2 * wwy, weight**2 * wwyy)


def added(sums, corrected):
    population, n = STRATA[:2]
    share = variance_components(sums, sampling_fraction=n / population if corrected else 0.0)
    return sums.w.sum(), sums.wy.sum(), *(part.sum() for part in share)


@pytest.mark.parametrize(
    ("corrected", "y", "mean", "se", "total", "total_se"),
    [
        (True, "api00", 662.287363577655, 9.408940879434, 4102207.93, 58278.9798072143),
        (True, "enroll", 595.282131094607, 18.5085106862115, 3687177.52, 114641.715190394),
        (False, "api00", 662.287363577655, 9.53613229692516, 4102207.93, 59066.803047),
    ],
)
def test_stratified_mean_and_total(corrected, y, mean, se, total, total_se):
    w, wy, *components = added(stratified(y), corrected)
    assert wy / w == pytest.approx(mean, rel=1e-9)
    assert ratio_variance(w, wy, *components) ** 0.5 == pytest.approx(se, rel=1e-8)
    estimate = weighted_total(wy, components[0], np.inf)
    assert estimate.value == pytest.approx(total, rel=1e-9)
    assert (estimate.upper - estimate.lower) / 2 / 1.959963984540054 == pytest.approx(total_se, rel=1e-7)


def test_limits_of_a_stratified_mean_use_students_t():
    estimate = weighted_ratio(*added(stratified("api00"), corrected=True), 200 - 3)
    assert [estimate.lower, estimate.upper] == pytest.approx([643.732188539262, 680.842538616048], rel=1e-9)


def test_stratified_ratio():
    w, wy, *components = added(stratified("api00", x="enroll"), corrected=True)
    assert wy / w == pytest.approx(1.11256046332155, rel=1e-10)
    assert ratio_variance(w, wy, *components) ** 0.5 == pytest.approx(0.0413595064404803, rel=1e-8)


@pytest.mark.parametrize(
    ("award", "mean", "se", "total", "total_se"),
    [
        ("No", 633.734912337968, 15.3347711842501, 1417303.77, 142752.682431189),
        ("Yes", 678.422405668124, 11.8566310509714, 2684904.16, 152042.166199407),
    ],
)
def test_a_domain_is_a_subset_after_the_design(award, mean, se, total, total_se):
    w, wy, *components = added(stratified("api00", domain=award), corrected=True)
    assert (wy / w, wy) == pytest.approx((mean, total), rel=1e-9)
    assert ratio_variance(w, wy, *components) ** 0.5 == pytest.approx(se, rel=1e-8)
    assert components[0] ** 0.5 == pytest.approx(total_se, rel=1e-8)


@pytest.mark.parametrize(
    ("columns", "mean", "se", "total", "total_se"),
    [
        ((4, 5, 6), 644.169399, 23.5422, None, None),
        ((7,), 549.715846994537, 45.1913723435604, 3404940.13, 932235.03),
    ],
)
def test_clustered_mean_and_total(columns, mean, se, total, total_se):
    w = SCHOOL_WEIGHT * DISTRICTS[:, 1:4].sum(axis=1)
    wy = SCHOOL_WEIGHT * DISTRICTS[:, list(columns)].sum(axis=1)
    spread = cluster_covariance(15, w[:, None], wy[:, None], sampling_fraction=DISTRICTS_SAMPLED)
    value, variance = combined_ratio([w.sum()], [wy.sum()], spread, [1.0])
    assert value == pytest.approx(mean, rel=1e-8)
    assert variance**0.5 == pytest.approx(se, abs=5e-5)
    if total:
        assert wy.sum() == pytest.approx(total, abs=0.005)
        assert spread[0, 0] ** 0.5 == pytest.approx(total_se, abs=0.005)


def test_a_post_stratified_mean_of_clusters():
    w, wy = SCHOOL_WEIGHT * DISTRICTS[:, 1:4], SCHOOL_WEIGHT * DISTRICTS[:, 4:7]
    value, variance = combined_ratio(
        w.sum(axis=0), wy.sum(axis=0), cluster_covariance(15, w, wy), np.array(TYPES) / 6194
    )
    assert value == pytest.approx(642.310788211584, rel=1e-12)
    assert variance**0.5 == pytest.approx(24.1610605814973, rel=1e-10)
    factors = post_stratification_factors(w.sum(axis=0), TYPES)
    assert (factors * wy.sum(axis=0)).sum() / 6194 == pytest.approx(value, rel=1e-12)


def test_a_gap_between_domains_that_share_clusters():
    w, wy = SCHOOL_WEIGHT * DISTRICTS[:, 8:10], SCHOOL_WEIGHT * DISTRICTS[:, 10:12]
    gap = weighted_gap(w.sum(axis=0), wy.sum(axis=0), cluster_covariance(15, w, wy), 13)
    assert gap.value == pytest.approx(15.506015037594, rel=1e-11)
    assert [gap.lower, gap.upper] == pytest.approx([-21.0703676778145, 52.0823977530025], rel=1e-9)


def test_raking_to_two_margins():
    schools = np.array([(12, 132), (3, 11), (8, 17)])  # type of school by whether it met its target
    api = np.array([(7156, 86281), (1978, 6682), (4851, 10935)])
    met = raked(SCHOOL_WEIGHT * schools, [((0,), TYPES), ((1,), [1072, 5122])])
    # The package stops when every class is right to within one school, so it agrees to as many digits.
    assert (met / schools * api).sum() / 6194 == pytest.approx(641.230246862208, rel=1e-6)


@pytest.mark.parametrize(("corrected", "se"), [(False, 0.7412683), (True, 0.6160407)])
def test_stata_fpc_example(corrected, se):
    """Stata survey manual, fpc.dta (also R's survey::fpc): mean of x 5.448148, with and without correction."""
    x = [np.array([2.8, 4.1, 6.8, 6.8, 9.2]), np.array([3.7, 6.6, 4.2])]
    sums = StratumSums(
        n=[5, 3],
        w=[15, 12],
        wy=[w * y.sum() for w, y in zip((3, 4), x, strict=True)],
        ww=[45, 48],
        wwy=[w**2 * y.sum() for w, y in zip((3, 4), x, strict=True)],
        wwyy=[w**2 * (y**2).sum() for w, y in zip((3, 4), x, strict=True)],
    )
    w, wy = np.sum(sums.w), np.sum(sums.wy)
    share = variance_components(sums, sampling_fraction=[5 / 15, 3 / 12] if corrected else 0.0)
    variance = ratio_variance(w, wy, *(part.sum() for part in share))
    assert wy / w == pytest.approx(5.448148, abs=5e-7)
    assert variance**0.5 == pytest.approx(se, abs=5e-8)
    if not corrected:
        lower, upper = student_t(wy / w, variance, 8 - 2)
        assert (round(float(lower), 5), round(float(upper), 6)) == (3.63433, 7.261966)
