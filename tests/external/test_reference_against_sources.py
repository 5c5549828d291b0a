"""Do our transcribed reference tables agree with the sources they were transcribed from?"""

import os
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from triple_aim.definitions.regions import Regions

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TRIPLE_AIM_SHARED_DATA", ROOT / "../shared/data"))
REFERENCE = ROOT / "reference"
pytestmark = [
    pytest.mark.external,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data here; set TRIPLE_AIM_SHARED_DATA"),
]

SOURCES = {  # region type: code column in the list of 2024, stem of the column in StatLine 70072ned
    "ggd_region": ("ggd_code", "ggdregio"),
    "zorgkantoor_region": ("zorgkantoor_code", "zorgkantoorregio"),
    "corop_region": ("corop_code", "corop"),
    "province": ("provincie_code", "provincie"),
}


def read(path, **options):
    return pd.read_csv(DATA / path, dtype=str, **options)


def vektis(year):
    file = DATA / "vektis_open" / f"vektis_{year}_gemeente.csv"
    table = duckdb.read_csv(str(file), delimiter=";", header=True, all_varchar=True).df()
    return table.rename(columns=str.lower)


@pytest.fixture(scope="module")
def boundary_changes():
    table = read("regions/grenswijziging_gemeente_woonadressen_long.csv")
    codes = {c: "GM" + table[c] for c in ("code_from", "code_to")}
    return table.assign(**codes).astype({"year_from": int, "year_to": int, "share": float})


@pytest.fixture(scope="module")
def regions(boundary_changes):
    return Regions.load(REFERENCE / "regions", 2024, boundary_changes)


@pytest.mark.parametrize("region_type", SOURCES)
def test_classification_agrees_with_the_list_of_2024_and_with_statline(regions, region_type):
    column, stem = SOURCES[region_type]
    ours = regions.tables[region_type].set_index("municipality_code")["region_code"]
    listed = read("regions/gemeente_2024_regios_geconsolideerd.csv").set_index("gemeentecode_2024")[column]
    differing = set(ours.compare(listed.reindex(ours.index)).index)
    assert differing == ({"GM1979"} if region_type == "corop_region" else set())  # the list has no code for Eemsdelta
    statline = read("regions/cbs_70072ned_gemeente_regioindeling_2017_2019.csv")
    names = dict(zip(statline[f"{stem}_code"], statline[f"{stem}_naam"], strict=True))
    assert regions.names(region_type) == {code: names[code] for code in sorted(set(ours))}
    last = statline[statline["jaar"] == "2019"].set_index("gemeentecode")[f"{stem}_code"]
    both = ours.index.intersection(last.index)
    assert len(both) == 300 and (ours[both] == last[both]).all()


def test_municipalities_agree_with_the_lists_of_both_years():
    ours = pd.read_csv(REFERENCE / "regions" / "municipalities.csv", dtype=str)
    ours = ours.set_index("municipality_code").groupby("division_year")["municipality_name"]
    named = {year: names.to_dict() for year, names in ours}
    assert named["2024"] == dict(read("regions/gemeenten_2024_342.csv").to_numpy())
    older = read("statline/Gebieden_in_Nederland_2019.csv", sep=";", encoding="cp1252").dropna(subset="Code")
    older = older[older["Code"].str.startswith("GM")]
    assert named["2019"] == dict(zip(older["Code"], older["Naam"].str.replace(" (gemeente)", ""), strict=True))


def test_recodings_are_the_changes_between_consecutive_years(boundary_changes):
    yearly = boundary_changes[boundary_changes["year_to"] - boundary_changes["year_from"] == 1]
    moved = yearly[(yearly["code_from"] != yearly["code_to"]) & (yearly["share"] > 0.001)].copy()
    continuing = set(zip(yearly["year_to"], yearly["code_from"], yearly["code_to"], strict=True))
    continues = [(y, c, c) in continuing for y, c in zip(moved["year_to"], moved["code_from"], strict=True)]
    parts = moved.groupby(["year_to", "code_from"])["code_to"].transform("size")
    moved["kind"] = np.select([continues, parts == 1], ["partial", "merger"], "split")
    ours = pd.read_csv(REFERENCE / "regions" / "recodings.csv")
    columns = ["code_from", "code_to", "kind"]
    expected = set(moved[["year_to", *columns]].itertuples(index=False, name=None))
    assert set(ours[["from_year", *columns]].itertuples(index=False, name=None)) == expected


def test_every_code_since_2016_leads_to_2024_with_the_published_shares(regions, boundary_changes):
    partial = pd.read_csv(REFERENCE / "regions" / "recodings.csv").query("kind == 'partial'")["code_from"]
    direct = boundary_changes[boundary_changes["year_to"] == 2024]
    direct = direct[~direct["code_from"].isin(partial) & (direct["share"] > 0.001)]
    codes = sorted(set(direct["code_from"]))
    membership = regions.membership(codes)
    assert membership.unknown == () and membership.unresolved == ()
    ours = pd.DataFrame(membership.shares["municipality"], list(regions.names("municipality")), codes)
    for row in direct.itertuples():  # splits: shares of the year itself against those of other years
        assert ours.loc[row.code_to, row.code_from] == pytest.approx(row.share, abs=0.01), row


def test_every_vektis_name_has_a_code_that_leads_to_2024(regions):
    names = pd.read_csv(REFERENCE / "regions" / "vektis_names.csv", dtype=str)
    assert names["vektis_name"].is_unique and names["municipality_code"].is_unique and len(names) == 360
    delivered = set().union(*(vektis(year)["gemeentenaam"].dropna() for year in range(2011, 2024))) - {""}
    assert delivered == set(names["vektis_name"])
    assert regions.membership(list(names["municipality_code"])).unknown == ()


def test_the_dutch_standard_is_the_population_of_2021():
    table = read("population/certegis_inwoners_per_postcode_leeftijd_2021.csv")
    country = table[table["postcode"].str.len() == 2]  # three levels of postal code are mixed in one column
    ages = country.assign(inwoners=pd.to_numeric(country["inwoners"])).groupby("leeftijd")["inwoners"].sum()
    ages.index = ages.index.str.extract(r"^(\d+)", expand=False).astype(int)
    ours = pd.read_csv(REFERENCE / "standards" / "nl_2021.csv")["weight"]
    theirs = [ages[start] for start in range(0, 90, 5)] + [ages[ages.index >= 90].sum()]
    np.testing.assert_array_equal(ours, theirs)
