"""Would an attack notice weaker protection? Each test weakens one function, and then the attack succeeds.

Not here: the attacks against the product (``test_doors``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
import pandas as pd
import pytest

from tests.disclosure import attacks, laboratory
from tests.disclosure.laboratory import Deliveries, InMemory
from tests.disclosure.test_doors import FROM_TWO, WIDTH
from triple_aim.cubes.noise import CubeNoise
from triple_aim.disclosure import ledger, protect
from triple_aim.indicators import columns
from triple_aim.perturbation import Perturbation, cell_keys


def test_a_constant_key(samples: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """All large counts have the same change, so a difference of two has none."""
    monkeypatch.setattr(cell_keys, "_uniform", lambda keys, purpose: np.full(np.shape(keys), 0.3))
    cells = attacks.moved_municipalities(samples)
    assert attacks.rms(cells["error"]) < FROM_TWO


def test_a_key_per_release(samples: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every release is a new draw, and the mean of several is near the truth."""
    number = count(1)
    monkeypatch.setattr(InMemory, "perturbation", property(lambda self: _with_secret(self, next(number))))
    assert attacks.rms(attacks.averaged_releases(samples)) < FROM_TWO


def test_a_key_per_indicator(samples: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sum under two names has two draws."""
    one_by_one = laboratory.changed_rows

    def per_indicator(warehouse: None, inputs: InMemory, specs: Sequence[object]) -> pd.DataFrame:
        parts = [
            one_by_one(warehouse, InMemory(laboratory.secret_of(number), inputs.given, inputs.places), [spec])
            for number, spec in enumerate(specs)
        ]
        return pd.concat(parts, ignore_index=True)

    monkeypatch.setattr(laboratory, "changed_rows", per_indicator)
    for pair in attacks.equal_sums(samples).values():
        assert (pair["one"] != pair["other"]).mean() > 0.5


def test_keys_without_the_count(samples: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """The noise of a cell stays when persons enter it, and the difference is their number."""
    with_count = CubeNoise.keys
    monkeypatch.setattr(
        CubeNoise, "keys", lambda self, name, labels, values: with_count(self, name, labels, values * 0)
    )
    changed, _ = attacks.restated_year(samples)
    assert attacks.rms(changed["error"]) < FROM_TWO


def test_empty_cells_without_a_key(samples: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cell then changes nothing, so equal numbers in two releases show that it is empty."""
    of_all = CubeNoise.keys

    def without_empty(self: CubeNoise, name: str, labels: object, values: np.ndarray) -> np.ndarray:
        return np.where(values == 0, np.uint64(0), of_all(self, name, labels, values))

    monkeypatch.setattr(CubeNoise, "keys", without_empty)
    cells = attacks.moved_municipalities(samples)
    assert (cells.loc[cells["cases"] == 0, "estimate"] == 0).mean() > 0.9


def test_thresholds_on_changed_numbers_alone(samples: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nine that noise lifts to eleven is printed."""
    both = protect._publishable
    monkeypatch.setattr(protect, "_publishable", lambda rows, printed, *rest: both(printed, printed.copy(), *rest))
    assert attacks.small_rows_shown(samples) > 0


def test_two_reason_words(samples: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word for rows below the threshold, and another one for the rest, shows which numbers are small."""
    with_one_word = protect._publishable

    def with_two_words(rows: pd.DataFrame, *rest: object) -> dict[str, np.ndarray]:
        safe = with_one_word(rows, *rest)
        is_small = (rows["persons"] < 10) | (rows["cases"].fillna(np.inf) < 10)
        safe["reason"] = np.where(is_small & (safe["status"] == "suppressed"), "fewer than 10", safe["reason"])
        return safe

    monkeypatch.setattr(protect, "_publishable", with_two_words)
    assert len(attacks.reasons(samples)) > 1


@pytest.mark.parametrize(
    ("names", "attack"),
    [
        pytest.param(["lower", "upper"], attacks.counts_from_limits, id="limits from exact sums"),
        pytest.param(["comparator_value"], attacks.counts_from_comparators, id="exact comparators"),
    ],
)
def test_columns_from_exact_sums(
    samples: Deliveries, monkeypatch: pytest.MonkeyPatch, names: list[str], attack: Callable[[Deliveries], pd.Series]
) -> None:
    """A number with the changed count, computed from the exact one gives it back."""
    changed = protect._same_rows

    def with_exact(rows: pd.DataFrame, *rest: object) -> pd.DataFrame:
        exact = {name: rows[name].to_numpy() for name in names}
        return changed(rows, *rest).assign(**exact)

    monkeypatch.setattr(protect, "_same_rows", with_exact)
    assert attacks.rms(attack(samples)) < FROM_TWO


def test_no_rule_on_contributors(samples: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A total that is the euros of one person is printed."""
    monkeypatch.setattr(protect, "_drowned", lambda printed, publication: np.zeros(len(printed), dtype=bool))
    shown = attacks.dominated_rows(samples)
    assert (shown["effective"] < 1 + (1 + attacks.SHARE) ** 2).any()


def test_unrounded_numbers(samples: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits after the point leave one count, because squares and persons are whole."""
    monkeypatch.setattr(protect, "rounded", lambda values, decimals: values)
    monkeypatch.setattr(columns, "np", WithoutRounding())
    found = attacks.candidates_from_digits(samples)
    with_digits = found[found.index % 1 > 0]
    assert len(with_digits) > 10 and with_digits.median() < WIDTH


def test_an_exact_reconciliation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The euros of a person are a difference of two totals."""
    monkeypatch.setattr(ledger, "significant", lambda values, digits, least=0.0: values)
    assert (attacks.reconciled_persons().abs() < 0.01).all()


class WithoutRounding:
    """The functions of numpy, except that nothing is rounded."""

    def __getattr__(self, name: str) -> object:
        return (lambda values: values) if name == "round" else getattr(np, name)


def _with_secret(inputs: InMemory, number: int) -> Perturbation:
    publication = inputs.programme.publication
    return Perturbation(laboratory.secret_of(number), inputs.programme.tables.changes, publication.noise.share)
