"""Do the measures of inequality do what their docstrings say? (checked with least squares, the jackknife and pairs)"""

import numpy as np
import pytest

from triple_aim.stats.inequality import concentration_index, gini, relative_index, slope_index

RNG = np.random.default_rng(19970101)
POPULATION = np.array([5200.0, 4100, 6000, 3900, 4800])
RATE = np.array([0.31, 0.27, 0.22, 0.2, 0.15])
VARIANCE = RATE * (1 - RATE) / 400
GROUPS = (RATE, VARIANCE, POPULATION)
Z = 1.959963984540054


def parts(estimate):
    return np.array([estimate.value, estimate.lower, estimate.upper])


def fitted_line(value, population):
    """Fit least squares with square-root weights; return the ends of the line and the map from values to its slope."""
    share = population / population.sum()
    root = np.sqrt(share)
    design = np.column_stack([root, root * (np.cumsum(share) - share / 2)])
    intercept, slope = np.linalg.lstsq(design, root * value, rcond=None)[0]
    return intercept, intercept + slope, np.linalg.pinv(design)[1] * root


def test_slope_and_ratios_agree_with_least_squares():
    bottom, top, _ = fitted_line(RATE, POPULATION)
    mean = np.average(RATE, weights=POPULATION)
    found = [
        slope_index(*GROUPS).value,
        relative_index(*GROUPS).value,
        relative_index(*GROUPS, form="mean").value,
    ]
    np.testing.assert_allclose(found, [top - bottom, top / bottom, (top - bottom) / mean], rtol=1e-12)


@pytest.mark.parametrize("level", [0.95, 0.998])
def test_simulated_limits_of_the_slope_approach_the_exact_normal_ones(level):
    _, _, to_slope = fitted_line(RATE, POPULATION)
    deviation = np.sqrt((to_slope**2 * VARIANCE).sum())
    z = {0.95: Z, 0.998: 3.090232306167813}[level]
    found = slope_index(*GROUPS, level=level, simulations=200_000)
    np.testing.assert_allclose([found.lower, found.upper], found.value + np.array([-z, z]) * deviation, rtol=0.01)


def test_simulated_limits_of_the_ratio_approach_those_of_fieller():
    # Exact limits of a ratio of two normal variables: the roots of a quadratic in the ratio.
    bottom, top, to_slope = fitted_line(RATE, POPULATION)
    to_middle = POPULATION / POPULATION.sum()
    to_top, to_bottom = to_middle + to_slope / 2, to_middle - to_slope / 2
    spread = [(one * two * VARIANCE).sum() for one, two in ((to_bottom,) * 2, (to_top, to_bottom), (to_top,) * 2)]
    roots = np.roots([bottom**2 - Z**2 * spread[0], -2 * (top * bottom - Z**2 * spread[1]), top**2 - Z**2 * spread[2]])
    found = relative_index(*GROUPS, simulations=200_000)
    np.testing.assert_allclose([found.lower, found.upper], np.sort(roots), rtol=0.01)


@pytest.mark.parametrize("transform", ["log", "logit"])
def test_a_transform_changes_the_limits_and_not_the_value(transform):
    plain, skewed = slope_index(*GROUPS), slope_index(*GROUPS, transform=transform)
    assert skewed.value == plain.value
    assert (skewed.lower, skewed.upper) != (plain.lower, plain.upper)
    # With very small variance every scale is locally linear.
    precise = [parts(slope_index(RATE, VARIANCE * 1e-8, POPULATION, transform=t)) for t in ("identity", transform)]
    np.testing.assert_allclose(*precise, rtol=1e-6)


@pytest.mark.parametrize("transform", ["log", "logit"])
def test_transformed_limits_agree_with_independent_draws(transform):
    rng = np.random.default_rng(7)
    forward, back, slope_of = {
        "log": (np.log, np.exp, 1 / RATE),
        "logit": (lambda p: np.log(p / (1 - p)), lambda x: 1 / (1 + np.exp(-x)), 1 / (RATE * (1 - RATE))),
    }[transform]
    drawn = back(rng.normal(forward(RATE), np.sqrt(VARIANCE) * slope_of, (200_000, 5)))
    expected = np.quantile(drawn @ fitted_line(RATE, POPULATION)[2], [0.025, 0.975])
    found = slope_index(*GROUPS, transform=transform, simulations=200_000)
    np.testing.assert_allclose([found.lower, found.upper], expected, rtol=0.01)


