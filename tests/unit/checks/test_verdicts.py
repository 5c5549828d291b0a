"""Are verdicts kept until their table is rebuilt, and published only of what exists?"""

from __future__ import annotations

from triple_aim.checks.verdicts import Verdict, as_frame, existing_verdicts, recall, record
from triple_aim.warehouse.connection import open_warehouse


def verdict(name: str, unexpected: int = 0) -> Verdict:
    return Verdict(name, name.split(":")[0], "nothing is wrong", "critical", 10, unexpected, "a note")


def test_a_verdict_passes_when_nothing_is_unexpected() -> None:
    frame = as_frame([verdict("cube/a:x"), verdict("cube/a:y", 3)])
    assert frame["is_passed"].tolist() == [True, False]
    assert frame["unexpected_count"].tolist() == [0, 3]
    assert list(as_frame([])) == list(frame)


def test_what_is_recorded_is_recalled_and_replaced_by_asset() -> None:
    with open_warehouse(None) as warehouse:
        assert recall(warehouse, ["cube/a"]) == {"cube/a": []}
        first = {"cube/a": [verdict("cube/a:x", 1), verdict("cube/a:y")], "cube/b": [verdict("cube/b:x")]}
        record(warehouse, first)
        assert recall(warehouse, ["cube/a", "cube/b"]) == first
        record(warehouse, {"cube/a": [verdict("cube/a:z")]})
        assert recall(warehouse, ["cube/a"]) == {"cube/a": [verdict("cube/a:z")]}
        assert recall(warehouse, ["cube/b"]) == {"cube/b": [verdict("cube/b:x")]}
        record(warehouse, {"cube/b": []})
        assert recall(warehouse, ["cube/b"]) == {"cube/b": []}


def test_the_mart_gets_the_verdicts_of_the_assets_that_exist() -> None:
    with open_warehouse(None) as warehouse:
        record(warehouse, {"cube/a": [verdict("cube/a:x")], "ind/gone": [verdict("ind/gone:x", 1)]})
        found = existing_verdicts(warehouse, ["cube/a", "mart/regions"])
        assert found[["check_id", "is_passed", "checked_count"]].values.tolist() == [["cube/a:x", True, 10]]
