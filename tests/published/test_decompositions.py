"""Do our decompositions, price indices and run-off reproduce printed examples?

Das Gupta's examples (P23-186, 1993) are checked against the tables printed in the README of the R package
DasGuptR 2.1.0, which works them by the same numbers as the book's chapters.
"""

import numpy as np
import pytest

from triple_aim.stats import price_index
from triple_aim.stats.decomposition import cross_classified, das_gupta, das_gupta_series, kitagawa
from triple_aim.stats.intervals import z_score
from triple_aim.stats.run_off import complete, complete_total, completion_factors

ONE_CELL = [
    (  # 2.1: mean earnings of black and white men, US 1980
        {"earnings": (10930, 16591), "earners": (0.717892, 0.825974)},
        {"earnings": 4369.913, "earners": 1487.262},
    ),
    (  # 2.2: crude birth rate of Austria and Chile, 1981
        {"births": (51.78746, 84.90502), "aged 15-49": (0.45919, 0.75756), "women": (0.52638, 0.51065)},
        {"births": 10.4340333, "aged 15-49": 10.5608476, "women": -0.6670084},
    ),
    (  # 2.3: percentage with non-marital live births, white women of 15-19, US 1971 and 1979
        {"births": (25.3, 32.7), "pregnancies": (0.214, 0.290), "active": (0.279, 0.473), "single": (0.949, 0.986)},
        {"births": 0.6889411, "pregnancies": 0.8125381, "active": 1.3829055, "single": 0.1047547},
    ),
    (  # 2.4: total fertility rate of South Korea
        {
            "married": (0.58, 0.72),
            "noncontraception": (0.76, 0.97),
            "abortion": (0.84, 0.97),
            "lactation": (0.66, 0.56),
            "fecundity": (16.573, 16.158),
        },
        {
            "married": 1.0909785,
            "noncontraception": 1.2298438,
            "abortion": 0.7278399,
            "lactation": -0.8398707,
            "fecundity": -0.1290187,
        },
    ),
]


@pytest.mark.parametrize(("factors", "printed"), ONE_CELL, ids=["two", "three", "four", "five"])
def test_das_gupta_examples_2_1_to_2_4(factors, printed):
    start, end = ({name: [values[period]] for name, values in factors.items()} for period in (0, 1))
    effects = das_gupta(start, end)
    np.testing.assert_allclose([effects[name] for name in printed], list(printed.values()), rtol=5e-7)


def test_das_gupta_example_4_3_crude_birth_rate_of_taiwan_1960_and_1970():
    effects = das_gupta(
        {
            "births": [393, 407, 369, 274, 184, 90, 16],
            "married": [0.122, 0.622, 0.903, 0.930, 0.916, 0.873, 0.800],
            "women": [0.043, 0.041, 0.036, 0.032, 0.026, 0.020, 0.018],
        },
        {
            "births": [488, 452, 338, 156, 63, 22, 3],
            "married": [0.082, 0.527, 0.866, 0.941, 0.942, 0.923, 0.876],
            "women": [0.058, 0.038, 0.032, 0.030, 0.026, 0.023, 0.019],
        },
    )
    np.testing.assert_allclose(list(effects.values()), [-7.285632, -2.720633, -1.565181], atol=5e-7)


def test_kitagawa_on_das_gupta_example_5_1_household_headship_1970_and_1985():
    effects = kitagawa(
        [1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8],
        [2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2],
        np.array([12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9]) / 100,
        np.array([10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5]) / 100,
    )
    assert (round(float(effects["composition"]), 4), round(float(effects["rate"]), 4)) == (1.2269, 1.7403)