def test_limits_are_reproducible_and_do_not_depend_on_the_other_rows():
    alone = relative_index(*GROUPS, transform="log")
    among = relative_index(np.stack([RATE[::-1], RATE]), VARIANCE, POPULATION, transform="log")
    np.testing.assert_array_equal(parts(alone), parts(among)[:, 1])
    assert slope_index(*GROUPS, seed=2).lower != slope_index(*GROUPS).lower


def test_groups_without_people_do_not_count_and_missing_values_do():
    with_empty = np.insert(RATE, 2, np.nan), np.insert(VARIANCE, 2, np.nan), np.insert(POPULATION, 2, 0)
    assert slope_index(*with_empty).value == pytest.approx(slope_index(*GROUPS).value)
    assert np.isfinite(parts(relative_index(*with_empty, transform="logit"))).all()
    assert concentration_index(with_empty[0], with_empty[2], variance=0.1).lower == pytest.approx(
        concentration_index(RATE, POPULATION, variance=0.1).lower
    )
    missing = np.where([0, 0, 1, 0, 0], np.nan, RATE)
    for estimate in (slope_index(missing, VARIANCE, POPULATION), concentration_index(missing, POPULATION, variance=0)):
        assert np.isnan(parts(estimate)).all()


def test_one_group_has_no_slope():
    assert np.isnan(slope_index(RATE, VARIANCE, [0, 0, 10, 0, 0]).value)
    assert np.isnan(slope_index(RATE, VARIANCE, 0).value)


def test_limits_are_nan_where_they_cannot_be_computed():
    for index in (slope_index, relative_index):
        np.testing.assert_array_equal(np.isnan(parts(index(RATE, None, POPULATION))), [False, True, True])
        zero = index(np.append(RATE[:4], 0), VARIANCE, POPULATION, transform="log")
        np.testing.assert_array_equal(np.isnan(parts(zero)), [False, True, True])
    # The bottom of the line is just above 0: the upper limit of the ratio is infinite.
    steep = relative_index([1.0, 2, 3, 4, 5], [0.5] * 5, [1] * 5)
    np.testing.assert_array_equal(np.isnan(parts(steep)), [False, False, True])


def test_a_line_that_crosses_zero_has_no_ratio():
    falling = [9.0, 1, 0, 0, 0], None, [1] * 5
    assert np.isnan(relative_index(*falling).value)
    assert relative_index(*falling, form="mean").value < -2


def test_gini_agrees_with_the_mean_difference_between_pairs():
    income = RNG.lognormal(0, 1, (3, 40)).round(1)  # with ties
    pairs = np.abs(income[:, :, None] - income[:, None, :]).mean(axis=(1, 2)) / (2 * income.mean(axis=1))
    np.testing.assert_allclose(gini(income, 1).value, pairs, rtol=1e-12)


def test_gini_of_classes_is_that_of_equal_shares_within_them_and_a_lower_bound():
    persons, total = np.array([3, 1, 4, 2]), np.array([9.0, 10, 2, 8])
    alike = np.repeat(total / persons, persons)
    assert gini(total, persons).value == pytest.approx(gini(alike, 1).value)
    assert gini(np.append(alike[:-2], [0, 8]), 1).value > gini(total, persons).value


def test_gini_is_nan_without_an_amount_or_with_an_amount_without_persons():
    found = gini([[0, 0], [5, 5], [np.nan, 1], [5, 0]], [[1, 1], [1, 0], [1, 1], [1, 0]])
    np.testing.assert_array_equal(np.isnan(found.value), [True, True, True, False])


@pytest.fixture(scope="module")
def persons():
    income = RNG.lognormal(3, 0.5, 1500).round()  # with ties
    return income, (RNG.random(1500) < 1 / (1 + np.exp(0.5 + 0.02 * income))).astype(float)


