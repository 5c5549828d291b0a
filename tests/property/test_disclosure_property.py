"""Properties of the gate for any input: withheld rows show no number, and no small number is shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.cells import ROOT, specs
from triple_aim.definitions.contracts import load_publication
from triple_aim.disclosure.protect import COMPARATOR, ESTIMATE, audit, protect

PUBLICATION = load_publication(ROOT / "contracts")
SPEC = specs()["polypharmacy_65_plus"]
THRESHOLD = PUBLICATION.threshold("claims")
numbers = st.one_of(st.just(float("nan")), st.floats(0, 60), st.floats(0, 1e7))
row = st.fixed_dictionaries(
    {
        **dict.fromkeys(("value", "lower", "upper", *COMPARATOR), numbers),
        **dict.fromkeys(("numerator", "denominator", "persons", "cases", "rest_persons", "rest_cases"), numbers),
        "status": st.sampled_from(["published", "not_computed", "not_delivered"]),
        "difference": st.sampled_from(["higher", "lower", "no_demonstrable_difference", "not_compared"]),
    }
)
KEY = {
    "source": "claims", "region_type": "nl", "region_code": "NL01", "region_name": "Nederland", "period": 2022,
    "sex": "all", "age_group": "all", "segment_type": "none", "segment": "all", "reason": "", "coverage_share": 1.0,
    "judgement": "worse",
}  # fmt: skip


@given(st.lists(row, min_size=1, max_size=20))
def test_withheld_rows_show_no_number(given_rows: list[dict[str, object]]) -> None:
    rows = pd.DataFrame([{**KEY, **one} for one in given_rows])
    rows["region_code"] = [f"NL{number:02d}" for number in range(len(rows))]
    safe = protect(rows, SPEC, PUBLICATION, 2024, changed=rows)
    audit(safe)
    withheld = safe["status"] != "published"
    assert safe.loc[withheld, COMPARATOR + ESTIMATE[:3]].isna().all(axis=None)
    assert safe.loc[withheld, ["difference", "judgement"]].eq("not_compared").all(axis=None)
    assert safe.loc[safe["status"] == "suppressed", ESTIMATE].isna().all(axis=None)
    shown = rows[~withheld.to_numpy()]
    assert not (shown["persons"] < THRESHOLD.persons).any()
    assert not (shown["cases"] < THRESHOLD.cases).any()
    assert not (shown["denominator"] - shown["numerator"] < THRESHOLD.cases).any()
    small_rest = (rows["rest_persons"] < THRESHOLD.persons) | (rows["rest_cases"] < THRESHOLD.cases)
    assert safe.loc[small_rest.to_numpy(), COMPARATOR].isna().all(axis=None)
    assert not (rows["status"].ne("published").to_numpy() & safe["status"].eq("published").to_numpy()).any()
    published = ~withheld.to_numpy()
    printed = rows.loc[published, "value"].round(SPEC.decimals + 1)
    assert np.array_equal(safe.loc[published, "value"], printed, equal_nan=True)