def test_das_gupta_example_5_3_death_rates_by_race_and_age_1970_and_1985():
    count_1985 = [
        [3041, 11577, 27450, 32711, 35480, 27411, 19555, 19795, 15254, 8022, 2472],
        [707, 2692, 6473, 6841, 6547, 4352, 3034, 2540, 1749, 804, 236],
    ]
    count_1970 = [
        [2968, 11484, 34614, 30992, 21983, 20314, 20928, 16897, 11339, 5720, 1315],
        [535, 2162, 6120, 4781, 3096, 2718, 2363, 1767, 1149, 448, 117],
    ]
    rate_1985 = [
        [9.163, 0.462, 0.248, 0.929, 1.084, 1.810, 4.715, 12.187, 27.728, 64.068, 157.570],
        [17.208, 0.738, 0.328, 1.103, 2.045, 3.724, 8.052, 17.812, 34.128, 68.276, 125.161],
    ]
    rate_1970 = [
        [18.469, 0.751, 0.391, 1.146, 1.287, 2.672, 6.636, 15.691, 34.723, 79.763, 176.837],
        [36.993, 1.352, 0.541, 2.040, 3.523, 6.746, 12.967, 24.471, 45.091, 74.902, 123.205],
    ]
    effects = cross_classified(rate_1970, rate_1985, count_1970, count_1985, dimensions=("race", "age"))
    printed = {"rate": -2.2277254, "race": 0.0197749, "age": 1.5217347}
    np.testing.assert_allclose([effects[name] for name in printed], list(printed.values()), atol=5e-8)


def test_das_gupta_example_6_5_illegitimacy_ratio_over_five_years():
    def ratio(f):
        unmarried = (f["A"] * f["B"] * f["C"]).sum(axis=-1)
        return 1000 * unmarried / (unmarried + (f["A"] * (1 - f["B"]) * f["D"]).sum(axis=-1))

    factors = {
        "A": [
            [0.200, 0.163, 0.146, 0.154, 0.168, 0.169],
            [0.215, 0.191, 0.156, 0.137, 0.144, 0.157],
            [0.218, 0.203, 0.175, 0.144, 0.127, 0.133],
            [0.205, 0.200, 0.181, 0.162, 0.134, 0.118],
            [0.169, 0.195, 0.190, 0.174, 0.150, 0.122],
        ],
        "B": [
            [0.866, 0.325, 0.119, 0.099, 0.099, 0.121],
            [0.891, 0.373, 0.124, 0.100, 0.107, 0.127],
            [0.870, 0.396, 0.158, 0.125, 0.113, 0.129],
            [0.900, 0.484, 0.243, 0.176, 0.155, 0.168],
            [0.931, 0.563, 0.311, 0.216, 0.199, 0.191],
        ],
        "C": [
            [0.007, 0.021, 0.023, 0.015, 0.008, 0.002],
            [0.010, 0.023, 0.023, 0.015, 0.008, 0.002],
            [0.011, 0.016, 0.017, 0.011, 0.006, 0.002],
            [0.014, 0.019, 0.015, 0.010, 0.005, 0.001],
            [0.018, 0.026, 0.023, 0.016, 0.008, 0.002],
        ],
        "D": [
            [0.454, 0.326, 0.195, 0.107, 0.051, 0.015],
            [0.433, 0.249, 0.159, 0.079, 0.037, 0.011],
            [0.314, 0.181, 0.133, 0.063, 0.023, 0.006],
            [0.313, 0.191, 0.143, 0.069, 0.021, 0.004],
            [0.380, 0.201, 0.149, 0.079, 0.025, 0.006],
        ],
    }
    printed = {
        "A": [72.77031, 74.65254, 73.83625, 71.36001, 64.60057],
        "B": [53.28255, 56.63216, 59.52972, 79.49763, 104.38728],
        "C": [62.17750, 69.61231, 60.48031, 68.54219, 94.17361],
        "D": [54.83361, 64.43823, 81.24203, 79.60288, 74.12756],
    }
    series = das_gupta_series(factors, rate=ratio)
    np.testing.assert_allclose([series[name] for name in "ABCD"], [printed[name] for name in "ABCD"], atol=6e-6)


