"""Are lists of periods read, and other texts refused?"""

from __future__ import annotations

import datetime

import pytest

from triple_aim.errors import ProjectError
from triple_aim.periods import consecutive_ranges, parse_periods


def test_lists_of_periods_are_read() -> None:
    assert parse_periods("2018") == [2018]
    assert parse_periods("2018..2020") == [2018, 2019, 2020]
    assert parse_periods(" 2020 , 2018..2019,2018") == [2018, 2019, 2020]
    assert parse_periods(str(datetime.date.today().year + 1))


@pytest.mark.parametrize("text", ["", "x", "2005", "2020..2018", "18", "2018-2020", "2018..", "9999", "2018;2019"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ProjectError, match="is not a list of periods") as caught:
        parse_periods(text)
    assert caught.value.exit_code == 12


def test_ranges_are_runs_of_consecutive_years() -> None:
    assert consecutive_ranges([2021, 2018, 2019, 2019]) == [(2018, 2019), (2021, 2021)] and consecutive_ranges([]) == []
