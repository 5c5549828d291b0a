"""Does anything about a person follow from one release, from two, or from several indicators together?

Each test is one door that was open while the gate suppressed cells per table and printed exact numbers; its docstring
says what a reader then recovered. Not here: the attacks themselves (``attacks``).
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.disclosure import attacks
from tests.disclosure.laboratory import Deliveries

#: The least root mean square error of an estimate of 1 to 9 persons from two releases, and from one.
FROM_TWO, FROM_ONE = 1.0, 1.7
#: The least width of what is possible for a count.
WIDTH = 5


def test_a_municipality_that_leaves_an_own_partnership_stays_hidden(samples: Deliveries) -> None:
    """Before: 718 of 3,448 withheld cells of the samples exactly; plain subtraction gave all cells of the town."""
    cells = attacks.moved_municipalities(samples)
    small = cells[cells["cases"] > 0]
    assert len(small) > 200
    assert attacks.rms(small["error"]) >= FROM_ONE
    assert (small["error"] == 0).mean() < 0.3
    # A withheld cell has at most nine persons, or at most nine after a change of six.
    most = 9 + attacks.LARGEST
    low = np.maximum(small["estimate"] - 2 * attacks.LARGEST, 0)
    high = np.minimum(small["estimate"] + 2 * attacks.LARGEST, most)
    assert (high - low >= WIDTH).all()


def test_one_more_small_municipality_stays_hidden_in_the_country(samples: Deliveries) -> None:
    """Before: the country after minus the country before was every cell of the municipality exactly."""
    cells = attacks.one_more_municipality(samples)
    small = cells[cells["cases"] > 0]
    assert attacks.rms(small["error"]) >= FROM_ONE
    assert (small["error"] == 0).mean() < 0.3


def test_an_empty_cell_looks_like_a_small_one(samples: Deliveries) -> None:
    """Before: the numbers of two releases were equal exactly when the cell between them was empty."""
    cells = attacks.moved_municipalities(samples)
    empty = cells[cells["cases"] == 0]
    assert len(empty) > 20
    assert (empty["estimate"] == 0).mean() < 0.35
    assert attacks.rms(empty["estimate"]) >= FROM_ONE


def test_a_restated_year_does_not_show_how_many_persons_it_changed(samples: Deliveries) -> None:
    """Before: the five persons who were added to a year were the difference of any two numbers that hold them."""
    changed, others = attacks.restated_year(samples)
    assert attacks.rms(changed["error"]) >= FROM_ONE
    # A number without these persons keeps its noise: a second draw would help a reader.
    assert len(others) > 100 and others["change"].eq(0).all()


@pytest.mark.parametrize("secret", range(2))
def test_a_withdrawn_person_takes_the_file_along(samples: Deliveries, secret: int) -> None:
    """Before: persons, admissions and conditions exactly, and the euros of every kind of care to the cent."""
    width, euros, changed = attacks.withdrawn_person(samples, secret)
    assert width >= WIDTH
    assert euros >= 0.2  # a tenth on either side
    assert changed > {"all", "hospital"}  # other kinds change as well, so they do not show that the person had none


@pytest.mark.parametrize("secret", range(2))
def test_a_dominant_contributor_is_not_known_within_a_tenth(samples: Deliveries, secret: int) -> None:
    """Before: 4,999,123.45 euros to the cent, from a total withheld under one indicator and shown under another."""
    low, high = attacks.dominant_contributor(samples, secret)
    assert high - low >= 0.2  # a tenth on either side


def test_a_total_of_one_person_is_withheld(samples: Deliveries) -> None:
    """Before: a total was withheld only for the number of persons and cases behind it.

    The two largest of n contributors leave less than the share p of the largest when (Σx)² / Σx² is below 1 + (1 + p)².
    """
    shown = attacks.dominated_rows(samples)
    assert set(shown["sex"]) == {"M"}
    assert (shown["effective"] >= 1 + (1 + attacks.SHARE) ** 2).all()


def test_a_total_minus_its_other_part_does_not_give_a_part(samples: Deliveries) -> None:
    """Before: 95 cells of the samples, 45 of them small; 666 cells of an invented nation."""
    assert attacks.rms(attacks.related_indicators(samples)) >= FROM_ONE


def test_equal_sums_under_other_names_print_the_same_number(samples: Deliveries) -> None:
    """Before: 66 of 66 withheld cells of euros of the Wmo, some of one person, from an indicator with the same sum.

    Two names for one sum, or a part that is the total by law, give one draw of the noise and not two.
    """
    for name, pair in attacks.equal_sums(samples).items():
        assert len(pair) > 50, name
        assert pair["one"].equals(pair["other"]), name


def test_the_same_deliveries_have_the_same_noise_in_every_release(samples: Deliveries) -> None:
    """Before: there was no noise. The mean of many releases must have the error of one."""
    assert attacks.rms(attacks.averaged_releases(samples)) >= FROM_ONE - 0.2


def test_no_printed_row_rests_on_few_persons(samples: Deliveries) -> None:
    """Thresholds hold for the exact number: noise may lift a nine above the threshold, and then it stays withheld."""
    assert attacks.small_rows_shown(samples) == 0


def test_every_withheld_row_gives_the_same_reason(samples: Deliveries) -> None:
    """Before: one word for at most nine and another for at least ten persons gave 94 cells within five persons."""
    assert len(attacks.reasons(samples)) == 1


def test_limits_do_not_give_the_count(samples: Deliveries) -> None:
    """Before: limits are a function of the exact count, so they gave it wherever the count itself was rounded."""
    assert attacks.rms(attacks.counts_from_limits(samples)) >= FROM_ONE - 0.2


def test_the_comparator_does_not_give_the_rest_of_the_country(samples: Deliveries) -> None:
    """Before: the comparators of two municipalities gave a withheld country exactly."""
    assert attacks.rms(attacks.counts_from_comparators(samples)) >= FROM_ONE


def test_digits_leave_several_counts_possible(samples: Deliveries) -> None:
    """Before: unrounded events with a factor are a fraction that gave 304 of 495 counts away in a trial."""
    assert attacks.candidates_from_digits(samples).min() >= WIDTH


def test_the_difference_of_two_reconciliations_is_not_a_person(samples: Deliveries) -> None:
    """Before: the euros of one row by difference, to the cent."""
    assert (attacks.reconciled_persons().abs() > 0.1).all()
