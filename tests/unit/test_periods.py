"""Is a choice of periods read, and anything else refused?"""

from __future__ import annotations

import datetime

import pytest

from triple_aim.errors import ProjectError
from triple_aim.periods import parse_periods, runs_of


def test_choices_of_periods_are_read() -> None:
    assert parse_periods("2018") == [2018]
    assert parse_periods("2018..2020") == [2018, 2019, 2020]
    assert parse_periods(" 2020 , 2018..2019,2018") == [2018, 2019, 2020]
    assert parse_periods(str(datetime.date.today().year + 1))


@pytest.mark.parametrize("text", ["", "x", "2005", "2020..2018", "18", "2018-2020", "2018..", "9999", "2018;2019"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ProjectError, match="is not a choice of periods") as caught:
        parse_periods(text)
    assert caught.value.exit_code == 12


def test_stretches_are_consecutive_years() -> None:
    assert runs_of([2021, 2018, 2019, 2019]) == [(2018, 2019), (2021, 2021)] and runs_of([]) == []
