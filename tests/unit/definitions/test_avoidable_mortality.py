"""Is every cause in the list of avoidable mortality unambiguous? The source decides which causes are in it."""

from __future__ import annotations

from pathlib import Path

from triple_aim.warehouse.reference_tables import read_table

LIST = read_table(Path(__file__).parents[3] / "reference" / "codes" / "avoidable_mortality.csv")


def test_ranges_of_one_length_do_not_overlap() -> None:
    plain = LIST.assign(first=LIST["icd10_from"].str.replace(".", ""), last=LIST["icd10_to"].str.replace(".", ""))
    assert (plain["first"].str.len() == plain["last"].str.len()).all()
    assert (plain["first"] <= plain["last"]).all()
    for _, rows in plain.groupby(plain["first"].str.len()):
        ordered = rows.sort_values("first")
        assert (ordered["first"].to_numpy()[1:] > ordered["last"].to_numpy()[:-1]).all()


def test_a_cause_is_preventable_treatable_or_half_of_each() -> None:
    shares = LIST[["preventable_share", "treatable_share"]].astype(float)
    assert (shares.sum(axis=1) == 1).all()
    assert set(shares["preventable_share"]) == {0, 0.5, 1}