@pytest.mark.parametrize("correction", [None, "erreygers", "wagstaff"])
def test_limits_of_the_concentration_index_agree_with_the_jackknife(persons, correction):
    income, ill = persons
    left_out = ~np.eye(1500, dtype=bool)  # every row leaves out one person
    kept = concentration_index(ill, left_out, rank=income, correction=correction).value
    deviation = np.sqrt(1499 * kept.var())
    found = concentration_index(ill, 1, rank=income, variance=0, correction=correction)
    np.testing.assert_allclose(found.upper - found.value, Z * deviation, rtol=0.01)
    np.testing.assert_allclose(found.value - found.lower, Z * deviation, rtol=0.01)


@pytest.mark.parametrize("correction", [None, "erreygers", "wagstaff"])
def test_groups_with_their_inner_variance_give_the_same_as_their_persons(persons, correction):
    income, ill = persons
    place, group, size = np.unique(income, return_inverse=True, return_counts=True)
    share = np.bincount(group, ill) / size
    grouped = concentration_index(share, size, rank=place, variance=share * (1 - share), correction=correction)
    one_by_one = concentration_index(ill, 1, rank=income, variance=0, correction=correction)
    np.testing.assert_allclose(parts(grouped), parts(one_by_one), rtol=1e-10)


def test_corrections_by_hand_with_other_bounds():
    # A score from 1 to 5: the plain index is that of the distance to the lower bound.
    score, persons = np.array([2.0, 3, 4.5]), np.array([2, 1, 1])
    mean = 2.875
    distance = concentration_index(score - 1, persons).value
    bounds = {"lower_bound": 1, "upper_bound": 5}
    erreygers = concentration_index(score, persons, correction="erreygers", **bounds)
    wagstaff = concentration_index(score, persons, correction="wagstaff", **bounds)
    np.testing.assert_allclose(erreygers.value, 4 * (mean - 1) * distance / 4)
    np.testing.assert_allclose(wagstaff.value, distance * 4 / (5 - mean))
    # Generalised indices do not depend on the origin: mean times index is the same from 0 and from 1.
    np.testing.assert_allclose(erreygers.value, 4 * mean * concentration_index(score, persons).value / 4)


def test_concentration_index_is_nan_without_health_or_without_a_rank():
    nothing = concentration_index([0, 0], 1)
    full = [concentration_index([1, 1], 1, correction=name).value for name in ("erreygers", "wagstaff")]
    assert np.isnan(nothing.value)
    np.testing.assert_array_equal(np.isnan(full), [False, True])
    assert np.isnan(concentration_index([0, 1, 1], 1, rank=[1, np.nan, 3]).value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: slope_index(RATE, -VARIANCE, POPULATION), "variance must not be negative"),
        (lambda: slope_index(RATE, VARIANCE, -POPULATION), "population must not be negative"),
        (lambda: slope_index(-RATE, VARIANCE, POPULATION, transform="log"), "value must not be negative"),
        (lambda: slope_index(9 * RATE, VARIANCE, POPULATION, transform="logit"), "value must not exceed 1"),
        (lambda: slope_index(*GROUPS, transform="square"), "transform must be"),
        (lambda: slope_index(*GROUPS, simulations=999), "simulations must be 1000 or more"),
        (lambda: slope_index(RATE, None, POPULATION, level=95), "level must be"),
        (lambda: slope_index(RATE, VARIANCE, POPULATION[1:]), "shapes do not fit together"),
        (lambda: relative_index(*GROUPS, form="ratio"), "form must be"),
        (lambda: gini([-1, 2], 1), "amount must not be negative"),
        (lambda: concentration_index(-RATE, POPULATION), "health must not be negative"),
        (lambda: concentration_index(RATE, POPULATION, correction="none"), "correction must be"),
        (lambda: concentration_index(9 * RATE, POPULATION, correction="wagstaff"), "health must be between"),
        (lambda: concentration_index(RATE, POPULATION, correction="wagstaff", upper_bound=0), "must be below"),
        (lambda: concentration_index(RATE, POPULATION, variance=-1), "variance must not be negative"),
    ],
)
def test_impossible_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
