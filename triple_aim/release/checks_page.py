"""The checks page of a release: the verdict, failed checks, and the ledger of rows and euros.

Not here: running the checks (``triple_aim.checks``) or counting rows (``marts``). The page is one file that
loads nothing from the network.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

LEDGER = ["extract", "period"]
#: Title of each floor and the checker of its tables, by the first part of the table name.
FLOORS = {
    "stg": ("deliveries", "counted"),
    "cube": ("cubes", "Great Expectations; municipalities counted"),
    "ind": ("indicators before the disclosure gate", "Great Expectations"),
    "safe": ("tables behind the disclosure gate", "Great Expectations; regions counted"),
    "mart": ("marts and the ledger", "Great Expectations; the ledger counted"),
}
STAGES = ["delivered", "set_aside", "staged", "in_cube", "excluded"]


def checks_page(checks: pd.DataFrame, reconciliation: pd.DataFrame, facts: Mapping[str, object]) -> bytes:
    """The marts ``checks`` and ``reconciliation`` as a self-contained HTML page."""
    environment = Environment(
        loader=PackageLoader("triple_aim.release"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda value: "-" if pd.isna(value) else f"{value:,.0f}"
    environment.filters["euros"] = lambda value: "-" if pd.isna(value) else f"{value:,.0f}"
    failed = checks[~checks["is_passed"].astype(bool)].sort_values(["severity", "subject", "check_id"])
    passed = checks[checks["is_passed"].astype(bool)].sort_values(["subject", "check_id"])
    lines = ledger(reconciliation, checks)
    level, verdict = _verdict(checks, failed, lines)
    page = environment.get_template("checks.html").render(
        level=level,
        verdict=verdict,
        failed=failed.to_dict("records"),
        floors=_floors(checks, passed),
        ledger=lines.to_dict("records"),
        reasons=_reasons(reconciliation).to_dict("records"),
        facts=_fact_lines(facts),
    )
    return page.encode()


def _floors(checks: pd.DataFrame, passed: pd.DataFrame) -> list[dict[str, object]]:
    """Each floor with its number of tables, checks and failures, and its passed checks."""
    floor_of, passed_of = (frame["subject"].astype(str).str.split("/").str[0] for frame in (checks, passed))
    floors = []
    for floor in dict.fromkeys([*FLOORS, *floor_of]):
        of_floor = checks[floor_of == floor]
        if of_floor.empty:
            continue
        title, checked_by = FLOORS.get(floor, (floor, ""))
        failed = of_floor.loc[~of_floor["is_passed"].astype(bool), "severity"].value_counts()
        floors.append(
            {
                "title": title,
                "checked_by": checked_by,
                "tables": of_floor["subject"].nunique(),
                "checks": len(of_floor),
                "critical": int(failed.get("critical", 0)),
                "warning": int(failed.get("warning", 0)),
                "passed": passed[passed_of == floor].to_dict("records"),
            }
        )
    return floors


def ledger(reconciliation: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """One line per extract and period, summed over suppliers, with whether rows and euros add up.

    The published rows and euros are rounded; the checks of the ledger added up the exact ones.
    """
    amounts = reconciliation.astype({"amount_eur": float, "row_count": float})
    by_stage = amounts.groupby([*LEDGER, "stage"])
    rows, euros = (
        by_stage[measure].sum(min_count=1).unstack("stage").reindex(columns=pd.Index(STAGES))
        for measure in ("row_count", "amount_eur")
    )
    checked = _ledger_checked(checks).reindex(rows.index.get_level_values("extract"), fill_value=False)
    adds_up = checked.set_axis(rows.index)
    return rows.add_suffix("_rows").join(euros.add_suffix("_eur")).assign(adds_up=adds_up).reset_index()


def _ledger_checked(checks: pd.DataFrame) -> pd.Series[bool]:
    """Whether every check of the ledger passed, by extract."""
    extract = checks["check_id"].astype(str).str.extract(r"^ledger/(.+):(?:rows|euros)_", expand=False)
    return checks["is_passed"].astype(bool).groupby(extract).all()


def _verdict(checks: pd.DataFrame, failed: pd.DataFrame, lines: pd.DataFrame) -> tuple[str, str]:
    """The level of the verdict (good, fair, bad) and its reason in one sentence."""
    critical = int((failed["severity"] == "critical").sum())
    unbalanced = int((~lines["adds_up"]).sum())
    if checks.empty:
        return "bad", "No check has run, so there is no verdict."
    if critical:
        return "bad", f"{critical} critical of {len(checks)} checks failed: this must not be published."
    if unbalanced:
        return "bad", f"All critical checks passed, but {unbalanced} lines of the ledger do not add up."
    if len(failed):
        return "fair", f"All critical checks passed; {len(failed)} of {len(checks)} checks warn."
    return "good", f"All {len(checks)} checks passed, and every row and euro is accounted for."


def _reasons(reconciliation: pd.DataFrame) -> pd.DataFrame:
    """Reasons why rows were set aside or excluded, the most frequent first."""
    left_out = reconciliation["stage"].isin(["set_aside", "excluded"]) & (reconciliation["reason"] != "all")
    reasons = reconciliation[left_out & (reconciliation["row_count"] > 0)]
    return reasons.sort_values(["extract", "period", "row_count"], ascending=[True, True, False])


def _fact_lines(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Facts as terms and texts; a mapping becomes one term per entry."""
    lines = []
    for name, fact in facts.items():
        if isinstance(fact, Mapping):
            lines += [(f"{name}: {key}", str(value)) for key, value in fact.items()]
        else:
            lines.append((name, str(fact)))
    return lines
