"""Do our differences and ratios reproduce printed tables?"""

import numpy as np
import pytest

from triple_aim.stats.contrast import proportion_difference, rate_ratio, risk_ratio


def rounded(estimate, digits):
    return tuple(round(float(part), digits) for part in (estimate.lower, estimate.upper))


@pytest.mark.parametrize(
    ("region", "reference", "limits"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_newcombe_1998_table_2_method_10(region, reference, limits):
    """Newcombe RG (1998). Stat Med 17: 873-890, table II, hybrid score without continuity correction."""
    assert rounded(proportion_difference(*region, *reference), 4) == limits


def test_risk_ratio_of_the_scipy_manual():
    """scipy.stats.contingency.relative_risk, example: catecholamine level and coronary heart disease."""
    risk = risk_ratio(27, 122, 44, 487)
    np.testing.assert_allclose(
        [risk.value, risk.lower, risk.upper], [2.4495156482861398, 1.5836990926700116, 3.7886786315466354]
    )


def test_rate_ratio_of_the_womens_health_study():
    """Gu K, Ng HKT, Tang ML, Schucany WR (2008). Biom J 50: 283-298: 60 in 51477.5 against 30 in 54308.7 years."""
    assert round(float(rate_ratio(60, 51477.5, 30, 54308.7).value), 2) == 2.11
