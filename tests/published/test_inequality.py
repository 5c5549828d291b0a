"""Do our measures of inequality reproduce printed ones?

The simulated limits of the slope index have no printed counterpart here; ``tests/unit`` holds them against theory.
"""

import numpy as np

from triple_aim.stats.inequality import concentration_index, gini, slope_index

# Births attended by skilled personnel (%) by wealth quintile: dataset OrderedSample of WHO's R package healthequal.
ATTENDED = [75.60530, 91.01997, 96.03959, 97.04223, 99.22405]
WOMEN = [2072.436, 2112.204, 1983.059, 2052.124, 1884.510]


def test_concentration_indices_of_who_healthequal():
    """Reference pages of healthequal 1.0.1: rci 0.0469506 (relative), aci 4.30052 (absolute: mean times rci)."""
    np.testing.assert_allclose(concentration_index(ATTENDED, WOMEN).value, 0.0469506, atol=5e-8)
    bounded = concentration_index(ATTENDED, WOMEN, correction="erreygers", upper_bound=100)
    np.testing.assert_allclose(bounded.value * 100 / 4, 4.30052, atol=5e-6)


def test_slope_index_follows_from_the_printed_absolute_concentration_index():
    """The absolute index is 2 cov(value, ridit), the slope cov / var(ridit): one printed figure gives the other."""
    share = np.array(WOMEN) / sum(WOMEN)
    ridit = np.cumsum(share) - share / 2
    slope = 4.30052 / 2 / (share * (ridit - 0.5) ** 2).sum()
    np.testing.assert_allclose(slope_index(ATTENDED, None, WOMEN).value, slope, rtol=2e-6)


def test_child_deaths_in_india_in_the_world_bank_handbook():
    """O'Donnell et al. (2008). Analyzing health equity using household survey data, table 8.1: -0.1694."""
    births = [29939, 28776, 26528, 24689, 19739]
    under_five_mortality = [154.7, 152.9, 119.5, 86.9, 54.3]
    np.testing.assert_allclose(concentration_index(under_five_mortality, births).value, -0.1694, atol=5e-5)


def test_gini_of_seven_numbers_as_printed_by_r_package_phylotools():
    """Help page of phylotools::gini (algorithm of R package ineq)."""
    np.testing.assert_allclose(gini([1, 3, 2, 1, 1, 1, 4], 1).value, 0.3076923, atol=5e-8)
