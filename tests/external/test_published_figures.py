"""Does the job on the real open data give the figures that others published?

All tests share one run. The figures are transcribed with their source; the data is read in place.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.external.conftest import DATA, ROOT
from triple_aim.cubes.ledger import reconcile
from triple_aim.definitions.contracts import load_publication
from triple_aim.definitions.programme import load_programme
from triple_aim.definitions.settings import load_project
from triple_aim.errors import NothingToPublish
from triple_aim.reports.figures.series import caterpillar
from triple_aim.warehouse.connection import Warehouse

pytestmark = [
    pytest.mark.external,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data here; set TRIPLE_AIM_SHARED_DATA"),
]

#: Euros per insured year and per insured person without the rest row; computed once and independently from the files.
BY_YEAR = """
2011 2136.62 2101.08
2012 2082.34 2045.70
2013 2176.26 2142.08
2014 2204.39 2169.76
2015 2361.44 2322.33
2016 2478.59 2437.00
2017 2538.44 2495.10
2018 2625.00 2580.31
2019 2706.67 2646.47
2020 2636.00 2580.68
2021 2750.67 2690.81
2022 2930.97 2862.18
2023 3150.89 3079.53
"""
#: Euros per insured year without the rest row, by kind of care (same computation).
BY_KIND = """
care_kind 2013 2015 2018 2020 2021 2022 2023
hospital 1244.8 1231.5 1375.8 1341.8 1476.5 1534.5 1655.4
pharmacy 261.9 270.1 281.7 298.8 298.8 322.3 335.4
mental_health 217.5 180.9 208.9 234.0 166.7 257.8 283.4
general_practice 139.8 178.3 200.9 223.5 236.0 245.2 270.8
district_nursing - 184.2 214.6 195.1 190.1 176.7 183.0
devices 86.6 90.3 87.9 95.0 98.9 102.6 109.2
allied_health 38.3 40.4 45.0 43.9 56.2 58.8 63.4
dental 41.4 44.1 44.2 41.3 47.2 48.0 52.7
geriatric_rehabilitation 38.0 41.5 43.9 38.3 42.5 44.7 48.6
patient_transport 37.5 38.3 40.5 40.4 44.9 45.9 47.8
maternity 29.9 32.4 30.9 38.4 40.8 38.7 42.2
other 25.1 13.9 17.5 16.9 16.9 17.3 19.6
primary_care_stay - - 16.2 16.5 19.4 17.2 17.8
cross_border 15.5 15.6 17.0 11.7 12.1 17.0 16.5
gzsp - - - 0.4 3.9 4.3 5.2
"""
#: We count eerstelijns_ondersteuning in `other` (sql/staging/vektis_open.sql); the printed table leaves it out.
PRIMARY_CARE_SUPPORT = 0.061
#: Euros in the thirteen files with the rest row, in billions, and the persons of the rest row.
FILES = """
2011 35.268 271167
2012 34.507 288288
2013 36.167 282385
2014 36.741 298389
2015 39.503 299376
2016 41.706 311439
2017 42.901 358232
2018 44.659 381255
2019 46.348 440964
2020 45.338 393575
2021 47.553 416086
2022 51.013 444200
2023 55.154 428642
"""


@pytest.fixture(scope="session")
def ledgers(staged: Warehouse, open_data: Path) -> pd.DataFrame:
    """The exact ledger, which stays private."""
    contracts = load_programme(load_project(open_data / "monitor.toml")).contracts
    return reconcile(staged, contracts.values())


@pytest.fixture(scope="session")
def totals(marts: dict[str, pd.DataFrame]) -> pd.Series:
    """Every value that is not broken down, by indicator, period and region; whole-population ages only."""
    values = marts["indicator_values"]
    total = values[values["sex"].eq("all") & values["age_group"].eq("all") & values["segment"].eq("all")]
    return total.set_index(["indicator_id", "period", "region_code"])["value"].sort_index()


def test_the_figures_of_an_article_on_south_limburg(totals: pd.Series) -> None:
    """A 2018 article prints 2,625 for the Netherlands, 3,625 for Kerkrade and 1,853 for Urk."""
    cost = totals.loc["zvw_cost_per_insured_year", 2018]
    assert cost["NL01"] == pytest.approx(2625.00, abs=0.005)
    assert cost["GM0928"] == pytest.approx(3624.6, abs=0.05)
    assert cost["GM0184"] == pytest.approx(1853.1, abs=0.05)


@pytest.mark.parametrize("line", BY_YEAR.split("\n")[1:-1])
def test_cost_per_insured_year_and_person(totals: pd.Series, line: str) -> None:
    year, per_year, per_person = line.split()
    assert totals["zvw_cost_per_insured_year", int(year), "NL01"] == pytest.approx(float(per_year), abs=0.005)
    assert totals["zvw_cost_per_insured_person", int(year), "NL01"] == pytest.approx(float(per_person), abs=0.005)


def test_cost_by_kind_of_care(marts: dict[str, pd.DataFrame]) -> None:
    values = marts["indicator_values"]
    kinds = values[values["indicator_id"].eq("zvw_cost_per_insured_year") & values["region_code"].eq("NL01")]
    found = kinds[kinds["segment_type"].eq("care_kind")].set_index(["segment", "period"])["value"]
    years, *rows = [line.split() for line in BY_KIND.strip().split("\n")]
    for kind, *printed in rows:
        for year, figure in zip(years[1:], printed, strict=True):
            computed = found[kind, int(year)]
            if figure == "-":
                assert pd.isna(computed), (kind, year)
            elif kind == "other":
                assert float(figure) - 0.05 <= computed <= float(figure) + 0.05 + PRIMARY_CARE_SUPPORT, (kind, year)
            else:
                assert computed == pytest.approx(float(figure), abs=0.05 + 1e-9), (kind, year)


@pytest.mark.parametrize("line", FILES.split("\n")[1:-1])
def test_the_ledger_closes_to_the_cent_and_the_rest_row_is_named(
    marts: dict[str, pd.DataFrame], ledgers: pd.DataFrame, line: str
) -> None:
    year, billions, rest_persons = line.split()
    ledger = marts["reconciliation"].query(
        "extract == 'vektis_open' and period == @year", local_dict={"year": int(year)}
    )
    euros = ledger.set_index(["stage", "reason"])["amount_eur"]
    rows = ledger.set_index(["stage", "reason"])["row_count"]
    assert euros["delivered", "all"] == pytest.approx(float(billions) * 1e9, rel=0.02)  # two digits
    assert euros["delivered", "all"] == euros["staged", "all"]
    assert pd.isna(euros["excluded", "rest_row"]) and pd.isna(rows["excluded", "rest_row"])
    exact = ledgers.query("extract == 'vektis_open' and period == @year", local_dict={"year": int(year)})
    exact = exact.set_index(["stage", "reason"])
    euros, rows = exact["amount_eur"].astype(float), exact["row_count"]
    assert euros["delivered", "all"] == pytest.approx(float(billions) * 1e9, abs=0.5e6)
    assert euros["delivered", "all"] == pytest.approx(euros["staged", "all"], abs=0.005)
    assert rows["excluded", "rest_row"] == 1
    assert rows["in_cube", "all"] + 1 == rows["delivered", "all"]
    source = pd.read_csv(DATA / "vektis_open" / f"vektis_{year}_gemeente.csv", sep=";")
    source.columns = source.columns.str.lower()
    rest = source[source["gemeentenaam"].isna()]
    assert rest["aantal_bsn"].sum() == int(rest_persons)
    left = euros["staged", "all"] - euros["in_cube", "all"]
    assert left == pytest.approx(rest.filter(like="kosten_").sum().sum(), abs=0.005)


def test_published_percentages_are_unchanged(marts: dict[str, pd.DataFrame]) -> None:
    values = marts["indicator_values"].query("source == 'survey_published' and period == 2024")
    shown = values.set_index(["indicator_id", "region_code", "age_group"])
    assert shown.loc[("good_self_rated_health", "NL01", "18-64"), "value"] == 77
    assert shown.loc[("severe_loneliness", "NL01", "18-64"), "value"] == 14
    assert shown.loc[("good_self_rated_health", "NL01", "16-25"), "value"] == 63.8
    assert shown.loc[("mastery", "NL01", "65+"), "value"] == 85
    assert shown.loc[("informal_carer_overburdened", "NL01", "18-64"), "value"] == 24
    assert shown.loc[("overweight", "NL01", "16-25"), "value"] == 26.1
    assert (values["difference"] == "not_compared").all() and values["lower"].isna().all()


def test_a_cell_that_the_source_withheld_keeps_its_reason(marts: dict[str, pd.DataFrame]) -> None:
    source = pd.read_csv(DATA / "survey" / "ggd_flevoland_gezondheidsmonitor_vo_2024_nl_en_gemeenten.csv", dtype=str)
    items = {"Is sterk eenzaam": "severe_loneliness", "Roker": "smoking", "Ernstig overgewicht (obesitas)": "obesity"}
    source = source[source["indicator"].isin(items) & source["suppression"].notna()]
    reasons = {"*": "fewer than 5 answers", "~": "fewer than 50 respondents"}
    values = marts["indicator_values"].query("source == 'survey_published'")
    by_cell = values.set_index(["indicator_id", "region_code", "age_group"])
    for row in source.itertuples():
        cell = by_cell.loc[(items[row.indicator], row.region_code, row.age_group)]
        assert (cell["status"], cell["reason"]) == ("suppressed", reasons[row.suppression])
        assert pd.isna(cell["value"])
    withheld = values[values["status"] == "suppressed"]
    assert len(withheld) > 100 and withheld["value"].isna().all()
    assert set(withheld["reason"]) <= {*reasons.values(), "suppressed by the source"}


def test_household_help_states_how_many_municipalities_delivered(marts: dict[str, pd.DataFrame]) -> None:
    values = marts["indicator_values"]
    chosen = values["indicator_id"].eq("wmo_household_help_use") & values["region_code"].eq("NL01")
    help_use = values[chosen & values["source"].eq("social_domain_panel")].set_index("period")
    assert help_use["value"].round(1).to_dict() == {2017: 23.2, 2018: 23.1, 2019: 25.7}
    # Some municipalities did not deliver, so the reason of the country states how many did.
    assert help_use["coverage_share"].between(0.6, 0.97).all()
    assert help_use["reason"].str.fullmatch(r"rests on \d+ of 342 municipalities").all()


def test_haaren_is_divided_over_its_four_successors(marts: dict[str, pd.DataFrame]) -> None:
    """Haaren ended on 1 January 2021; its insured years of 2018 count in Boxtel, Oisterwijk, Tilburg and Vught."""
    source = pd.read_csv(DATA / "vektis_open" / "vektis_2018_gemeente.csv", sep=";")
    source.columns = source.columns.str.lower()
    names = source.groupby("gemeentenaam")["aantal_verzekerdejaren"].sum()
    values = marts["indicator_values"]
    chosen = values["indicator_id"].eq("zvw_cost_per_insured_year") & values["period"].eq(2018)
    plain = values["sex"].eq("all") & values["age_group"].eq("all") & values["segment"].eq("all")
    years = values[chosen & plain & values["region_type"].eq("municipality")].set_index("region_name")["denominator"]
    successors = ["Boxtel", "Oisterwijk", "Tilburg", "Vught"]
    gained = {name: years[name] - names[name.upper()] for name in successors}
    assert sum(gained.values()) == pytest.approx(names["HAAREN"], abs=0.01)
    assert min(gained.values()) > 1000
    assert "Haaren" not in years.index


def test_regions_add_up_to_the_country(marts: dict[str, pd.DataFrame]) -> None:
    values = marts["indicator_values"]
    cost = values["indicator_id"].eq("zvw_cost_per_insured_year") & values["segment"].eq("all")
    plain = values[cost & values["sex"].eq("all") & values["age_group"].eq("all")]
    sums = plain.groupby(["period", "region_type"])[["numerator", "denominator"]].sum().unstack("region_type")
    for measure, slack in (("numerator", 0.01), ("denominator", 0.01)):
        for kind in ("municipality", "ggd_region", "zorgkantoor_region", "province"):
            gap = (sums[measure][kind] - sums[measure]["nl"]).abs()
            assert gap.max() <= max(slack, 1e-12 * sums[measure]["nl"].max()), (measure, kind)


def test_every_level_has_all_regions(marts: dict[str, pd.DataFrame]) -> None:
    regions = marts["indicator_values"].groupby("region_type")["region_code"].nunique().to_dict()
    assert regions == {"municipality": 342, "ggd_region": 25, "zorgkantoor_region": 31, "province": 12, "nl": 1}
    assert marts["regions"].groupby("region_type").size()["nl"] == 1
    whole = marts["indicator_values"].query("indicator_id == 'zvw_cost_per_insured_year'")
    assert (whole["coverage_share"].dropna() > 1 - 1e-12).all()


def test_growth_is_the_growth_of_the_published_levels(marts: dict[str, pd.DataFrame], totals: pd.Series) -> None:
    growth = marts["cost_growth"].query("region_code == 'NL01' and basis == 'nominal'").set_index("period")
    for year in range(2012, 2024):
        now, before = (totals["zvw_cost_per_insured_year", y, "NL01"] for y in (year, year - 1))
        assert growth.loc[year, "yearly_growth_percent"] == pytest.approx(100 * (now / before - 1), abs=1e-9)
    assert 2011 not in growth.index  # there is no earlier year to compare with


def test_published_percentages_are_drawn_by_age_group(release: Path) -> None:
    publication = load_publication(ROOT / "contracts")
    drawn = caterpillar(release, publication, "good_self_rated_health", "ggd_region", 2024, age_group="16-25")
    assert b"16-25 jaar" in drawn and b"Nederland 63,8" in drawn
    with pytest.raises(NothingToPublish):  # there is no percentage of all ages
        caterpillar(release, publication, "good_self_rated_health", "ggd_region", 2024)
