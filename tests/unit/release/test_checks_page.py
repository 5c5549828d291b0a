"""Does the checks page show verdict, failures and ledger correctly, and escape every text?"""

from __future__ import annotations

import itertools
import re
from typing import Any

import pandas as pd
import pytest

from triple_aim.release.checks_page import checks_page, ledger

LEDGER = [
    ("claims", 2023, "a", "delivered", "all", 60, 600.0),
    ("claims", 2023, "b", "delivered", "all", 40, 400.0),
    ("claims", 2023, "a", "set_aside", "bad_code", 3, 30.0),
    ("claims", 2023, "a", "staged", "all", 57, 570.0),
    ("claims", 2023, "b", "staged", "all", 40, 400.0),
    ("claims", 2023, "all", "in_cube", "all", 95, 950.0),
    ("claims", 2023, "all", "excluded", "no_region", 2, 20.0),
    ("shares", 2023, "", "delivered", "all", 5, 0.0),
    ("shares", 2023, "", "staged", "all", 5, 0.0),
]


def reconciliation(*changed: tuple[int, dict[str, Any]]) -> pd.DataFrame:
    columns = ["extract", "period", "supplier", "stage", "reason", "row_count", "amount_eur"]
    frame = pd.DataFrame(LEDGER, columns=columns)
    for line, values in changed:
        for name, value in values.items():
            frame.loc[line, name] = value
    return frame


def checks(*verdicts: tuple[str, bool], note: str = "", name: str = "c{number}") -> pd.DataFrame:
    columns = [
        "check_id",
        "subject",
        "expectation",
        "severity",
        "is_passed",
        "checked_count",
        "unexpected_count",
    ]
    rows = [
        (name.format(number=number), "mart.x", f"rule {number}", severity, passed, 10, int(not passed), note)
        for number, (severity, passed) in enumerate(verdicts)
    ]
    return pd.DataFrame(rows, columns=[*columns, "note"])


def balanced(*verdicts: tuple[str, bool]) -> pd.DataFrame:
    """These checks, and a passed check of the ledger of each extract."""
    ledgers = [checks(("critical", True), name=f"ledger/{extract}:rows_staged") for extract in ("claims", "shares")]
    return pd.concat([checks(*verdicts), *ledgers], ignore_index=True)


def verdict(page: bytes) -> tuple[str, str]:
    found = re.search(r'<p class="verdict (\w+)"[^>]*>(.*?)</p>', page.decode())
    if found is None:
        pytest.fail("no verdict")
    return found[1], found[2]


@pytest.mark.parametrize(
    ("frame", "level", "says"),
    [
        (balanced(("critical", True), ("warning", True)), "good", "All 4 checks passed"),
        (balanced(("critical", True), ("warning", False)), "fair", "1 of 4 checks warn"),
        (checks(("critical", False), ("warning", False)), "bad", "1 critical of 2 checks failed"),
        (checks(), "bad", "No check has run"),
    ],
)
def test_the_verdict_comes_first(frame: pd.DataFrame, level: str, says: str) -> None:
    page = checks_page(frame, reconciliation(), {})
    assert verdict(page)[0] == level
    assert says in verdict(page)[1]
    assert page.index(b"verdict " + level.encode()) < page.index(b"Failed checks") < page.index(b"Ledger")


def test_failed_checks_come_first_and_critical_ones_before_warnings() -> None:
    page = checks_page(
        checks(("warning", False), ("critical", False), ("warning", True)), reconciliation(), {}
    ).decode()
    places = [page.index(rule) for rule in ("rule 1", "rule 0", "Ledger:", "rule 2")]
    assert places == sorted(places)


def test_html_is_escaped_and_nothing_is_fetched() -> None:
    script = "<script>alert(1)</script>"
    page = checks_page(
        checks(("warning", False), note=script), reconciliation((2, {"reason": script})), {script: {script: script}}
    ).decode()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 5
    assert not re.search(r"(src|href)=|url\(|@import", page)


def test_the_ledger_joins_suppliers_and_adds_up_as_its_checks_say() -> None:
    verdicts = checks(("critical", True), ("critical", True), name="ledger/claims:rows_{number}")
    lines = ledger(reconciliation(), verdicts).set_index("extract")
    assert lines.loc["claims", ["delivered_rows", "set_aside_rows", "in_cube_rows"]].tolist() == [100, 3, 95]
    assert lines["adds_up"].tolist() == [True, False]  # nothing checked the shares


@pytest.mark.parametrize("unit", ["rows", "euros"])
def test_a_lost_row_or_cent_is_reported(unit: str) -> None:
    verdicts = checks(("critical", True), ("critical", False), name=f"ledger/claims:{unit}_{{number}}")
    assert not ledger(reconciliation(), verdicts).set_index("extract").loc["claims", "adds_up"]
    page = checks_page(verdicts, reconciliation(), {})
    assert verdict(page)[0] == "bad"
    assert b'<span class="alarm">no</span>' in page


def test_small_numbers_stay_empty_in_the_sums_of_suppliers() -> None:
    frame = reconciliation((2, {"amount_eur": None, "row_count": None}), (6, {"amount_eur": None}))
    lines = ledger(frame, checks()).set_index("extract")
    assert lines.loc["claims", ["set_aside_rows", "set_aside_eur", "excluded_eur"]].isna().all()
    assert lines.loc["claims", "delivered_eur"] == 1000


def test_the_page_is_accessible() -> None:
    page = checks_page(checks(("critical", True)), reconciliation(), {"release": "0123"}).decode()
    assert '<html lang="en">' in page
    assert page.count("<table>") == page.count("<caption>") > 0
    assert "<dt>release</dt><dd>0123</dd>" in page
    headings = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
