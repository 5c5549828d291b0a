"""Is the audit red where a door is open, and green on the same release with the door closed?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.audit.releases import USE, Monitor, Rules, row, rows_of, rules
from triple_aim.audit import Report, audit_releases
from triple_aim.errors import ProjectError

#: Printed numbers of a column: perturbed, so that they do not add up, with one municipality withheld.
PERTURBED = {"GM1": 40.0, "GM2": None, "GM3": 25.0, "GM4": 31.0, "GG1": 47.0, "GG2": 54.0, "NL01": 99.0}
EXACT = {"GM1": 40.0, "GM2": None, "GM3": 25.0, "GM4": 31.0, "GG1": 44.0, "GG2": 56.0, "NL01": 100.0}
BOTH_HIDDEN = {"GM1": None, "GM2": None, "GM3": 25.0, "GM4": 31.0, "GG1": 44.0, "GG2": 56.0, "NL01": 100.0}
EUROS = {**USE, "method": "ratio", "interval": None, "per": 1, "numerator": "cost_eur", "numerator_kind": "magnitude"}
SUPPRESSED = {"care": {"mode": "suppress", "persons": 10, "cases": 10}}
VISITS = {**USE, "method": "crude_rate", "interval": "byar", "numerator": "visit_count", "numerator_kind": "events"}


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    return Monitor(tmp_path)


def audited(monitor: Monitor, own: Sequence[Path] = ()) -> Report:
    return audit_releases(monitor.published, monitor.reference, own)


def open_doors(report: Report) -> set[str]:
    return {door for door, count in report.by_door().items() if count}


def doors_of(monitor: Monitor, rows: Sequence[dict[str, Any]], stated: Rules, **tables: pd.DataFrame) -> set[str]:
    monitor.publish(rows, stated, **tables)
    return open_doors(audited(monitor))


def test_one_release_a_withheld_part_of_exact_sums(monitor: Monitor) -> None:
    monitor.publish(rows_of(EXACT), rules("suppress"))
    report = audited(monitor)
    assert open_doors(report) == {"one_release"}
    (finding,) = report.findings
    assert (finding.region_code, finding.period, finding.indicator) == ("GM2", 2022, "use")
    assert finding.width == pytest.approx(0, abs=1e-3)


def test_one_release_two_withheld_parts_are_wide(monitor: Monitor) -> None:
    assert not doors_of(monitor, rows_of({**BOTH_HIDDEN, "GG1": 24.0, "NL01": 80.0}), rules("suppress"))


def test_one_release_a_withheld_part_of_perturbed_sums(monitor: Monitor) -> None:
    assert not doors_of(monitor, rows_of(PERTURBED), rules())


def test_one_release_sexes_ages_and_segments_add_up(monitor: Monitor) -> None:
    for labels in (
        [{"sex": "F"}, {"sex": "M"}],
        [{"age_group": "00-19"}, {"age_group": "20-44"}, {"age_group": "45-64"}, {"age_group": "65-74"}]
        + [{"age_group": "75-84"}, {"age_group": "85+"}],
        [{"segment_type": "act", "segment": "wmo"}, {"segment_type": "act", "segment": "youth"}],
    ):
        numbers = [15.0] * (len(labels) - 1)
        rows = [row("NL01", sum(numbers) + 4.0)]
        rows += [row("NL01", number, **label) for number, label in zip([*numbers, None], labels, strict=True)]
        stated = rules("suppress", use={**USE, "segments": "act"})
        monitor.published.clear()
        assert doors_of(monitor, rows, stated) == {"one_release"}, labels
        monitor.published.clear()
        assert not doors_of(monitor, rows, rules("cell_key", use={**USE, "segments": "act"})), labels


def test_one_release_overlapping_regions_give_a_municipality(monitor: Monitor) -> None:
    own = monitor.own("own", {"GM1": "P1", "GM3": "P1"})
    numbers = {"GG1": 44.0, "GM1": None, "GM2": None, "GM3": 25.0, "P1": 65.0}
    monitor.publish(rows_of(numbers), rules("suppress"))
    assert {finding.region_code for finding in audited(monitor, [own]).findings} == {"GM1", "GM2"}
    assert audited(monitor).is_safe  # of a partnership that the reader cannot divide, nothing follows


def test_one_release_regions_without_municipalities_overlap_in_pieces(monitor: Monitor) -> None:
    own = monitor.own("own", {"GM1": "P1", "GM2": "P1", "GM3": "P1"})
    numbers = {"GG1": 44.0, "GG2": None, "P1": 40.0, "NL01": 58.0}
    monitor.publish(rows_of(numbers), rules("suppress"))
    assert [finding.region_code for finding in audited(monitor, [own]).findings] == ["GG2"]


def test_one_release_pooled_years_give_a_year(monitor: Monitor) -> None:
    pooled = {**USE, "pool": 2}
    rows = [row("NL01", 31.0, "two_years"), row("NL01", 19.0, period=2021), row("NL01", None)]
    assert doors_of(monitor, rows, rules("suppress", use=USE, two_years=pooled)) == {"related_indicators"}


def test_one_release_a_withheld_row_with_a_number_or_a_verdict(monitor: Monitor) -> None:
    rows = [row("GM1", None, value=4.0), row("GM2", None, difference="higher"), row("NL01", None)]
    assert doors_of(monitor, rows, rules()) == {"one_release"}


def test_one_release_numbers_that_should_be_perturbed_and_add_up(monitor: Monitor) -> None:
    years = range(2010, 2030)
    exact = [line for year in years for line in rows_of({"GM1": 40.0 + year % 7, "GM2": 30.0}, period=year)]
    exact += [row("GG1", 70.0 + year % 7, period=year) for year in years]
    assert doors_of(monitor, exact, rules()) == {"one_release"}
    perturbed = [
        {**line, "numerator": line["numerator"] + (line["period"] % 5 - 2) * (line["region_code"] == "GG1")}
        for line in exact
    ]
    for line in perturbed:
        line["value"] = round(line["numerator"] / 10, 1)
    monitor.published.clear()
    assert not doors_of(monitor, perturbed, rules())


def test_related_a_total_less_its_other_part(monitor: Monitor) -> None:
    shares = {name: {**USE, "numerator": f"{name}_count"} for name in ("visit", "admitted", "sent_home")}
    identity = [{"total": "visit_count", "parts": ["admitted_count", "sent_home_count"]}]
    rows = [row("GM1", 30.0, "visit"), row("GM1", 27.0, "sent_home"), row("GM1", None, "admitted")]
    stated = {**rules("suppress", **shares), "identities": identity}
    monitor.publish(rows, stated)
    report = audited(monitor)
    assert open_doors(report) == {"related_indicators"}
    assert report.findings[0].indicator == "admitted"
    monitor.published.clear()
    assert not doors_of(monitor, rows, {**rules("cell_key", **shares), "identities": identity})


def test_related_zeros_of_the_law(monitor: Monitor) -> None:
    acts = {name: {**USE, "numerator": f"{name}_count"} for name in ("both", "wmo", "youth")}
    facts = {
        "unions": [{"total": "both_count", "parts": ["wmo_count", "youth_count"]}],
        "zeros": [{"column": "youth_count", "ages": {"from": 45, "below": 200}}],
    }
    ages = {"age_group": "65-74"}
    rows = [row("GM1", 14.0, "both", **ages), row("GM1", None, "wmo", **ages), row("GM1", None, "youth", **ages)]
    monitor.publish(rows, rules("suppress", **acts) | facts)
    assert [finding.indicator for finding in audited(monitor).findings] == ["wmo"]  # the zero is no secret
    monitor.published.clear()
    assert not doors_of(monitor, rows, rules("cell_key", **acts) | facts)


def test_related_one_sum_under_two_names(monitor: Monitor) -> None:
    two = {"use": USE, "again": {**USE, "numerator": "user_count"}}
    alias = {"aliases": [{"column": "user_count", "same_as": "client_count"}]}
    rows = [row("GM1", 40.0), row("GM1", 43.0, "again")]  # a key per indicator: two changes of one number
    assert doors_of(monitor, rows, rules("cell_key", **two) | alias) == {"related_indicators"}
    monitor.published.clear()
    assert not doors_of(monitor, [row("GM1", 40.0), row("GM1", 40.0, "again")], rules("cell_key", **two) | alias)


def test_related_a_group_that_one_source_leaves_out(monitor: Monitor) -> None:
    rows = [row("NL01", 188.0), row("NL01", 185.0, "by_group", source="groups")]
    for mode, expected in (("suppress", {"related_indicators"}), ("cell_key", set())):
        stated = rules(mode, use=USE)
        stated["indicators"]["by_group"] = {"groups": {**USE, "method": "concentration_index"}}
        stated["sources"]["groups"] = {"mode": mode, "persons": 10, "cases": 10, "part_of": "care"}
        monitor.published.clear()
        assert doors_of(monitor, rows, stated) == expected, mode


def test_reasons_two_words_for_withheld_rows(monitor: Monitor) -> None:
    hidden = {"GM1": None, "GM2": None, "GM3": None, "NL01": None}
    rows = rows_of(hidden)
    rows[0]["reason"] = "withheld so that another number does not follow"
    assert doors_of(monitor, rows, rules()) == {"reasons"}
    monitor.published.clear()
    assert not doors_of(monitor, rows_of(hidden), rules())


def test_comparators_give_a_withheld_country(monitor: Monitor) -> None:
    def rows(rest_of_one: float | None) -> list[dict[str, Any]]:
        one = row("GM1", 12.0, denominator=100.0, comparator_value=rest_of_one)
        again = row("GM1", 50.0, "size", denominator=100.0)
        again_two = row("GM2", 20.0, "size", denominator=100.0)
        return [
            one,
            row("GM2", None),
            row("NL01", None),
            again,
            again_two,
            row("NL01", 70.0, "size", denominator=200.0),
        ]

    fine = {"value": 9, "limits": 1}
    counted = {**USE, "denominator": "member_count", "denominator_kind": "persons", "digits": fine}
    routes = {"use": counted, "size": {**counted, "numerator": "other_count"}}
    assert doors_of(monitor, rows(7.0), rules("suppress", **routes)) == {"comparators"}
    monitor.published.clear()
    assert not doors_of(monitor, rows(None), rules("suppress", **routes))
    monitor.published.clear()
    assert not doors_of(monitor, rows(7.0), rules("cell_key", **routes))


def test_comparators_from_exact_sums(monitor: Monitor) -> None:
    stated = rules(use={**USE, "digits": {"value": 4}})

    def rows(rest: float) -> list[dict[str, Any]]:
        here = row("GM1", 20.0, value=2.0, comparator_value=round(100 * rest / 9000, 4))
        return [here, row("NL01", 100.0, denominator=10_000.0, value=1.0)]

    assert doors_of(monitor, rows(83.0), stated) == {"comparators"}
    monitor.published.clear()
    assert not doors_of(monitor, rows(80.0), stated)


def wilson(cases: float, persons: float, z: float) -> dict[str, float]:
    share = cases / persons
    centre = (share + z**2 / (2 * persons)) / (1 + z**2 / persons)
    half = z * np.sqrt(share * (1 - share) / persons + z**2 / (4 * persons**2)) / (1 + z**2 / persons)
    return {"lower": round(100 * (centre - half), 3), "upper": round(100 * (centre + half), 3)}


def byar(events: float, years: float, z: float) -> dict[str, float]:
    lower = events * (1 - 1 / (9 * events) - z / (3 * np.sqrt(events))) ** 3
    upper = (events + 1) * (1 - 1 / (9 * (events + 1)) + z / (3 * np.sqrt(events + 1))) ** 3
    return {"lower": round(100 * lower / years, 3), "upper": round(100 * upper / years, 3)}


@pytest.mark.parametrize(("route", "limits"), [(USE, wilson), (VISITS, byar)])
@pytest.mark.parametrize("z", [1.96, 2.4])
def test_limits_from_exact_sums(monitor: Monitor, route: dict[str, Any], limits: Any, z: float) -> None:
    stated = rules(use={**route, "digits": {"limits": 3}})
    assert doors_of(monitor, [row("GM1", 20.0, **limits(16, 1000, z))], stated) == {"limits"}
    monitor.published.clear()
    assert not doors_of(monitor, [row("GM1", 20.0, **limits(20, 1000, z))], stated)


def widened(limits: dict[str, float], value: float, variance: float, z: float = 1.959964) -> dict[str, float]:
    below, above = (np.sqrt((value - limit) ** 2 + z**2 * variance) for limit in limits.values())
    return {"lower": round(value - below, 3), "upper": round(value + above, 3)}


@pytest.mark.parametrize(("route", "limits"), [(USE, wilson), (VISITS, byar)])
@pytest.mark.parametrize("variance", [0.03, 0.3])
def test_limits_with_the_noise_of_printed_sums(
    monitor: Monitor, route: dict[str, Any], limits: Any, variance: float
) -> None:
    stated = rules(use={**route, "digits": {"limits": 3}})
    z = 1.959964
    assert not doors_of(monitor, [row("GM1", 40.0, **widened(limits(40, 1000, z), 4.0, variance))], stated)
    monitor.published.clear()
    exact = widened(limits(36, 1000, z), 3.6, variance)
    assert doors_of(monitor, [row("GM1", 40.0, **exact)], stated) == {"limits"}
    monitor.published.clear()
    assert doors_of(monitor, [row("GM1", 40.0, **exact)], {**stated, "sources": SUPPRESSED}) == {"limits"}


def test_fractions_of_events(monitor: Monitor) -> None:
    stated = rules(use={**VISITS, "digits": {"value": None}})
    assert doors_of(monitor, [row("GM1", 23.0, value=2.337)], stated) == {"fractions"}  # 23.37 visits were perturbed
    monitor.published.clear()
    assert not doors_of(monitor, [row("GM1", 23.0, value=2.3)], stated)


def test_fractions_a_value_of_another_numerator(monitor: Monitor) -> None:
    assert doors_of(monitor, [row("GM1", 23.0, value=2.6)], rules()) == {"fractions"}


def test_fractions_more_digits_than_stated(monitor: Monitor) -> None:
    assert doors_of(monitor, [row("GM1", 23.0, value=2.3, upper=3.14159)], rules()) == {"fractions"}
    monitor.published.clear()
    assert doors_of(monitor, [row("GM1", 23.4, "visits", value=2.3)], rules(visits=VISITS)) == {"fractions"}
    monitor.published.clear()
    assert not doors_of(monitor, [row("GM1", 23.0, value=2.3, upper=3.1)], rules())


def reconciliation(**rows: tuple[str, float | None, float | None]) -> pd.DataFrame:
    labels = {"extract": "care", "period": 2022}
    return pd.DataFrame(
        [
            {**labels, "supplier": "all" if stage in ("in_cube", "excluded") else "", "stage": stage, "reason": reason}
            | {"row_count": count, "amount_eur": euros}
            for reason, (stage, count, euros) in rows.items()
        ]
    )


def test_tables_euros_by_difference(monitor: Monitor) -> None:
    exact = reconciliation(
        all=("delivered", 500.0, 81_000.0), late=("set_aside", None, None), kept=("staged", 491.0, 75_000.0)
    )
    stated = rules() | {"reconciliation": {"rows": 0, "euros": 0}}
    monitor.publish([row("NL01", 50.0, value=5.0)], stated, reconciliation=exact)
    report = audited(monitor)
    assert [(finding.door, finding.what) for finding in report.findings] == [
        ("tables", "a small number of rows"),
        ("tables", "euros of few rows"),
    ]
    rounded = reconciliation(
        all=("delivered", 500.0, 80_000.0), late=("set_aside", 10.0, None), kept=("staged", 490.0, 80_000.0)
    )
    monitor.published.clear()
    stated = rules() | {"reconciliation": {"rows": 10, "euros": 20_000}}
    assert not doors_of(monitor, [row("NL01", 50.0)], stated, reconciliation=rounded)


def test_tables_small_counts_are_empty_and_large_ones_have_three_digits(monitor: Monitor) -> None:
    stated = {"rows": 10, "euros": 1000, "row_digits": 3, "euro_digits": 2}
    table = reconciliation(
        all=("delivered", 16_700.0, 0.0), kept=("staged", 16_600.0, 0.0), late=("set_aside", None, 0.0)
    )
    two = reconciliation(all=("delivered", 40.0, 0.0), kept=("staged", 20.0, 0.0), late=("set_aside", 10.0, 0.0))
    for rounding, printed, expected in (
        ({**stated, "least": 10}, table, set()),
        ({**stated, "least": 10}, two, set()),  # a printed 10 is 10 to 14
        ({"rows": 1, "euros": 1000}, table, {"tables"}),  # rounded to one row, the difference is known
    ):
        monitor.published.clear()
        rules_of_tables = rules() | {"reconciliation": rounding}
        doors = doors_of(monitor, [row("NL01", 50.0, value=5.0)], rules_of_tables, reconciliation=printed)
        assert doors == expected, rounding


def test_tables_numbers_that_are_not_rounded_as_stated(monitor: Monitor) -> None:
    table = reconciliation(all=("delivered", 503.0, 80_000.0), kept=("staged", 500.0, 80_000.0))
    assert doors_of(monitor, [row("NL01", 50.0)], rules(), reconciliation=table) == {"tables"}


def test_tables_small_numbers_of_unexpected_persons(monitor: Monitor) -> None:
    def checks(subject: str, count: int) -> pd.DataFrame:
        return pd.DataFrame([{"check_id": "one", "subject": subject, "unexpected_count": count}])

    stated = rules() | {"reconciliation": {"rows": 0, "euros": 0}}
    for subject, count, expected in (("stg/claims", 3, {"tables"}), ("mart/x", 3, set()), ("stg/claims", 30, set())):
        monitor.published.clear()
        assert doors_of(monitor, [row("NL01", 50.0)], stated, checks=checks(subject, count)) == expected


def test_tables_headlines_and_growth_of_withheld_rows(monitor: Monitor) -> None:
    def headline(value: float | None, status: str) -> pd.DataFrame:
        labels = {"region_type": "nl", "region_code": "NL01", "period": 2022, "cost_indicator_id": "use"}
        labels |= {"cost_source": "care", "cost_age_group": "all", "cost_status": status}
        return pd.DataFrame([{**labels, "cost_value": value}])

    def growth(value: float | None) -> pd.DataFrame:
        labels = {"region_type": "nl", "region_code": "NL01", "period": 2022, "compound_status": "published"}
        labels |= {"yearly_status": "suppressed", "compound_growth_percent": 1.0}
        return pd.DataFrame([{**labels, "yearly_growth_percent": value}])

    for headlines, grown, expected in (
        (headline(5.0, "suppressed"), growth(None), {"tables"}),
        (headline(4.8, "published"), growth(None), {"tables"}),
        (headline(5.0, "published"), growth(2.0), {"tables"}),
        (headline(5.0, "published"), growth(None), set()),
    ):
        monitor.published.clear()
        doors = doors_of(monitor, [row("NL01", 50.0)], rules(), triple_aim=headlines, cost_growth=grown)
        assert doors == expected


def test_magnitudes_exact_amounts(monitor: Monitor) -> None:
    numbers = {"GM1": 40_000.0, "GM2": 30_000.0, "GG1": 70_000.0}
    rows = [{**line, "value": line["numerator"] / 1000} for line in rows_of(numbers)]
    assert doors_of(monitor, rows, rules("suppress", use=EUROS)) == {"magnitudes"}
    monitor.published.clear()
    assert not doors_of(monitor, rows, rules("cell_key", use=EUROS))


def test_magnitudes_a_withheld_amount(monitor: Monitor) -> None:
    rows = [row("GM1", 40_000.0, value=40.0), row("GM2", None), row("GG1", 5_039_123.0, value=5039.1)]
    monitor.publish(rows, rules("suppress", use=EUROS))
    assert any(finding.what == "an amount" for finding in audited(monitor).findings)
    monitor.published.clear()
    assert not doors_of(monitor, rows, rules("cell_key", use=EUROS))


ADDS_UP = {"share": 0.1, "bound": 1.732, "adds_up": True}


def sums_that_add_up(scale: float, route: dict[str, Any]) -> tuple[list[dict[str, Any]], Rules]:
    rows = []
    for period in range(2010, 2030):
        one, two = scale * (40 + period % 7), scale * 30
        rows += rows_of({"GM1": one, "GM2": two, "GG1": one + two}, period=period)
    for line in rows:
        line["value"] = line["numerator"] / (1000 / route["per"])
    return rows, {**rules(use={**route, "digits": {"value": 9}}), "magnitude_noise": ADDS_UP}


@pytest.mark.parametrize(
    ("scale", "route", "expected"),
    [(100.0, EUROS, set()), (100.0, VISITS, set()), (1.0, VISITS, {"one_release"}), (100.0, USE, {"one_release"})],
    ids=["euros", "many events", "few events", "persons"],
)
def test_one_release_only_noise_of_amounts_adds_up(
    monitor: Monitor, scale: float, route: dict[str, Any], expected: set[str]
) -> None:
    assert doors_of(monitor, *sums_that_add_up(scale, {**route, "interval": None})) == expected


def test_magnitudes_noise_that_is_too_small(monitor: Monitor) -> None:
    rows, stated = sums_that_add_up(1000.0, EUROS)
    stated["magnitude_noise"] = {**ADDS_UP, "share": 0.06}
    assert doors_of(monitor, rows, stated) == {"magnitudes"}


def test_an_identity_holds_under_the_name_of_an_alias(monitor: Monitor) -> None:
    acts = {name: {**USE, "numerator": f"{name}_count"} for name in ("both", "wmo", "youth")}
    facts = {
        "identities": [{"source": "care", "total": "both_count", "parts": ["clients[act=wmo]", "youth_count"]}],
        "aliases": [{"source": "care", "column": "clients[act=wmo]", "same_as": "wmo_count"}],
    }
    rows = [row("GM1", 30.0, "both"), row("GM1", 27.0, "wmo"), row("GM1", None, "youth")]
    assert doors_of(monitor, rows, rules("suppress", **acts) | facts) == {"related_indicators"}


def narrow_by_chance(cells: int) -> list[dict[str, Any]]:
    """Women and men in total, and women: the changes are +6 and -4, and nobody is a man."""
    years = range(2001, 2001 + cells)
    rows = [line for year in years for line in (row("GM1", 40.0, period=year), row("GM1", 50.0, period=year, sex="F"))]
    return rows + [row("GM1", None, period=year, sex="M") for year in years]


def test_one_interval_may_be_narrow_by_chance_but_not_many(monitor: Monitor) -> None:
    monitor.publish(narrow_by_chance(1), rules())
    report = audited(monitor)
    (finding,) = report.findings
    assert (finding.may_be_chance, finding.width) == (True, pytest.approx(2.0, abs=0.01))
    assert not report.is_safe  # of one withheld count none is expected to be narrow
    monitor.published.clear()
    others = [row("GM3", None, period=year) for year in range(1000, 1200)]
    monitor.publish(narrow_by_chance(1) + others, rules())
    assert audited(monitor).is_safe
    monitor.published.clear()
    monitor.publish(narrow_by_chance(10) + others, rules())
    assert not audited(monitor).is_safe


def test_a_count_that_is_known_is_no_chance(monitor: Monitor) -> None:
    rows = [row("GM1", 40.0), row("GM1", 52.0, sex="F"), row("GM1", None, sex="M")]
    monitor.publish(rows + [row("GM3", None, period=year) for year in range(1000, 1200)], rules())
    report = audited(monitor)
    assert [(finding.may_be_chance, finding.width < 0.01) for finding in report.findings] == [(False, True)]
    assert not report.is_safe


def test_two_releases_of_a_redrawn_partnership(monitor: Monitor) -> None:
    before, after = monitor.own("before", {"GM1": "P1", "GM2": "P1"}), monitor.own("after", {"GM1": "P1"})
    for mode, expected in (("suppress", {"two_releases"}), ("cell_key", set())):
        monitor.published.clear()
        monitor.publish(rows_of({"GM1": None, "GM2": None, "P1": 40.0}), rules(mode))
        monitor.publish(rows_of({"GM1": None, "GM2": None, "P1": 33.0}), rules(mode))
        report = audited(monitor, [before, after])
        assert open_doors(report) == expected, mode
        if expected:
            assert {finding.region_code for finding in report.findings} == {"GM1", "GM2", "P1"}


def test_two_releases_one_person_withdrawn(monitor: Monitor) -> None:
    for mode, expected in (("suppress", {"two_releases"}), ("cell_key", set())):
        monitor.published.clear()
        for version, number in (("a", 40.0), ("b", 39.0)):
            monitor.publish(rows_of({"GM1": number}), rules(mode), {"care/2022/": version})
        report = audited(monitor)
        assert open_doors(report) == expected, mode


def test_two_releases_with_a_key_each(monitor: Monitor) -> None:
    for number in (40.0, 43.0):  # the deliveries are the same, so the true number is
        monitor.publish(rows_of({"GM1": number}), rules())
    assert open_doors(audited(monitor)) == {"related_indicators"}
    monitor.published.clear()
    for _ in range(2):
        monitor.publish(rows_of({"GM1": 40.0}), rules())
    assert audited(monitor).is_safe


def test_surveys_and_open_data_are_not_attacked(monitor: Monitor) -> None:
    for mode in ("thresholds_only", "as_delivered"):
        monitor.published.clear()
        route = USE if mode == "thresholds_only" else {**USE, "numerator_kind": "public"}
        assert not doors_of(monitor, rows_of(EXACT), rules(mode, use=route))


def test_a_release_without_its_rules_is_refused(monitor: Monitor) -> None:
    release = monitor.publish(rows_of(EXACT), rules())
    (release / "protection.json").write_text('{"sources": {"care": {"mode": "noise"}}, "indicators": {}}')
    with pytest.raises(ProjectError, match="cannot be read"):
        audited(monitor)
    (release / "protection.json").unlink()
    with pytest.raises(ProjectError, match="does not state its rules"):
        audited(monitor)


def test_an_indicator_without_rules_is_refused(monitor: Monitor) -> None:
    monitor.publish(rows_of(EXACT, indicator="other"), rules())
    with pytest.raises(ProjectError, match="do not name 1 printed indicators"):
        audited(monitor)
