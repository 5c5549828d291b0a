"""No withheld number follows from the shown ones, whichever way they are combined: looked up by ranks of matrices."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.cells import ROOT, specs
from tests.unit.countries import TOTAL, Parts, country, rows
from triple_aim.contracts import load_publication
from triple_aim.disclosure.protect import protect

PROMISE = load_publication(ROOT / "contracts")
SPEC = specs()["polypharmacy_65_plus"]
LEAST = PROMISE.threshold("claims")
BASE = 1000.0
SEXES = ("F", "M")


@st.composite
def countries(draw: st.DrawFn) -> tuple[list[str], dict[str, Parts]]:
    """Municipalities in two divisions of the country and a few regions of our own that overlap all of it."""
    codes = list("ABCDEFG")[: draw(st.integers(3, 7))]
    kinds: dict[str, Parts] = {}
    for kind in ("ggd_region", "province"):
        where = draw(st.lists(st.integers(0, 2), min_size=len(codes), max_size=len(codes)))
        kinds[kind] = {f"{kind}{n}": [c for c, at in zip(codes, where, strict=True) if at == n] for n in set(where)}
    own = draw(st.lists(st.sets(st.sampled_from(codes), min_size=1), max_size=3))
    return codes, {**kinds, "own": {f"own{number}": sorted(members) for number, members in enumerate(own)}}


@settings(derandomize=True, max_examples=80, deadline=None)
@given(countries(), st.data())
def test_no_withheld_number_follows_from_the_shown_ones(
    place: tuple[list[str], dict[str, Parts]], data: st.DataObject
) -> None:
    codes, kinds = place
    cases = st.lists(st.one_of(st.integers(0, 12), st.integers(0, 400)), min_size=len(codes), max_size=len(codes))
    women, men = data.draw(cases), data.draw(cases)
    counts = {
        TOTAL: [float(one + other) for one, other in zip(women, men, strict=True)],
        ("F", *TOTAL[1:]): [float(one) for one in women],
        ("M", *TOTAL[1:]): [float(one) for one in men],
    }
    regions = country(codes, **{kind: parts for kind, parts in kinds.items() if parts})
    safe = protect(rows(counts, regions, BASE), SPEC, PROMISE, 2024, regions)
    members = {
        (kind, region): frozenset(found["municipality_code"])
        for kind, table in regions.tables.items()
        for region, found in table.groupby("region_code")
    }
    # Every number is a sum of women and men of municipalities: one row of zeros and ones over those.
    sums = np.array(
        [
            [
                code in members[row.region_type, row.region_code] and row.sex in ("all", sex)
                for sex in SEXES
                for code in codes
            ]
            for row in safe.itertuples()
        ],
        dtype=float,
    )
    shown = safe["status"].eq("published").to_numpy()
    rank = np.linalg.matrix_rank(sums[shown]) if shown.any() else 0
    for hidden in sums[~shown]:
        assert np.linalg.matrix_rank(np.vstack([sums[shown], hidden])) == rank + 1
    _no_small_sum(safe, members, pd.DataFrame(counts, index=codes))


def _no_small_sum(safe: pd.DataFrame, members: dict[tuple[str, str], frozenset[str]], counts: pd.DataFrame) -> None:
    """A shown region minus its shown municipalities is nothing, or enough; so is the country minus a shown region."""
    country = members["nl", "NL01"]
    shown = set(safe.loc[safe["status"] == "published", ["region_code", "sex"]].itertuples(index=False, name=None))
    for (_, region), inside in members.items():
        for label in counts:
            if (region, label[0]) in shown and (left := [code for code in inside if (code, label[0]) not in shown]):
                assert counts.loc[left, [label]].to_numpy().sum() >= LEAST.cases
            if {(region, label[0]), ("NL01", label[0])} <= shown and (rest := sorted(country - inside)):
                assert counts.loc[rest, [label]].to_numpy().sum() >= LEAST.cases
