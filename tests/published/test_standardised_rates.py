"""Do our standardised rates reproduce a printed table?"""

import numpy as np

from triple_aim.stats.rates import crude_rate
from triple_aim.stats.standardise import directly_standardised_rate

# Down syndrome by birth order (rows 1, 2, 3, 4, 5+) and mother's age, Michigan 1950-64:
# Fleiss JL (1981). Statistical methods for rates and proportions, 2nd ed., p. 249.
BIRTHS = [
    [230061, 329449, 114920, 39487, 14208, 3052],
    [72202, 326701, 208667, 83228, 28466, 5375],
    [15050, 175702, 207081, 117300, 45026, 8660],
    [2293, 68800, 132424, 98301, 46075, 9834],
    [327, 30666, 123419, 149919, 104088, 34392],
]
CASES = [
    [107, 141, 60, 40, 39, 25],
    [25, 150, 110, 84, 82, 39],
    [3, 71, 114, 103, 108, 75],
    [1, 26, 64, 89, 137, 96],
    [0, 8, 63, 112, 262, 295],
]
STANDARD = [63986.6, 186263.6, 157302.2, 97647.0, 47572.6, 12262.6]


def test_fleiss_down_syndrome_rates_as_printed_by_epitools_and_tidyrates():
    """README of R package tidyrates 0.0.1 (epitools::ageadjust.direct): crude and adjusted rates."""
    crude = crude_rate(np.sum(CASES, axis=1), np.sum(BIRTHS, axis=1)).value
    np.testing.assert_allclose(crude, [0.000563, 0.000676, 0.000833, 0.00115, 0.00167], rtol=0.004)
    adjusted = directly_standardised_rate(CASES, BIRTHS, STANDARD).value
    np.testing.assert_allclose(adjusted, [0.000923, 0.000912, 0.000851, 0.000927, 0.000755], atol=5e-7)


def test_fay_feuer_limits_as_printed_by_epitools_and_tidyrates():
    """The same README: lci and uci of epitools::ageadjust.direct, which is the gamma method."""
    estimate = directly_standardised_rate(CASES, BIRTHS, STANDARD, interval="gamma")
    lower = [f"{limit:.3g}" for limit in estimate.lower]
    upper = [f"{limit:.3g}" for limit in estimate.upper]
    assert lower == ["0.000804", "0.000824", "0.000772", "0.0008", "0.000677"]
    assert upper == ["0.00106", "0.00101", "0.000942", "0.00115", "0.00188"]
