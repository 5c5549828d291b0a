"""Do keys and noise depend on what they should, and on nothing else?"""

from __future__ import annotations

import time

import numpy as np
import pytest

from triple_aim.perturbation import Perturbation, maximum_entropy_table, split_key
from triple_aim.perturbation.siphash import siphash

NOISE = Perturbation(bytes(range(16)), maximum_entropy_table(6, 3.0))
LABELS = [["2022", "2023"], ["GM0001", "GM0002", "GM0003"], ["F", "M"], ["00-04", "05-09"]]
COUNTS = np.arange(24, dtype=np.float64).reshape(2, 3, 2, 2)


def random_keys(size: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, size, dtype=np.uint64)


def test_a_key_is_the_hash_of_column_labels_and_value() -> None:
    keys = NOISE.keys("client_count", LABELS, COUNTS)
    words = [siphash(NOISE.secret, text.encode()) for text in ("client_count", "2023", "GM0003", "M", "00-04")]
    message = np.array(words, dtype="<u8").tobytes() + np.array([COUNTS[1, 2, 1, 0]], dtype="<f8").tobytes()
    assert int(keys[1, 2, 1, 0]) == siphash(NOISE.secret, message)


def test_cells_outside_the_first_block_have_their_own_labels() -> None:
    labels = [["2023"], [f"GM{number:04d}" for number in range(700)], ["F", "M"], [str(band) for band in range(20)]]
    counts = np.zeros((1, 700, 2, 20))
    whole = NOISE.keys("c", labels, counts)
    last = NOISE.keys("c", [labels[0], labels[1][-1:], *labels[2:]], counts[:, -1:])
    np.testing.assert_array_equal(whole[:, -1:], last)
    assert len(np.unique(whole)) == whole.size


def test_every_part_of_a_cell_changes_its_key() -> None:
    cell = COUNTS[:1, :1, :1, :1] + 4.0
    labels = [axis[:1] for axis in LABELS]
    key = NOISE.keys("a", labels, cell)
    others = [
        NOISE.keys("b", labels, cell),
        NOISE.keys("a", labels, cell + 1),
        NOISE.keys("a", [*labels, ["1"]], cell[..., np.newaxis]),
        Perturbation(bytes(16), NOISE.table).keys("a", labels, cell),
        *(NOISE.keys("a", [*labels[:i], ["x"], *labels[i + 1 :]], cell) for i in range(4)),
    ]
    keys = [int(each.item()) for each in [key, *others]]
    assert len(set(keys)) == len(keys)


def test_an_empty_cell_has_a_key_and_a_cell_without_delivery_has_none() -> None:
    keys = NOISE.keys("a", [["x", "y", "z"]], np.array([0.0, -0.0, np.nan]))
    assert keys[0] != 0 and keys[2] == 0
    assert NOISE.keys("a", [["x"]], np.array([-0.0]))[0] == keys[0]


def test_the_values_stay_as_they_are() -> None:
    before = COUNTS.copy()
    NOISE.keys("a", LABELS, before)
    np.testing.assert_array_equal(before, COUNTS)
    strided = np.asfortranarray(COUNTS)
    np.testing.assert_array_equal(NOISE.keys("a", LABELS, strided), NOISE.keys("a", LABELS, COUNTS))


def test_one_person_more_gives_an_independent_key() -> None:
    labels = [[f"GM{number:05d}" for number in range(20_000)]]
    counts = np.full(20_000, 50.0)
    one, more = NOISE.keys("a", labels, counts), NOISE.keys("a", labels, counts + 1)
    differing = np.bitwise_count(one ^ more)
    assert differing.mean() == pytest.approx(32, abs=0.15)  # half of 64 bits; the standard error is 0.03
    changes = NOISE.count_change(one, counts), NOISE.count_change(more, counts + 1)
    assert abs(np.corrcoef(*changes)[0, 1]) < 0.03


def test_keys_are_uniform() -> None:
    keys = NOISE.keys("a", [[f"{number}" for number in range(64_000)]], np.zeros(64_000))
    for bits in (keys >> np.uint64(58), keys & np.uint64(63)):
        frequencies = np.bincount(bits.astype(int), minlength=64)
        assert ((frequencies - 1000) ** 2 / 1000).sum() < 103  # chi-squared, 63 degrees of freedom, 99.9 %


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 100, 5e6, 12.7])
def test_changes_have_the_frequencies_of_their_row(count: float) -> None:
    keys = random_keys(400_000)
    changes = NOISE.count_change(keys, count)
    row = NOISE.table.probabilities[min(int(count), 6)]
    found = np.bincount((changes + 6).astype(int), minlength=13) / keys.size
    np.testing.assert_allclose(found, row, atol=4 * 0.5 / np.sqrt(keys.size))
    assert not found[row == 0].any()
    assert changes.mean() == pytest.approx(0.0, abs=0.012) and changes.var() == pytest.approx(3.0, abs=0.06)
    assert (count + changes).min() >= 0 and np.abs(changes).max() <= 6


