"""Do the life tables do what their docstrings say? (checked with plain loops and simulated deaths)"""

import numpy as np
import pytest

from triple_aim.stats.life_table import healthy_life_expectancy, life_expectancy, years_of_life_lost

AGES = [0, 1, 5, 20, 45, 65, 75, 85]
DEATHS = np.array([40, 12, 15, 60, 240, 700, 1300, 1900.0])
YEARS = np.array([9e3, 38e3, 150e3, 260e3, 200e3, 90e3, 50e3, 14e3])
HEALTHY = np.array([0.98, 0.97, 0.95, 0.9, 0.8, 0.7, 0.5, 0.3])
TABLE = (DEATHS, YEARS, AGES)


def parts(estimate):
    return np.array([estimate.value, estimate.lower, estimate.upper])


def standard_error(estimate):
    return (estimate.upper - estimate.value) / 1.959963984540054


def chiang_by_hand(deaths, years, ages, healthy):
    """Follow the columns of a printed life table, one age after the other."""
    alive, total = 1.0, 0.0
    for i, (dead, lived) in enumerate(zip(deaths, years, strict=True)):
        rate = dead / lived
        if i == len(ages) - 1:
            return total + healthy[i] * alive / rate
        width, a = ages[i + 1] - ages[i], 0.1 if ages[i] == 0 else 0.5
        dying = width * rate / (1 + width * (1 - a) * rate)
        total += healthy[i] * width * (alive * (1 - dying) + a * alive * dying)
        alive *= 1 - dying
    raise AssertionError("a table ends with its open band")


@pytest.mark.parametrize("first", [0, 3, 7])
def test_expectancies_agree_with_a_loop_over_ages(first):
    by_hand = [
        chiang_by_hand(DEATHS[first:], YEARS[first:], AGES[first:], share)
        for share in (np.ones(8 - first), HEALTHY[first:])
    ]
    found = [
        life_expectancy(*TABLE, at=AGES[first]).value,
        healthy_life_expectancy(*TABLE, HEALTHY, at=AGES[first]).value,
    ]
    np.testing.assert_allclose(found, by_hand, rtol=1e-12)


def test_variances_agree_with_simulated_deaths_and_surveys():
    # A small population, so that the chance in deaths is not small compared with that of the survey.
    rng = np.random.default_rng(19680101)
    deaths, years, spread = DEATHS / 4, YEARS / 4, HEALTHY * (1 - HEALTHY) / 400
    drawn = rng.poisson(deaths, (20_000, 8))
    shares = np.clip(rng.normal(HEALTHY, np.sqrt(spread), (20_000, 8)), 0, 1)
    survey_alone = {"share_variance": spread, "mortality_variance": False}
    expected = [
        life_expectancy(drawn, years, AGES).value.std(),
        healthy_life_expectancy(drawn, years, AGES, shares).value.std(),
        healthy_life_expectancy(deaths, years, AGES, shares).value.std(),
    ]
    found = [
        standard_error(life_expectancy(deaths, years, AGES)),
        standard_error(healthy_life_expectancy(deaths, years, AGES, HEALTHY, share_variance=spread)),
        standard_error(healthy_life_expectancy(deaths, years, AGES, HEALTHY, **survey_alone)),
    ]
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_the_open_band_alone_has_the_variance_of_silcocks():
    life = life_expectancy([400], [5000], [85], at=85)
    np.testing.assert_allclose([life.value, standard_error(life)], [12.5, 12.5 / 20])


def test_closing_age_pools_the_upper_bands():
    pooled = (np.append(DEATHS[:5], DEATHS[5:].sum()), np.append(YEARS[:5], YEARS[5:].sum()), AGES[:6])
    np.testing.assert_allclose(parts(life_expectancy(*TABLE, closing_age=65)), parts(life_expectancy(*pooled)))
    weight = YEARS[5:] / YEARS[5:].sum()
    share = np.append(HEALTHY[:5], weight @ HEALTHY[5:])
    spread = np.append(np.full(5, 0.001), 0.001 * (weight**2).sum())
    np.testing.assert_allclose(
        parts(healthy_life_expectancy(*TABLE, HEALTHY, share_variance=0.001, closing_age=65)),
        parts(healthy_life_expectancy(*pooled, share, share_variance=spread)),
    )


