"""Does the run-off do what its docstrings say, also with gaps, small regions and amounts of 0?"""

import numpy as np
import pytest

from triple_aim.stats.intervals import z_score
from triple_aim.stats.run_off import complete, complete_total, completion_factors

NAN = np.nan
TRIANGLE = np.array([[50.0, 30.0, 15.0, 5.0], [60.0, 33.0, 20.0, NAN], [55.0, 36.0, NAN, NAN], [70.0, NAN, NAN, NAN]])


def error(estimate):
    return (estimate.upper - estimate.value) / z_score(0.95)


def test_factors_and_shares_by_hand():
    completion = completion_factors(TRIANGLE)
    factors = [264 / 165, 208 / 173, 100 / 95]
    np.testing.assert_allclose(completion.factor, factors)
    np.testing.assert_allclose(1 / completion.share, [1, factors[2], factors[1] * factors[2], np.prod(factors)])


def test_macks_formulas_written_out_for_the_second_origin_and_the_total():
    """Mack (1993), theorem 3 and its corollary, in loops over origins as printed."""
    c = np.cumsum(TRIANGLE, axis=1)
    f = [264 / 165, 208 / 173, 100 / 95]
    sigma = [sum(c[i, k] * (c[i, k + 1] / c[i, k] - f[k]) ** 2 for i in range(3 - k)) / (2 - k) for k in range(2)]
    sigma.append(min(sigma[1] ** 2 / sigma[0], sigma[0], sigma[1]))
    for i in range(4):
        for k in range(4 - i, 4):
            c[i, k] = c[i, k - 1] * f[k - 1]
    volume = [sum(c[j, k] for j in range(3 - k)) for k in range(3)]
    single = [
        c[i, 3] ** 2 * sum(sigma[k] / f[k] ** 2 * (1 / c[i, k] + 1 / volume[k]) for k in range(3 - i, 3))
        for i in range(4)
    ]
    np.testing.assert_allclose(error(complete(TRIANGLE)), np.sqrt(single), atol=1e-12)
    together = sum(
        single[i] + c[i, 3] * sum(c[i + 1 :, 3]) * sum(2 * sigma[k] / f[k] ** 2 / volume[k] for k in range(3 - i, 3))
        for i in range(4)
    )
    assert error(complete_total(TRIANGLE)) == pytest.approx(np.sqrt(together))


def test_claims_with_the_same_pattern_every_year_have_no_error():
    steady = np.where(np.isnan(TRIANGLE), NAN, np.array([[1.0], [2.0], [3.0], [5.0]]) * [50.0, 30.0, 15.0, 5.0])
    final = complete(steady)
    np.testing.assert_allclose([final.lower, final.value, final.upper], [[100, 200, 300, 500]] * 3)
    assert complete_total(steady).upper == pytest.approx(1100)


def test_regions_are_completed_by_their_own_or_the_national_pattern():
    regions = np.stack([TRIANGLE, TRIANGLE[::-1][[3, 2, 1, 0]] * [1.0, 1.2, 0.9, 1.1]])
    separate = [complete(region) for region in regions]
    np.testing.assert_allclose(complete(regions).upper, [one.upper for one in separate])
    country = regions.sum(axis=0)
    shares = completion_factors(country).share
    booked = np.nansum(regions, axis=-1)
    by_country = complete(regions, reference=country)
    np.testing.assert_allclose(by_country.value, booked / shares)
    # The regions add up to the country, and each has a larger relative error than the country.
    np.testing.assert_allclose(by_country.value.sum(axis=0), complete(country).value)
    relative = error(by_country)[:, 1:] / by_country.value[:, 1:]
    assert (relative > (error(complete(country)) / complete(country).value)[1:]).all()


def test_a_gap_in_one_region_does_not_affect_others_and_an_unknown_origin_is_nan():
    unobserved = np.vstack([TRIANGLE, [NAN] * 4])
    assert np.isnan(complete(unobserved).value).tolist() == [False, False, False, False, True]
    assert np.isnan(completion_factors(unobserved).share[-1]) and np.isnan(complete_total(unobserved).value)
    both = complete(np.stack([TRIANGLE, np.full((4, 4), NAN)]))
    np.testing.assert_allclose(both.value[0], complete(TRIANGLE).value)
    assert np.isnan(both.value[1]).all()


def test_nothing_booked_is_zero_not_missing_and_has_no_limits():
    triangle = TRIANGLE.copy()
    triangle[3, 0] = 0.0
    final = complete(triangle)
    assert final.value[3] == 0 and np.isnan(final.upper[3]) and np.isfinite(final.upper[:3]).all()


def test_a_negative_correction_is_an_amount_like_any_other():
    triangle = TRIANGLE.copy()
    triangle[0, 3] = -4.0
    assert (
        completion_factors(triangle).factor[2] == pytest.approx(91 / 95) and completion_factors(triangle).share[1] > 1
    )


def test_an_origin_with_a_negative_amount_has_a_value_but_no_limits():
    region = TRIANGLE.copy()
    region[3, 0] = -6.0
    by_country = complete(region, reference=TRIANGLE)
    assert by_country.value[3] < 0 and np.isnan(by_country.upper[3]) and np.isfinite(by_country.upper[:3]).all()


def test_a_factor_on_one_origin_without_two_before_it_has_a_value_but_no_limits():
    final = complete([[60.0, 40.0], [90.0, NAN]])
    assert final.value.tolist() == pytest.approx([100, 150])
    assert final.lower[0] == 100 and np.isnan(final.lower[1])


def test_a_tall_triangle_needs_no_extrapolation():
    tall = np.array([[60.0, 40.0], [50.0, 50.0], [55.0, 45.0], [90.0, NAN]])
    f = 300 / 165
    variance = sum(c * (100 / c - f) ** 2 for c in (60, 50, 55)) / 2
    assert error(complete(tall))[3] == pytest.approx((90 * f) * (variance / f**2 * (1 / 90 + 1 / 165)) ** 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: completion_factors([1.0, 2.0]), "axis of origins"),
        (lambda: completion_factors([[1.0], [2.0]]), "two development years"),
        (lambda: completion_factors([[1.0, NAN, 2.0]]), "may not have a gap"),
        (lambda: complete(TRIANGLE, reference=TRIANGLE[:, :3]), "as many development years"),
        (lambda: complete(TRIANGLE, level=95), "level"),
    ],
)
def test_impossible_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
