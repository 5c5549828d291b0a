"""Do the hash and the table of changes reproduce published numbers?"""

import numpy as np
import pytest

from triple_aim.perturbation import maximum_entropy_table
from triple_aim.perturbation.siphash import siphash, siphash_of_cells

# SipHash-2-4 of the first n bytes 0, 1, 2, … with the secret 0, 1, …, 15: the 64 numbers of Aumasson and Bernstein
# (vectors.h of their reference code, as numbers instead of little-endian bytes). The paper prints that of n = 15.
VECTORS = """
726fdb47dd0e0e31 74f839c593dc67fd 0d6c8009d9a94f5a 85676696d7fb7e2d cf2794e0277187b7 18765564cd99a68d cbc9466e58fee3ce
ab0200f58b01d137 93f5f5799a932462 9e0082df0ba9e4b0 7a5dbbc594ddb9f3 f4b32f46226bada7 751e8fbc860ee5fb 14ea5627c0843d90
f723ca908e7af2ee a129ca6149be45e5 3f2acc7f57c29bdb 699ae9f52cbe4794 4bc1b3f0968dd39c bb6dc91da77961bd bed65cf21aa2ee98
d0f2cbb02e3b67c7 93536795e3a33e88 a80c038ccd5ccec8 b8ad50c6f649af94 bce192de8a85b8ea 17d835b85bbb15f3 2f2e6163076bcfad
de4daaaca71dc9a5 a6a2506687956571 ad87a3535c49ef28 32d892fad841c342 7127512f72f27cce a7f32346f95978e3 12e0b01abb051238
15e034d40fa197ae 314dffbe0815a3b4 027990f029623981 cadcd4e59ef40c4d 9abfd8766a33735c 0e3ea96b5304a7d0 ad0c42d6fc585992
187306c89bc215a9 d4a60abcf3792b95 f935451de4f21df2 a9538f0419755787 db9acddff56ca510 d06c98cd5c0975eb e612a3cb9ecba951
c766e62cfcadaf96 ee64435a9752fe72 a192d576b245165a 0a8787bf8ecb74b2 81b3e73d20b49b6f 7fa8220ba3b2ecea 245731c13ca42499
b78dbfaf3a8d83bd ea1ad565322a1a0b 60e61c23a3795013 6606d7e446282b93 6ca4ecb15c5f91e1 9f626da15c9625f3 e51b38608ef25f57
958a324ceb064572
""".split()
SECRET, MESSAGE = bytes(range(16)), bytes(range(64))


def test_the_hash_of_bytes_has_the_64_numbers_of_its_authors():
    assert len(VECTORS) == 64
    assert [f"{siphash(SECRET, MESSAGE[:length]):016x}" for length in range(64)] == VECTORS


@pytest.mark.parametrize("words", range(3, 8))
def test_the_hash_of_arrays_has_the_numbers_of_the_whole_words(words):
    first, *axes, last = np.frombuffer(MESSAGE[: 8 * words], dtype="<u8").astype(np.uint64)
    hashes = siphash_of_cells(SECRET, int(first), [np.array([axis]) for axis in axes], last.reshape([1] * len(axes)))
    assert f"{int(hashes.item()):016x}" == VECTORS[8 * words]


# R package ptable 1.0.0, vignette "introduction": create_cnt_ptable(D = 2, V = 1). It prints the probabilities of the
# count 1 (changes -1, 0, 1, 2); of the count 2 that of becoming 0 (0.0638), p_stay (0.383) and p_var (1).
PTABLE_OF_1 = np.array([0.3665, 0.3665, 0.1676, 0.0995])
PTABLE_OF_2 = {-2: 0.0638, 0: 0.383}


def test_a_large_count_has_the_probabilities_of_ptable():
    row = maximum_entropy_table(2, 1.0).probabilities[-1]
    for change, printed in PTABLE_OF_2.items():
        assert round(float(row[change + 2]), len(str(printed)) - 2) == printed
    assert row[0] == pytest.approx(row[4], abs=1e-12)


def test_a_small_count_has_more_entropy_than_in_ptable():
    # ptable also wants probabilities that fall with the change. For a 1 it then reaches a variance of 0.932 only.
    # Without that wish the entropy at the same variance is larger, and the wanted variance 1 is reached.
    changes = np.arange(-1, 3)
    variance = PTABLE_OF_1 @ changes**2
    assert variance == pytest.approx(0.932, abs=0.001)
    ours = maximum_entropy_table(2, float(variance)).probabilities[1, 1:]
    assert -(ours * np.log(ours)).sum() > -(PTABLE_OF_1 * np.log(PTABLE_OF_1)).sum()
    np.testing.assert_allclose(maximum_entropy_table(2, 1.0).variances, [0, 1, 1], atol=1e-9)