@pytest.mark.parametrize(
    ("band", "deaths", "years", "known"),
    [
        (3, 0, YEARS[3], True),  # no deaths in a closed band: everybody survives it
        (3, np.nan, YEARS[3], False),
        (3, 0, 0, False),
        (3, 5, np.nan, False),
        (7, 0, YEARS[7], False),  # no deaths in the open band: their length of life is unknown
        (7, 0, 0, False),
    ],
)
def test_an_impossible_table_is_nan_unless_closing_age_pools_the_band(band, deaths, years, known):
    dead, lived = DEATHS.copy(), YEARS.copy()
    dead[band], lived[band] = deaths, years
    life = life_expectancy(np.stack([dead, DEATHS]), np.stack([lived, YEARS]), AGES)
    np.testing.assert_array_equal(np.isnan(parts(life)), [[not known, False]] * 3)
    if band == 7:
        share = np.where(lived == 0, np.nan, HEALTHY)
        assert np.isfinite(parts(life_expectancy(dead, lived, AGES, closing_age=75))).all()
        closed = healthy_life_expectancy(dead, lived, AGES, share, share_variance=0.001, closing_age=75)
        assert np.isfinite(parts(closed)).all()


def test_bands_below_the_age_are_not_used():
    holed = DEATHS.copy()
    holed[:5] = np.nan
    np.testing.assert_array_equal(
        parts(life_expectancy(holed, YEARS, AGES, at=65)), parts(life_expectancy(*TABLE, at=65))
    )


def test_a_band_in_which_everybody_dies_ends_the_table():
    life = life_expectancy([1, 900, 5], [1000, 400, 100], [0, 50, 60])
    np.testing.assert_allclose(life.value, 50 * (1 - 0.5 * (0.05 / 1.025)) + 5 * (1 - 0.05 / 1.025))
    assert np.isfinite(life.lower)


def test_fraction_of_the_first_band():
    one_band = ([4, 100], [1000, 500], [0, 5])
    default, tenth, half = (life_expectancy(*one_band, fraction=a).value for a in (None, 0.1, 0.5))
    assert default == tenth != half
    # Only infancy is special: a table that starts later, or with a wide band, has a half everywhere.
    for ages in ([1, 5], [0, 20]):
        later = [life_expectancy([4, 100], [1000, 500], ages, at=ages[0], fraction=a).value for a in (None, 0.5)]
        assert later[0] == later[1]


def test_without_a_variance_of_the_share_there_is_no_interval():
    healthy = healthy_life_expectancy(*TABLE, HEALTHY)
    np.testing.assert_array_equal(np.isnan(parts(healthy)), [False, True, True])


def test_years_lost_by_hand():
    years = 75 - np.array([0.5, 3, 12.5, 32.5, 55, 70])
    lost = years_of_life_lost(*TABLE, per=1000)
    dead, lived = DEATHS[:6], YEARS[:6]
    total, deaths = (dead * years).sum(), dead.sum()
    scale = 1000 * np.sqrt((dead * years**2).sum() / deaths) / lived.sum()
    byar = deaths * (1 - 1 / (9 * deaths) - 1.959963984540054 / (3 * np.sqrt(deaths))) ** 3
    np.testing.assert_allclose(lost.value, 1000 * total / lived.sum())
    np.testing.assert_allclose(lost.lower, lost.value + scale * (byar - deaths))

    weight = np.array([1, 4, 15, 25, 20, 10, 9, 9])
    standardised = years_of_life_lost(*TABLE, weight=weight, per=1000)
    rate = (weight[:6] * years * dead / lived).sum() / weight[:6].sum()
    spread = (weight[:6] ** 2 * years**2 * dead / lived**2).sum() / weight[:6].sum() ** 2
    np.testing.assert_allclose(standardised.value, 1000 * rate)
    np.testing.assert_allclose(
        standardised.lower, 1000 * (rate + np.sqrt(spread / deaths) * (byar - deaths)), rtol=1e-12
    )


