"""Do the names of squares and contributors follow from the name of a sum, also of a part of a sum?"""

from __future__ import annotations

import pytest

from triple_aim.vocabulary import contributors_of, squares_of

COLUMNS = (
    "amount_eur amount_eur_sumsq amount_eur[care_kind=gp] amount_eur_sumsq[care_kind=gp] line_count[care_kind=gp] "
    "line_sumsq[care_kind=gp] user_count[care_kind=gp] care_eur care_client_count care_eur_sumsq end_count end_sumsq "
    "end_client_count bed_day_count bed_day_sumsq lost_sum lost_sumsq lost_death_count share_sum share_sumsq "
    "share_count share_years resident_count visit_count[age=1] visit_sumsq[age=1] visit_person_count[age=1]"
).split()


@pytest.mark.parametrize(
    ("column", "squares", "contributors"),
    [
        ("amount_eur", "amount_eur_sumsq", None),
        ("amount_eur[care_kind=gp]", "amount_eur_sumsq[care_kind=gp]", None),
        ("amount_eur[care_kind=dental]", None, None),  # no such part
        ("care_eur", "care_eur_sumsq", None),  # euros are a magnitude, also next to a count of clients
        ("line_count[care_kind=gp]", "line_sumsq[care_kind=gp]", None),
        ("user_count[care_kind=gp]", None, None),
        ("end_count", "end_sumsq", "end_client_count"),
        ("end_client_count", None, None),
        ("bed_day_count", "bed_day_sumsq", None),
        ("lost_sum", "lost_sumsq", "lost_death_count"),
        ("lost_death_count", None, None),
        ("share_sum", "share_sumsq", "share_count"),
        ("share_count", None, None),  # the persons behind the sum, not a sum with these squares
        ("share_sumsq", None, None),
        ("share_years", None, None),
        ("resident_count", None, None),
        ("visit_count[age=1]", "visit_sumsq[age=1]", "visit_person_count[age=1]"),
        ("visit_count", None, None),
    ],
)
def test_squares_and_contributors_follow_from_the_name(
    column: str, squares: str | None, contributors: str | None
) -> None:
    assert squares_of(column, COLUMNS) == squares
    assert contributors_of(column, COLUMNS) == contributors
