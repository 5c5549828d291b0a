"""Do regions apportion counts correctly, and are the shipped reference tables complete?"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from triple_aim.definitions.regions import STANDARD_TYPES, Regions
from triple_aim.definitions.yaml_reader import read_yaml
from triple_aim.errors import ContentError

REFERENCE = Path(__file__).parents[3] / "reference"
HAAREN = {"0757": 0.2, "0824": 0.4, "0855": 0.1, "0865": 0.3}  # invented shares of a real split
SHARES = pd.DataFrame(
    [("2020", "2021", "0788", to, share) for to, share in HAAREN.items()],
    columns=["year_from", "year_to", "code_from", "code_to", "share"],
)


@pytest.fixture(scope="module")
def regions():
    return Regions.load(REFERENCE / "regions", 2024)


@pytest.fixture
def small(tmp_path):
    """Two current municipalities, of which M1 is the result of two mergers in a row, and two regions."""
    head = "division_year,municipality_code"
    recodings = "from_year,code_from,code_to,kind\n2018,A,B,merger\n2020,B,M1,merger\n2021,M2,M1,partial\n"
    tables = {
        "municipalities": f"{head},municipality_name\n2024,M1,One\n2024,M2,Two\n",
        "recodings": recodings,
        **dict.fromkeys(STANDARD_TYPES, f"{head},region_code,region_name\n2024,M1,R1,R\n2024,M2,R2,S\n"),
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text)
        (tmp_path / f"{name}.yaml").write_text("covers: country\n")
    return tmp_path


def share_of(membership, regions, region_type, column=0):
    row = membership.shares[region_type][:, column]
    return {code: value for code, value in zip(regions.names(region_type), row, strict=True) if value}


def test_shipped_classifications_are_partitions(regions):
    assert regions.types == ["municipality", *STANDARD_TYPES, "nl"]
    assert [len(regions.names(t)) for t in regions.types] == [342, 25, 31, 40, 12, 1]
    assert regions.problems() == []


@pytest.mark.parametrize("finer", ["ggd_region", "corop_region"])
def test_every_ggd_and_corop_region_is_in_one_province(regions, finer):
    both = regions.tables[finer].merge(regions.tables["province"], on="municipality_code")
    assert (both.groupby("region_code_x")["region_code_y"].nunique() == 1).all()


def test_recodings_give_the_known_number_of_municipalities_in_each_year(regions):
    ended = pd.read_csv(REFERENCE / "regions" / "recodings.csv", dtype=str).query("kind != 'partial'")
    first_year = ended.groupby("code_to")["from_year"].min().to_dict()
    last_year = ended.groupby("code_from")["from_year"].max().to_dict()
    new = {c for c in first_year if int(c[2:]) >= 1948}  # codes are given out in order; 1948 is Meierijstad, 2017
    count = {
        year: sum(
            (code not in new or year >= int(first_year[code])) and year < int(last_year.get(code, 9999))
            for code in {*regions.names("municipality"), *last_year}
        )
        for year in range(2016, 2025)
    }
    assert list(count.values()) == [390, 388, 380, 355, 355, 352, 345, 342, 342]


def test_a_merged_code_counts_in_its_successor(regions):
    merged = regions.membership(["GM0738"])  # Aalburg, since 2019 part of Altena
    assert share_of(merged, regions, "municipality") == {"GM1959": 1.0}
    assert share_of(merged, regions, "province") == {"PV30": 1.0}


def test_a_split_without_shares_counts_for_the_country_only(regions):
    split = regions.membership(["GM0788", "GM0664"])
    assert split.unresolved == ("GM0788",) and split.unknown == ()
    assert {t: split.shares[t][:, 0].sum() for t in regions.types if split.shares[t][:, 0].any()} == {"nl": 1.0}


@pytest.mark.parametrize("prefix", ["", "GM"])
def test_a_split_with_shares_is_apportioned(prefix):
    shares = SHARES.assign(code_from=prefix + SHARES["code_from"], code_to=prefix + SHARES["code_to"])
    regions = Regions.load(REFERENCE / "regions", 2024, shares)
    split = regions.membership(["GM0788"])
    assert share_of(split, regions, "municipality") == pytest.approx({f"GM{k}": v for k, v in HAAREN.items()})
    assert share_of(split, regions, "zorgkantoor_region") == pytest.approx({"ZK12": 0.5, "ZK19": 0.5})
    assert split.unresolved == ()


def test_the_years_closest_to_the_split_are_taken():
    wider = SHARES.assign(year_from="2016", year_to="2024", share=[0.7, 0.1, 0.1, 0.1])
    regions = Regions.load(REFERENCE / "regions", 2024, pd.concat([wider, SHARES]))
    assert share_of(regions.membership(["GM0788"]), regions, "municipality")["GM0757"] == pytest.approx(0.2)


def test_shares_that_do_not_add_to_one_are_refused():
    with pytest.raises(ContentError, match="GM0788 add to 0"):
        Regions.load(REFERENCE / "regions", 2024, SHARES[SHARES["code_to"] != "0757"])


def test_an_unknown_code_counts_nowhere(regions):
    unknown = regions.membership(["GM9999", ""])
    assert unknown.unknown == ("GM9999", "")
    assert not any(matrix.any() for matrix in unknown.shares.values())


def test_recodings_after_the_division_year_are_not_followed():
    regions = Regions.load(REFERENCE / "regions", 2019)
    assert share_of(regions.membership(["GM0003"]), regions, "municipality") == {"GM0003": 1.0}
    assert regions.membership(["GM1979"]).unknown == ("GM1979",)


def test_mergers_chain_and_a_partial_change_recodes_nothing(small):
    regions = Regions.load(small, 2024)
    assert regions.problems() == []
    np.testing.assert_array_equal(regions.membership(["A", "M2", "A"]).shares["province"], [[1, 0, 1], [0, 1, 0]])


def test_a_cycle_of_recodings_is_reported(small):
    (small / "recodings.csv").write_text("from_year,code_from,code_to,kind\n2018,A,B,merger\n2018,B,A,merger\n")
    assert Regions.load(small, 2024).problems() == ["recodings: codes leading nowhere: 2 (A, B)"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ("2024,M1,R1,R\n", "province: municipalities in no region: 1 (M2)"),
        ("2024,M1,R1,R\n2024,M2,R2,S\n2024,M2,R1,R\n", "province: municipalities listed twice: 1 (M2)"),
        ("2024,M1,R1,R\n2024,M2,R2,S\n2024,M3,R2,S\n", "province: no municipalities of 2024: 1 (M3)"),
        ("2024,M1,R1,R\n2024,M2,R1,S\n", "province: regions with two names: 1 (R1)"),
    ],
)
def test_a_broken_partition_is_reported(small, rows, problem):
    (small / "province.csv").write_text(f"division_year,municipality_code,region_code,region_name\n{rows}")
    assert Regions.load(small, 2024).problems() == [problem]


def test_a_partial_classification_may_omit_municipalities(small):
    own = small / "own"
    own.mkdir()
    (own / "ours.csv").write_text("division_year,municipality_code,region_code,region_name\n2024,M1,X,Y\n")
    (own / "ours.yaml").write_text("covers: part\n")
    regions = Regions.load(small, 2024, own=own)
    assert regions.problems() == [] and regions.types[-2:] == ["ours", "nl"] and regions.own == ["ours"]
    for number in range(5):
        (own / f"more_{number}.csv").write_text("division_year,municipality_code,region_code,region_name\n")
    with pytest.raises(ContentError, match="6 own classifications, and 5 at most"):
        Regions.load(small, 2024, own=own)


def test_errors_name_the_file_and_the_missing_column(small):
    with pytest.raises(ContentError, match="no municipalities of 2031"):
        Regions.load(small, 2031)
    (small / "province.yaml").write_text("title: no coverage here\n")
    with pytest.raises(ContentError, match=r"province\.yaml"):
        Regions.load(small, 2024)
    (small / "corop_region.csv").write_text("division_year,municipality_code\n")
    with pytest.raises(ContentError, match=r"has no column region_code, region_name\n.*corop_region\.csv:1"):
        Regions.load(small, 2024)


def test_every_reference_table_has_a_sidecar_with_its_source():
    keys = {"title", "source", "url", "licence", "date", "covers", "notes"}
    tables = sorted(REFERENCE.rglob("*.csv"))
    assert tables and all(keys <= set(read_yaml(t.with_suffix(".yaml"))) for t in tables)


def test_standards_have_the_same_nineteen_bands_and_their_known_sums():
    esp, nl = (pd.read_csv(REFERENCE / "standards" / f"{name}.csv") for name in ("esp2013", "nl_2021"))
    assert list(esp["age_band"]) == list(nl["age_band"]) and len(esp) == 19
    assert esp["weight"].sum() == 100_000 and nl["weight"].sum() == 17_472_870


def test_breaks_name_kinds_of_care_that_exist():
    kinds = set(pd.read_csv(REFERENCE / "codes" / "care_kinds.csv")["care_kind"])
    breaks = pd.read_csv(REFERENCE / "breaks" / "series_breaks.csv").query(
        "source.str.contains('vektis_open')", engine="python"
    )
    assert set(breaks["column_or_kind"].str.split().explode()) <= kinds | {"all"}
