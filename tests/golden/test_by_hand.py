"""Are published numbers of the samples what a second, plain reading of the delivered files gives?

Nothing of the engine is used here: files are read with pandas, people are followed one at a time, formulas are written
out. Slow and simple on purpose.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from math import exp, isclose, log, sqrt
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
DELIVERIES = ROOT / "data_samples" / "deliveries"
YEAR, FIRST, END = 2022, date(2022, 1, 1), date(2023, 1, 1)
PLACES = ("GM0664", "GM0748", "GM0758")
Z = stats.norm.ppf(0.975)


class Person:
    def __init__(self) -> None:
        self.spans: list[tuple[date, date, str, str, int]] = []
        self.lines: list[dict[str, str]] = []

    @property
    def last(self) -> tuple[date, date, str, str, int]:
        return max(self.spans, key=lambda span: (span[1], span[0]))

    def stretches(self) -> list[tuple[date, date]]:
        """Insured stretches; spans that touch or overlap are one."""
        merged: list[tuple[date, date]] = []
        for start, until, *_ in sorted(self.spans):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], until))
            else:
                merged.append((start, until))
        return merged

    def days(self) -> int:
        return sum((until - start).days for start, until in self.stretches())

    def insured_until(self, day: date) -> date | None:
        return next((until for start, until in self.stretches() if start <= day < until), None)


Marts = dict[str, pd.DataFrame]
People = dict[str, Person]


@pytest.fixture(scope="module")
def people() -> People:
    """Everyone insured in the year with the claims that count: sound rows, not taken back, while insured."""
    found: dict[str, Person] = defaultdict(Person)
    insured = pd.read_csv(DELIVERIES / f"insured_population/insured_population_{YEAR}.csv.gz", sep=";", dtype=str)
    for row in insured.fillna("").itertuples():
        start = date.fromisoformat(row.valid_from)
        until = date.fromisoformat(row.valid_to) if row.valid_to else END
        if row.sex == "9" or row.municipality_code == "GM9999" or until < start:
            continue  # planted defects
        start, until = max(start, FIRST), min(until, END)
        if start < END and until > FIRST:
            found[row.person_key].spans.append(
                (start, until, row.municipality_code, row.sex, YEAR - int(row.birth_year))
            )
    claims = pd.read_csv(DELIVERIES / f"claims/claims_{YEAR}.csv.gz", sep=";", dtype=str).fillna("")
    lines = [row for row in claims.to_dict("records") if is_sound(row)]
    known = {"", *claims["reference_number"]}
    lines = [line for line in lines if line["previous_reference"] in known]
    debits = {(line["reference_number"], line["amount_cents"]): line for line in lines if line["debit_credit"] == "D"}
    gone = set()
    for line in lines:
        debit = debits.get((line["previous_reference"], line["amount_cents"]))
        if line["debit_credit"] == "C" and debit and debit["claim_id"] not in gone:
            gone |= {line["claim_id"], debit["claim_id"]}
    for line in lines:
        person = found.get(line["person_key"])
        day = date.fromisoformat(line["start_date"])
        if line["claim_id"] not in gone and FIRST <= day < END and person and person.insured_until(day):
            person.lines.append(line)
    return found


def is_sound(line: dict[str, str]) -> bool:
    ends_well = not line["end_date"] or line["end_date"] >= line["start_date"]
    return ends_well and line["performance_code"] != "ZZZ" and line["debit_credit"] in ("D", "C")


def cost(person: Person) -> float:
    return sum(int(x["amount_cents"]) * (1 if x["debit_credit"] == "D" else -1) for x in person.lines) / 100


def of(people: People, place: str) -> list[Person]:
    return [person for person in people.values() if person.last[2] == place]


def published(marts: Marts, indicator: str, place: str) -> pd.Series:
    values = marts["indicator_values"]
    plain = values["sex"].eq("all") & values["age_group"].eq("all") & values["segment"].eq("all")
    here = values["indicator_id"].eq(indicator) & values["region_code"].eq(place) & values["period"].eq(YEAR)
    (row,) = values[plain & here].to_dict("records")
    return pd.Series(row)


@pytest.mark.parametrize("place", PLACES)
def test_cost_per_insured_year_with_its_interval(marts: Marts, people: People, place: str) -> None:
    theirs = of(people, place)
    bills = pd.Series([cost(person) for person in theirs])
    years = sum(person.days() for person in theirs) / 365
    half = stats.t.ppf(0.975, len(bills) - 1) * bills.std(ddof=1) / sqrt(len(bills)) * len(bills) / years
    row = published(marts, "zvw_cost_per_insured_year", place)
    assert row["numerator"] == pytest.approx(bills.sum(), abs=0.005)
    assert row["denominator"] == pytest.approx(years, rel=1e-12)
    assert row["value"] == pytest.approx(bills.sum() / years, rel=1e-12)
    assert row["upper"] - row["value"] == pytest.approx(half, rel=1e-9)
    assert row["value"] - row["lower"] == pytest.approx(half, rel=1e-9)


@pytest.mark.parametrize("place", PLACES)
def test_the_comparator_leaves_the_region_out(marts: Marts, people: People, place: str) -> None:
    others = [person for person in people.values() if person.last[2] != place]
    bills = pd.Series([cost(person) for person in others])
    years = sum(person.days() for person in others) / 365
    row = published(marts, "zvw_cost_per_insured_year", place)
    assert row["comparator_value"] == pytest.approx(bills.sum() / years, rel=1e-12)
    half = stats.t.ppf(0.975, len(bills) - 1) * bills.std(ddof=1) / sqrt(len(bills)) * len(bills) / years
    assert row["comparator_upper"] - row["comparator_value"] == pytest.approx(half, rel=1e-9)
    apart = row["lower"] > row["comparator_upper"], row["upper"] < row["comparator_lower"]
    assert row["difference"] == {(True, False): "higher", (False, True): "lower"}.get(
        apart, "no_demonstrable_difference"
    )


def test_a_rate_of_a_region_is_made_of_sums_not_of_rates(marts: Marts, people: People) -> None:
    members = ["GM0748", "GM0879", "GM1674"]
    theirs = [of(people, place) for place in members]
    sums = [(sum(map(cost, some)), sum(person.days() for person in some) / 365) for some in theirs]
    row = published(marts, "zvw_cost_per_insured_year", "SAMPLE02")
    assert row["value"] == pytest.approx(sum(euros for euros, _ in sums) / sum(years for _, years in sums), rel=1e-12)
    averaged = sum(euros / years for euros, years in sums) / len(sums)
    assert not isclose(row["value"], averaged, rel_tol=1e-4)


@pytest.mark.parametrize("place", PLACES)
def test_standardised_mortality_rate_with_dobson_limits(marts: Marts, place: str) -> None:
    deaths = pd.read_csv(DELIVERIES / f"mortality/mortality_{YEAR}.csv.gz", sep=";", dtype=str).fillna("")
    deaths = deaths[deaths["municipality_code"].eq(place) & deaths["death_date"].ne("") & deaths["sex"].ne("9")]
    ages = [min((YEAR - int(born)) // 5 * 5, 90) for born in deaths["birth_year"]]
    counts = Counter(zip(deaths["sex"].replace({"1": "M", "2": "F", "V": "F"}), ages, strict=True))
    standard = pd.read_csv(ROOT / "reference/standards/esp2013.csv", dtype={"weight": float})
    weights = {int(band[:2]): weight for band, weight in zip(standard["age_band"], standard["weight"], strict=True)}
    population = pd.read_csv(DELIVERIES / f"population/population_{YEAR}.csv", sep=";")
    population = population[population["municipality_code"].eq(place)]
    value = variance = whole = 0.0
    for row in population.itertuples():
        age, sex = int(row.age_band[:2]), {"V": "F"}.get(str(row.sex), str(row.sex))
        count, weight = counts[sex, age], weights[age]
        value += weight * count / row.person_years
        variance += weight**2 * count / row.person_years**2
        whole += weight
    value, variance = value / whole, variance / whole**2
    total = sum(counts.values())
    lower = total * (1 - 1 / (9 * total) - Z / (3 * sqrt(total))) ** 3
    upper = (total + 1) * (1 - 1 / (9 * (total + 1)) + Z / (3 * sqrt(total + 1))) ** 3
    scale = sqrt(variance / total)
    row = published(marts, "mortality", place)
    assert row["numerator"] == total
    assert row["value"] == pytest.approx(1e5 * value, rel=1e-10)
    assert row["lower"] == pytest.approx(1e5 * (value + scale * (lower - total)), rel=1e-8)
    assert row["upper"] == pytest.approx(1e5 * (value + scale * (upper - total)), rel=1e-8)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("indicator", "answer", "weight"),
    [("good_self_rated_health", "KLGGA208", "ewCBSGGD"), ("severe_loneliness", "GGEES209", "ewGGD")],
)
def test_a_share_of_the_sample_by_linearisation(
    marts: Marts, place: str, indicator: str, answer: str, weight: str
) -> None:
    sample, _ = pyreadstat.read_sav(DELIVERIES / f"survey/survey_{YEAR}.sav")
    sample = sample[~sample["KLGGA208"].eq(7) & sample["Gemeentecode"].eq(place)]
    sample = sample[sample[weight] > 0]
    yes, asked = sample[answer].eq(1).astype(float), sample[answer].isin([0, 1])
    w = sample[weight].where(asked, 0.0).round(9)
    share = (w * yes).sum() / w.sum()
    residual = w * (yes - share) / w.sum()
    variance = 0.0
    for _, parts in residual.groupby(sample["Stratum"]):
        n = len(parts)
        variance += n / (n - 1) * ((parts - parts.mean()) ** 2).sum()
    strata = sample["Stratum"][asked].nunique()
    half = stats.t.ppf(0.975, asked.sum() - strata) * sqrt(variance) / (share * (1 - share))
    logit = log(share / (1 - share))
    row = published(marts, indicator, place)
    assert row["denominator"] == asked.sum()
    assert row["value"] == pytest.approx(100 * share, rel=1e-9)
    assert row["lower"] == pytest.approx(100 / (1 + exp(-logit + half)), rel=1e-8)
    assert row["upper"] == pytest.approx(100 / (1 + exp(-logit - half)), rel=1e-8)


def episodes(person: Person) -> list[tuple[date, date, bool, str]]:
    """Stays in hospital: first day, last day, acute at its beginning, first diagnosis; a transfer is one stay."""
    lines = [x for x in person.lines if x["debit_credit"] == "D" and x["performance_code"].startswith("ADM-")]
    made: list[tuple[date, date, bool, str]] = []
    for line in sorted(lines, key=lambda x: (x["start_date"], x["end_date"] or x["start_date"], x["claim_id"])):
        start = date.fromisoformat(line["start_date"])
        last = date.fromisoformat(line["end_date"] or line["start_date"])
        if made and start <= made[-1][1]:
            before = made[-1]
            made[-1] = (before[0], max(before[1], last), before[2], before[3])
        else:
            made.append(
                (start, last, line["performance_code"] == "ADM-ACUTE", line["diagnosis_icd10"].replace(".", ""))
            )
    return made


@pytest.mark.parametrize("place", PLACES)
def test_avoidable_admissions(marts: Marts, people: People, place: str) -> None:
    prefixes = tuple(
        pd.read_csv(ROOT / "reference/codes/avoidable_admissions.csv")["icd10_prefix"].str.replace(".", "")
    )
    count = sum(
        acute and diagnosis.startswith(prefixes)
        for person in of(people, place)
        if person.last[4] >= 15
        for _, _, acute, diagnosis in episodes(person)
    )
    row = published(marts, "avoidable_admissions", place)
    assert count >= 10 or row["status"] == "suppressed"
    if row["status"] == "published":
        assert row["numerator"] == count


@pytest.mark.parametrize("place", PLACES)
def test_polypharmacy(marts: Marts, people: People, place: str) -> None:
    seniors = [p for p in of(people, place) if p.last[4] >= 65 and p.last[1] == END]
    many = 0
    for person in seniors:
        bought = [x for x in person.lines if x["debit_credit"] == "D" and x["performance_code"] == "RX"]
        days: dict[str, set[str]] = defaultdict(set)  # two boxes of one day are one dispensing
        for line in bought:
            days[line["atc_code"][:4]].add(line["start_date"])
        many += sum(len(when) >= 3 and len(group) == 4 for group, when in days.items()) >= 5
    row = published(marts, "polypharmacy_65_plus", place)
    assert (row["numerator"], row["denominator"]) == (many, len(seniors))
    assert row["value"] == pytest.approx(100 * many / len(seniors))


def test_readmissions_within_thirty_days(marts: Marts, people: People) -> None:
    index = again = 0
    for person in people.values():
        stays = episodes(person)
        for at, (start, last, _, _) in enumerate(stays):
            until = person.insured_until(start)
            if until is None or (until - last).days <= 30:
                continue
            index += 1
            following = stays[at + 1] if at + 1 < len(stays) else None
            again += following is not None and following[2] and 1 <= (following[0] - last).days <= 30
    row = published(marts, "readmission_30_days", "NL01")
    assert (row["numerator"], row["denominator"]) == (again, index)
    p, n = again / index, index
    middle, half = (p + Z**2 / (2 * n)) / (1 + Z**2 / n), Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    assert (row["lower"], row["upper"]) == pytest.approx((100 * (middle - half), 100 * (middle + half)))