def key_of_mixed(word: int) -> np.ndarray:
    """The key whose mixed word, for counts, is this word: the three steps of SplitMix64 backwards."""
    word ^= word >> 31 ^ word >> 62
    word = word * pow(0x94D049BB133111EB, -1, 2**64) % 2**64
    word ^= word >> 27 ^ word >> 54
    word = word * pow(0xBF58476D1CE4E5B9, -1, 2**64) % 2**64
    word ^= word >> 30 ^ word >> 60
    return np.array([word ^ 0x9E3779B97F4A7C15], dtype=np.uint64)


@pytest.mark.parametrize("count", [1, 2, 6, 100])
def test_the_smallest_and_the_largest_random_number_give_the_ends_of_the_row(count: int) -> None:
    assert NOISE.count_change(key_of_mixed(0), count) == -min(count, 6)
    assert NOISE.count_change(key_of_mixed(2**64 - 1), count) == 6


def test_zero_stays_zero_and_missing_stays_missing() -> None:
    keys = random_keys(1000)
    assert not NOISE.count_change(keys, 0.0).any() and not NOISE.count_change(keys, 0.9).any()
    assert np.isnan(NOISE.count_change(keys, np.nan)).all()
    with pytest.raises(ValueError, match="negative"):
        NOISE.count_change(keys, -1.0)


def test_unit_noise_has_mean_0_variance_1_and_bounds() -> None:
    noise = NOISE.unit_noise(random_keys(400_000))
    assert noise.mean() == pytest.approx(0, abs=0.007) and noise.var() == pytest.approx(1, abs=0.007)
    assert np.abs(noise).max() < np.sqrt(3)


def test_unit_noise_does_not_depend_on_the_change_of_a_count() -> None:
    keys = random_keys(400_000)
    noise, changes = NOISE.unit_noise(keys), NOISE.count_change(keys, 100.0)
    for change in range(-3, 4):
        chosen = noise[changes == change]
        assert chosen.mean() == pytest.approx(0, abs=5 / np.sqrt(chosen.size))
        assert chosen.var() == pytest.approx(1, abs=5 / np.sqrt(chosen.size))


def test_the_changes_of_two_regions_say_nothing_about_their_union() -> None:
    # Without mixing, two keys near one half add up to a key near zero.
    north, south = random_keys(200_000, 1), random_keys(200_000, 2)
    alone = NOISE.count_change(north, 100.0), NOISE.count_change(south, 100.0)
    union = NOISE.count_change(north + south, 200.0)
    unchanged = union[(alone[0] == 0) & (alone[1] == 0)]
    found = np.bincount((unchanged + 6).astype(int), minlength=13) / unchanged.size
    np.testing.assert_allclose(found, NOISE.table.probabilities[-1], atol=4 * 0.5 / np.sqrt(unchanged.size))


def test_a_part_of_a_municipality_has_noise_of_its_own() -> None:
    keys = random_keys(100_000)
    np.testing.assert_array_equal(split_key(keys, 1.0), keys)
    assert not split_key(keys, 0.0).any()
    parts = split_key(keys, 0.3), split_key(keys, 0.7)
    for one, other in ((parts[0], parts[1]), (parts[0], keys)):
        assert abs(np.corrcoef(NOISE.unit_noise(one), NOISE.unit_noise(other))[0, 1]) < 0.015
    assert split_key(np.zeros(1, dtype=np.uint64), 0.3)[0] == 0
    assert split_key(keys[:2], np.array([0.3, 1.0])).tolist() == [int(parts[0][0]), int(keys[1])]


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        split_key(random_keys(2), share)


def test_wrong_arguments_are_refused_and_the_secret_is_not_printed() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Perturbation(bytes(15), NOISE.table)
    with pytest.raises(ValueError, match="share of noise"):
        Perturbation(bytes(16), NOISE.table, share=0.0)
    with pytest.raises(ValueError, match="do not fit"):
        NOISE.keys("a", LABELS[:3], COUNTS)
    assert "x00" not in repr(NOISE) and "secret" not in repr(NOISE)


def test_the_keys_of_a_nation_take_little_time() -> None:
    # 3 years, 342 municipalities, 2 sexes, 20 age bands; a run has some hundred columns.
    labels = [["2021", "2022", "2023"], [f"GM{n:04d}" for n in range(342)], ["F", "M"], [str(n) for n in range(20)]]
    counts = np.ones((3, 342, 2, 20))
    NOISE.keys("warm", labels, counts)
    began = time.process_time()
    for column in range(10):
        NOISE.keys(f"column {column}", labels, counts)
    assert time.process_time() - began < 0.6  # 0.07 measured