def test_six_products_of_the_ppi_manual_as_indexed_by_balk():
    """Balk BM (2008). Price and quantity index numbers, tables 3.1, 3.2, 3.4 and 3.6 (after the PPI manual of
    2004, chapter 19); prices, quantities and indices as printed in the manual of R package gpindex."""
    price = [
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        [1.2, 3.0, 1.3, 0.7, 1.4, 0.8],
        [1.0, 1.0, 1.5, 0.5, 1.7, 0.6],
        [0.8, 0.5, 1.6, 0.3, 1.9, 0.4],
        [1.0, 1.0, 1.6, 0.1, 2.0, 0.2],
    ]
    quantity = [
        [1.0, 1.0, 2.0, 1.0, 4.5, 0.5],
        [0.8, 0.9, 1.9, 1.3, 4.7, 0.6],
        [1.0, 1.1, 1.8, 3.0, 5.0, 0.8],
        [1.2, 1.2, 1.9, 6.0, 5.6, 1.3],
        [0.9, 1.2, 2.0, 12.0, 6.5, 2.5],
    ]
    printed = {
        price_index.laspeyres: [1.0, 1.42, 1.345, 1.355, 1.44],
        price_index.paasche: [1.0, 1.3824, 1.2031, 1.0209, 0.7968],
        price_index.fisher: [1.0, 1.4011, 1.2721, 1.1762, 1.0712],
    }
    for index, values in printed.items():
        np.testing.assert_allclose(index(price[0], price, quantity[0], quantity), values, atol=5.1e-5)


TAYLOR_ASHE = [
    [357848, 1124788, 1735330, 2218270, 2745596, 3319994, 3466336, 3606286, 3833515, 3901463],
    [352118, 1236139, 2170033, 3353322, 3799067, 4120063, 4647867, 4914039, 5339085, np.nan],
    [290507, 1292306, 2218525, 3235179, 3985995, 4132918, 4628910, 4909315, np.nan, np.nan],
    [310608, 1418858, 2195047, 3757447, 4029929, 4381982, 4588268, np.nan, np.nan, np.nan],
    [443160, 1136350, 2128333, 2897821, 3402672, 3873311, np.nan, np.nan, np.nan, np.nan],
    [396132, 1333217, 2180715, 2985752, 3691712, np.nan, np.nan, np.nan, np.nan, np.nan],
    [440832, 1288463, 2419861, 3483130, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan],
    [359480, 1421128, 2864498, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan],
    [376686, 1363294, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan],
    [344014, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan],
]


def test_mack_1993_on_the_triangle_of_taylor_and_ashe():
    """Mack T (1993). ASTIN Bulletin 23: 213-225; reserves and standard errors to the unit as in England PD,
    Verrall RJ (2002). British Actuarial Journal 8: 443-518, and as R package ChainLadder gives them."""
    triangle = np.diff(TAYLOR_ASHE, axis=1, prepend=0.0)
    factors = [3.490607, 1.747333, 1.457413, 1.173852, 1.103824, 1.086269, 1.053874, 1.076555, 1.017725]
    np.testing.assert_allclose(completion_factors(triangle).factor, factors, atol=5e-7)
    final = complete(triangle)
    reserve = [0, 94634, 469511, 709638, 984889, 1419459, 2177641, 3920301, 4278972, 4625811]
    np.testing.assert_allclose(final.value - np.nanmax(TAYLOR_ASHE, axis=1), reserve, atol=0.5)
    errors = [0, 75535, 121699, 133549, 261406, 411010, 558317, 875328, 971258, 1363155]
    np.testing.assert_allclose((final.upper - final.value) / z_score(0.95), errors, atol=0.5)
    total = complete_total(triangle)
    assert float(total.value) - np.nanmax(TAYLOR_ASHE, axis=1).sum() == pytest.approx(18_680_856, abs=0.5)
    assert float(total.upper - total.value) / z_score(0.95) == pytest.approx(2_447_095, abs=0.5)