def test_years_lost_ignore_deaths_from_the_limit_on():
    dead, lived = DEATHS.copy(), YEARS.copy()
    dead[6:], lived[6:] = np.nan, 0
    for weight in (None, np.ones(8)):
        expected = parts(years_of_life_lost(*TABLE, weight=weight))
        np.testing.assert_array_equal(parts(years_of_life_lost(dead, lived, AGES, weight=weight)), expected)


def test_years_lost_are_withheld_when_deaths_are_few_missing_or_without_person_years():
    table = [0, 65, 75]
    few = years_of_life_lost([[4, 5, 90], [5, 5, 0]], 1000, table)
    np.testing.assert_array_equal(np.isnan(few.value), [True, False])
    for dead, lived in (([20, np.nan, 1], 1000), ([20, 1, 1], [1000, 0, 1])):
        assert np.isnan(years_of_life_lost(dead, lived, table).value)
        assert np.isnan(years_of_life_lost(dead, lived, table, weight=[3, 2, 1]).value)


def test_an_empty_band_drops_its_weight_or_withholds():
    table = [20, 0, 1], [1000, 0, 1], [0, 65, 75]
    assert years_of_life_lost(*table, per=1000).value == pytest.approx(20 * 42.5)
    # As if the empty band had the rate of the others: 42.5 years of weight 3 become (3 x 42.5 + 2 x 5) / 5.
    dropped = years_of_life_lost(*table, weight=[3, 2, 1], per=1000)
    assert dropped.value == pytest.approx(20 * (3 * 42.5 + 2 * 5) / 5)
    for weight in (None, [3, 2, 1]):
        assert np.isnan(years_of_life_lost(*table, weight=weight, empty="withhold").value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at": 2}, "at must be the start of a band, got 2"),
        ({"closing_age": 66}, "closing_age must be the start of a band, got 66"),
        ({"at": 75, "closing_age": 65}, "at .75. is above closing_age .65."),
        ({"fraction": 1.5}, "must not exceed 1"),
        ({"fraction": -0.5}, "fraction must not be negative"),
        ({"deaths": -DEATHS}, "deaths must not be negative"),
        ({"lower_age": AGES[::-1]}, "lower_age must be one row of ages that rise"),
        ({"lower_age": [0]}, "lower_age names 1 bands, the data have 8"),
        ({"lower_age": AGES[:-1]}, "shapes do not fit together"),
        ({"level": 95}, "level must be strictly between 0 and 1"),
    ],
)
def test_impossible_tables_are_refused(change, message):
    arguments = {"deaths": DEATHS, "person_years": YEARS, "lower_age": AGES} | change
    with pytest.raises(ValueError, match=message):
        life_expectancy(**arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: healthy_life_expectancy(*TABLE, 100 * HEALTHY), "must not exceed 1"),
        (lambda: healthy_life_expectancy(*TABLE, HEALTHY, share_variance=-1), "share_variance must not be negative"),
        (lambda: years_of_life_lost(*TABLE, limit=70), "limit must be the start of a band, got 70"),
        (lambda: years_of_life_lost(*TABLE, limit=0), "leaves no band below it"),
        (lambda: years_of_life_lost(*TABLE, weight=-1), "weight must not be negative"),
        (lambda: years_of_life_lost(*TABLE, empty="zero"), "empty must be"),
    ],
)
def test_impossible_shares_and_limits_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
