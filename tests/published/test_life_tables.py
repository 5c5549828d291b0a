"""Do our life tables reproduce printed ones?"""

import numpy as np
import pytest

from triple_aim.stats.life_table import healthy_life_expectancy, life_expectancy

AGES = [0, 1, *range(5, 95, 5)]


def test_example_of_the_phe_life_expectancy_calculator():
    """R package PHEindicatormethods, example and expected answers of phe_life_expectancy (Chiang, Silcocks limits)."""
    deaths = [17, 9, 4, 8, 20, 15, 24, 33, 50, 71, 100, 163, 263, 304, 536, 872, 1390, 1605, 1936, 1937]
    population = [
        *[7060, 35059, 46974, 48489, 43219, 38561, 46009, 57208, 61435, 55601],
        *[50209, 56416, 46411, 39820, 37978, 37039, 33288, 23306, 11936, 11936],
    ]
    printed = {  # age: expectancy, 95 % limits
        0: (80.16960813, 79.88268548, 80.45653078),
        1: (79.36245674, 79.0898816, 79.63503188),
        5: (75.44193645, 75.17407307, 75.70979983),
        40: (41.24505636, 41.00842831, 41.48168441),
        65: (18.76856852, 18.57570352, 18.96143352),
        85: (6.163942934, 5.978358351, 6.349527517),
        90: (6.16210635, 5.887683386, 6.436529314),
    }
    for age, (value, lower, upper) in printed.items():
        life = life_expectancy(deaths, population, AGES, at=age)
        np.testing.assert_allclose(life.value, value, atol=1e-8)
        # The printed limits use z = 1.96, ours 1.959964.
        np.testing.assert_allclose([life.lower, life.upper], [lower, upper], atol=1e-5)


@pytest.mark.parametrize(
    ("age", "expectancy", "standard_error"),
    [(65, 12.3, 0.22), (70, 8.8, 0.21), (75, 5.8, 0.20), (80, 3.4, 0.18), (85, 1.7, 0.17)],
)
def test_french_women_of_1991_in_the_euro_reves_guide(age, expectancy, standard_error):
    """Practical guide on health expectancy calculation: "Sullivan method". Euro-REVES, 1996, tables 1 and 3."""
    survivors = np.array([89367, 84968, 78012, 66625, 48532, 0])
    lived = np.array([436589, 408793, 364013, 290533, 289068])
    disabled = np.array([0.196, 0.286, 0.370, 0.513, 0.710])
    variance = [0.000281, 0.000507, 0.000675, 0.000914, 0.000805]
    dead = -np.diff(survivors)
    fraction = (lived / 5 - survivors[1:]) / dead  # the table of the guide is complete, with its own a
    healthy = healthy_life_expectancy(
        dead,
        lived,
        [65, 70, 75, 80, 85],
        1 - disabled,
        share_variance=variance,
        mortality_variance=False,
        fraction=[*fraction[:-1], 0.5],  # that of the open band is not used
        at=age,
    )
    assert healthy.value.round(1) == expectancy
    np.testing.assert_allclose((healthy.upper - healthy.value) / 1.959964, standard_error, atol=0.005)


def test_first_example_of_the_sullivan_manual_from_65_on():
    """Jagger et al., health expectancy calculation by the Sullivan method, example 1 (2004).

    Figures as printed by R package healthexpectancies (dataset ``sullivan``, function CompleteDFLEtable).
    """
    mortality = [
        *[6.877320e-03, 9.063532e-03, 9.571043e-03, 1.116834e-02, 1.311612e-02, 1.397621e-02, 1.498467e-02],
        *[1.570196e-02, 1.792241e-02, 2.138077e-02, 2.343253e-02, 3.081565e-02, 3.779442e-02, 4.207316e-02],
        *[4.687396e-02, 4.950053e-02, 4.816614e-02, 4.386501e-02, 3.655573e-02, 5.922821e-02, 1.861576e-01],
    ]
    disabled = np.repeat([0.257, 0.345, 0.431, 0.513], [5, 5, 10, 1])
    printed = {65: (19.865979, 12.295134), 75: (11.882759, 6.471399), 85: (5.371792, 2.616062)}
    for age, expected in printed.items():
        table = np.array(mortality) * 1e6, 1e6, np.arange(65, 86)
        found = [
            life_expectancy(*table, at=age).value,
            healthy_life_expectancy(*table, 1 - disabled, at=age).value,
        ]
        np.testing.assert_allclose(found, expected, atol=2e-6)
