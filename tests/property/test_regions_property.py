"""Do the parts of a region add up to the total, for any delivered codes and shares?"""

from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from triple_aim.definitions.regions import Regions

FOLDER = Path(__file__).parents[2] / "reference" / "regions"
RECODINGS = pd.read_csv(FOLDER / "recodings.csv", dtype=str).query("kind != 'partial'")
SPLITS = RECODINGS[RECODINGS["kind"] == "split"]
REGIONS = Regions.load(FOLDER, 2024)
CODES = sorted({*RECODINGS["code_from"], *REGIONS.names("municipality")})
COUNTRY_WIDE = [t for t in REGIONS.types if REGIONS.covers.get(t, "country") == "country"]

some_codes = st.lists(st.sampled_from(CODES), min_size=1, max_size=60)
some_weights = st.lists(st.integers(1, 1000), min_size=len(SPLITS), max_size=len(SPLITS))


def with_shares(weights):
    shares = SPLITS.assign(year_to=SPLITS["from_year"].astype(int), share=weights)
    shares["year_from"] = shares["year_to"] - 1
    shares["share"] /= shares.groupby("code_from")["share"].transform("sum")
    return Regions.load(FOLDER, 2024, shares)


@settings(max_examples=settings.default.max_examples // 5)  # each example reads the folder again
@given(some_codes, some_weights, st.randoms(use_true_random=False))
def test_counts_are_kept_by_every_country_wide_classification(codes, weights, random):
    membership = with_shares(weights).membership(codes)
    counts = np.array([random.randint(0, 10**9) for _ in codes])
    for region_type in COUNTRY_WIDE:
        np.testing.assert_allclose(membership.shares[region_type].sum(axis=0), 1.0, rtol=1e-12)
        np.testing.assert_allclose((membership.shares[region_type] @ counts).sum(), counts.sum(), rtol=1e-12)


@given(some_codes)
def test_without_shares_only_the_unresolved_codes_are_missing_except_in_the_country(codes):
    membership = REGIONS.membership(codes)
    placed = np.array([code not in membership.unresolved for code in codes], float)
    for region_type in COUNTRY_WIDE:
        expected = np.ones(len(codes)) if region_type == "nl" else placed
        np.testing.assert_array_equal(membership.shares[region_type].sum(axis=0), expected)


@given(some_codes, st.randoms(use_true_random=False))
def test_the_order_of_the_codes_does_not_matter(codes, random):
    order = random.sample(range(len(codes)), len(codes))
    straight, shuffled = REGIONS.membership(codes), REGIONS.membership([codes[i] for i in order])
    for region_type in REGIONS.types:
        np.testing.assert_array_equal(straight.shares[region_type][:, order], shuffled.shares[region_type])


@given(some_codes)
def test_no_share_is_negative_or_above_one(codes):
    for matrix in REGIONS.membership(codes).shares.values():
        assert ((matrix >= 0) & (matrix <= 1)).all()
