"""Do keys and noise have their general properties? (the same examples each run)"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from triple_aim.perturbation import Perturbation, maximum_entropy_table, split_key
from triple_aim.perturbation.siphash import siphash, siphash_of_cells

repeatable = settings(derandomize=True)
TABLE = maximum_entropy_table(6, 3.0)
SECRETS = st.binary(min_size=16, max_size=16)
WORDS = st.integers(0, 2**64 - 1)
COUNTS = arrays(np.float64, (2, 3, 2), elements=st.one_of(st.just(np.nan), st.integers(0, 10_000).map(float)))
LABELS = [["2022", "2023"], ["a", "b", "c"], ["F", "M"]]


@repeatable
@given(SECRETS, WORDS, st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=4), st.data())
def test_arrays_and_bytes_have_the_same_hash(secret, first, axes, data):
    shape = tuple(len(axis) for axis in axes)
    last = data.draw(arrays(np.uint64, shape, elements=WORDS))
    hashes = siphash_of_cells(secret, first, [np.array(axis, dtype=np.uint64) for axis in axes], last)
    for place in np.ndindex(shape):
        words = [first, *(axis[i] for axis, i in zip(axes, place, strict=True)), int(last[place])]
        assert int(hashes[place]) == siphash(secret, np.array(words, dtype="<u8").tobytes())


@repeatable
@given(SECRETS, COUNTS)
def test_keys_add_up_in_any_order(secret, counts):
    keys = Perturbation(secret, TABLE).keys("a", LABELS, counts)
    total = sum(int(key) for key in keys.ravel()) % 2**64
    assert int(keys.sum()) == int(keys.sum(axis=1).sum()) == int((keys[0] + keys[1]).sum()) == total
    assert ((keys == 0) == np.isnan(counts)).all()


@repeatable
@given(SECRETS, COUNTS)
def test_the_order_of_the_cells_does_not_matter(secret, counts):
    noise = Perturbation(secret, TABLE)
    turned = noise.keys("a", [LABELS[0][::-1], LABELS[1], LABELS[2][::-1]], counts[::-1, :, ::-1])
    np.testing.assert_array_equal(turned[::-1, :, ::-1], noise.keys("a", LABELS, counts))


@repeatable
@given(SECRETS, COUNTS)
def test_no_count_becomes_negative_and_whole_counts_stay_whole(secret, counts):
    noise = Perturbation(secret, TABLE)
    changed = counts + noise.count_change(noise.keys("a", LABELS, counts), counts)
    known = changed[~np.isnan(counts)]
    assert (known >= 0).all() and (known == np.floor(known)).all()
    assert (np.isnan(changed) == np.isnan(counts)).all()


@repeatable
@given(arrays(np.uint64, 20, elements=WORDS), st.floats(0, 1))
def test_a_share_gives_one_key(keys, share):
    np.testing.assert_array_equal(split_key(keys, share), split_key(keys, np.full(20, share)))
