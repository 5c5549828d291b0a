"""Do the two expectations of our own count what they say, by group, and nothing else?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triple_aim.checks.named_expectations import changes_beyond, parts_off

WITHIN, OTHERS = ["id", "year"], ["age"]


def parts(*changes: tuple[int, str, object]) -> pd.DataFrame:
    table = pd.DataFrame(
        [
            (name, 2021, sex, age, amount)
            for name in ("a", "b")
            for sex, age, amount in (("all", "all", 3.0), ("F", "all", 1.0), ("M", "all", 2.0), ("F", "00-19", 9.0))
        ],
        columns=["id", "year", "sex", "age", "amount"],
    )
    for row, column, value in changes:
        table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ([], {"a": (1, 0), "b": (1, 0)}),
        ([(1, "amount", 1.5)], {"a": (1, 1), "b": (1, 0)}),
        ([(5, "amount", 1.0 + 1e-9)], {"a": (1, 0), "b": (1, 0)}),
        ([(1, "amount", np.nan)], {"a": (1, 1), "b": (1, 0)}),
        ([(1, "amount", np.nan), (2, "amount", np.nan)], {"a": (1, 0), "b": (1, 0)}),
        ([(0, "sex", "X")], {"a": (0, 0), "b": (1, 0)}),
    ],
)
def test_parts_are_held_to_their_total(
    changes: list[tuple[int, str, object]], counts: dict[str, tuple[int, int]]
) -> None:
    assert parts_off(parts(*changes), "amount", "sex", WITHIN, OTHERS, "id") == counts


def test_no_rows_have_no_parts_and_no_changes() -> None:
    none = parts().iloc[:0]
    assert parts_off(none, "amount", "sex", WITHIN, OTHERS, "id") == {}
    assert changes_beyond(none, "amount", "year", ["id"], "id", {}, {}) == {}


def series(values: list[float], years: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"id": "a", "year": years or list(range(2020, 2020 + len(values))), "value": values})


@pytest.mark.parametrize(
    ("table", "counts"),
    [
        (series([100.0, 124.0, 101.0]), (2, 0)),
        (series([100.0, 126.0]), (1, 1)),
        (series([126.0, 100.0]), (1, 1)),
        (series([100.0, np.nan, 900.0]), (0, 0)),
        (series([100.0, 900.0], [2020, 2022]), (0, 0)),
        (series([100.0, 900.0, 901.0], [2019, 2021, 2022]), (1, 0)),
        (series([100.0, 900.0], [2014, 2015]), (1, 0)),
        (series([100.0, 0.0]), (1, 1)),
    ],
)
def test_a_change_beyond_the_limit_of_its_group_is_counted(table: pd.DataFrame, counts: tuple[int, int]) -> None:
    found = changes_beyond(table, "value", "year", ["id"], "id", {"a": 0.25}, {"a": [2015]})
    assert found == {"a": counts}


def test_each_group_has_its_own_limit_and_its_own_breaks() -> None:
    table = pd.concat([series([100.0, 150.0]), series([100.0, 150.0]).assign(id="b")], ignore_index=True)
    found = changes_beyond(table, "value", "year", ["id"], "id", {"a": 0.25, "b": 1.0}, {"b": [2021]})
    assert found == {"a": (1, 1), "b": (1, 0)}
