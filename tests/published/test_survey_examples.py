"""Do our survey variances reproduce a printed example?"""

import numpy as np
import pytest

from triple_aim.stats.intervals import student_t
from triple_aim.stats.survey import StratumSums, ratio_variance, variance_components


def test_stata_fpc_example_without_finite_population_correction():
    """Stata survey manual, fpc.dta (also R's survey::fpc): mean of x 5.448148, standard error .7412683."""
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
    variance = ratio_variance(w, wy, *(part.sum() for part in variance_components(sums)))
    assert wy / w == pytest.approx(5.448148, abs=5e-7)
    assert variance**0.5 == pytest.approx(0.7412683, abs=5e-8)
    lower, upper = student_t(wy / w, variance, 8 - 2)
    assert (round(float(lower), 5), round(float(upper), 6)) == (3.63433, 7.261966)
