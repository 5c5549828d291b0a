"""Noise by cell keys: the same persons receive the same change in every table and release.

Not here: which columns and rows receive noise and which rows stay withheld (``triple_aim.disclosure``), and the
statistics (``triple_aim.stats``).
"""

from triple_aim.perturbation.cell_keys import Perturbation, split_key
from triple_aim.perturbation.change_table import ChangeTable, maximum_entropy_table
from triple_aim.perturbation.secret import SAMPLES_SECRET, fingerprint, make_secret, read_or_make_secret, read_secret

__all__ = [
    "SAMPLES_SECRET",
    "ChangeTable",
    "Perturbation",
    "fingerprint",
    "make_secret",
    "maximum_entropy_table",
    "read_or_make_secret",
    "read_secret",
    "split_key",
]
