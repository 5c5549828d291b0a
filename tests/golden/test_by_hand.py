"""Are published numbers of the samples equal to those of a second, simple computation from the delivered files?

The tests do not use the engine: they read the files with pandas, follow people one at a time and write out the
formulas. They are slow and simple on purpose.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from math import ceil, exp, isclose, log, sqrt
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
        self.death: date | None = None

    @property
    def last(self) -> tuple[date, date, str, str, int]:
        return max(self.spans, key=lambda span: (span[1], span[0]))

    def stretches(self) -> list[tuple[date, date]]:
        """Insured stretches; spans that touch or overlap are merged."""
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


People = dict[str, Person]


@pytest.fixture(scope="module")
def people() -> People:
    """Everyone insured in the year with the claims that count: valid rows, not credited, while insured."""
    found: dict[str, Person] = defaultdict(Person)
    insured = pd.read_csv(DELIVERIES / f"insured_population/insured_population_{YEAR}.csv.gz", sep=";", dtype=str)
    for row in insured.fillna("").itertuples():
        start = date.fromisoformat(row.valid_from)
        until = date.fromisoformat(row.valid_to) if row.valid_to else END
        if row.sex == "9" or row.municipality_code == "GM9999" or until < start:
            continue  # planted defects
        if row.death_date:
            found[row.person_key].death = date.fromisoformat(row.death_date)
        start, until = max(start, FIRST), min(until, END)
        if start < END and until > FIRST:
            found[row.person_key].spans.append(
                (start, until, row.municipality_code, row.sex, YEAR - int(row.birth_year))
            )
    claims = pd.read_csv(DELIVERIES / f"claims/claims_{YEAR}.csv.gz", sep=";", dtype=str).fillna("")
    lines = [row for row in claims.to_dict("records") if is_valid(row)]
    known = {"", *claims["reference_number"]}
    lines = [line for line in lines if line["previous_reference"] in known]
    debits = {(line["reference_number"], line["amount_cents"]): line for line in lines if line["debit_credit"] == "D"}
    cancelled = set()
    for line in lines:
        debit = debits.get((line["previous_reference"], line["amount_cents"]))
        if line["debit_credit"] == "C" and debit and debit["claim_id"] not in cancelled:
            cancelled |= {line["claim_id"], debit["claim_id"]}
    for line in lines:
        person = found.get(line["person_key"])
        day = date.fromisoformat(line["start_date"])
        if line["claim_id"] not in cancelled and FIRST <= day < END and person and person.insured_until(day):
            person.lines.append(line)
    return found


def is_valid(line: dict[str, str]) -> bool:
    is_ordered = not line["end_date"] or line["end_date"] >= line["start_date"]
    return is_ordered and line["performance_code"] != "ZZZ" and line["debit_credit"] in ("D", "C")


def services(person: Person, *codes: str) -> list[dict[str, str]]:
    """The debits of a person with these performance codes."""
    return [line for line in person.lines if line["debit_credit"] == "D" and line["performance_code"] in codes]


def days_of(person: Person, *codes: str) -> list[date]:
    return [date.fromisoformat(line["start_date"]) for line in services(person, *codes)]


@cache
def prefixes_in(name: str) -> tuple[str, ...]:
    """The prefixes of a code list."""
    table = pd.read_csv(ROOT / f"reference/codes/{name}.csv", dtype=str)
    return tuple(table[next(c for c in table if c.endswith("_prefix"))].str.replace(".", ""))


def cost(person: Person) -> float:
    return sum(int(x["amount_cents"]) * (1 if x["debit_credit"] == "D" else -1) for x in person.lines) / 100


def residents(people: People, place: str) -> list[Person]:
    return [person for person in people.values() if person.last[2] == place]


def computed(values: pd.DataFrame, indicator: str, place: str) -> pd.Series:
    totals = values["sex"].eq("all") & values["age_group"].eq("all") & values["segment"].eq("all")
    selected = values["indicator_id"].eq(indicator) & values["region_code"].eq(place) & values["period"].eq(YEAR)
    (row,) = values[totals & selected].to_dict("records")
    return pd.Series(row)


@pytest.mark.parametrize("place", PLACES)
def test_cost_per_insured_year_with_its_interval(exact: pd.DataFrame, people: People, place: str) -> None:
    members = residents(people, place)
    bills = pd.Series([cost(person) for person in members])
    years = sum(person.days() for person in members) / 365
    half = stats.t.ppf(0.975, len(bills) - 1) * bills.std(ddof=1) / sqrt(len(bills)) * len(bills) / years
    row = computed(exact, "zvw_cost_per_insured_year", place)
    assert row["numerator"] == pytest.approx(bills.sum(), abs=0.005)
    assert row["denominator"] == pytest.approx(years, rel=1e-11)
    assert row["value"] == pytest.approx(bills.sum() / years, rel=1e-11)
    assert row["upper"] - row["value"] == pytest.approx(half, rel=1e-9)
    assert row["value"] - row["lower"] == pytest.approx(half, rel=1e-9)


@pytest.mark.parametrize("place", PLACES)
def test_the_comparator_leaves_the_region_out(exact: pd.DataFrame, people: People, place: str) -> None:
    others = [person for person in people.values() if person.last[2] != place]
    bills = pd.Series([cost(person) for person in others])
    years = sum(person.days() for person in others) / 365
    row = computed(exact, "zvw_cost_per_insured_year", place)
    assert row["comparator_value"] == pytest.approx(bills.sum() / years, rel=1e-11)
    half = stats.t.ppf(0.975, len(bills) - 1) * bills.std(ddof=1) / sqrt(len(bills)) * len(bills) / years
    assert row["comparator_upper"] - row["comparator_value"] == pytest.approx(half, rel=1e-9)
    above, below = row["lower"] > row["comparator_upper"], row["upper"] < row["comparator_lower"]
    assert row["difference"] == {(True, False): "higher", (False, True): "lower"}.get(
        (above, below), "no_demonstrable_difference"
    )


def test_the_rate_of_a_region_is_a_ratio_of_sums_not_a_mean_of_rates(exact: pd.DataFrame, people: People) -> None:
    members = ["GM0748", "GM0879", "GM1674"]
    groups = [residents(people, place) for place in members]
    sums = [(sum(map(cost, group)), sum(person.days() for person in group) / 365) for group in groups]
    row = computed(exact, "zvw_cost_per_insured_year", "SAMPLE02")
    assert row["value"] == pytest.approx(sum(euros for euros, _ in sums) / sum(years for _, years in sums), rel=1e-11)
    mean_of_rates = sum(euros / years for euros, years in sums) / len(sums)
    assert not isclose(row["value"], mean_of_rates, rel_tol=1e-4)


@pytest.mark.parametrize("place", PLACES)
def test_standardised_mortality_rate_with_dobson_limits(exact: pd.DataFrame, place: str) -> None:
    deaths = pd.read_csv(DELIVERIES / f"mortality/mortality_{YEAR}.csv.gz", sep=";", dtype=str).fillna("")
    deaths = deaths[deaths["municipality_code"].eq(place) & deaths["death_date"].ne("") & deaths["sex"].ne("9")]
    completed = YEAR - deaths["birth_year"].astype(int) - (deaths["death_date"] < f"{YEAR}-07-01")
    ages = [min(max(age, 0) // 5 * 5, 90) for age in completed]
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
    row = computed(exact, "mortality", place)
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
    exact: pd.DataFrame, place: str, indicator: str, answer: str, weight: str
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
    row = computed(exact, indicator, place)
    assert row["denominator"] == asked.sum()
    assert row["value"] == pytest.approx(100 * share, rel=1e-9)
    assert row["lower"] == pytest.approx(100 / (1 + exp(-logit + half)), rel=1e-8)
    assert row["upper"] == pytest.approx(100 / (1 + exp(-logit - half)), rel=1e-8)


def episodes(person: Person, *codes: str) -> list[tuple[date, date, bool, str]]:
    """Hospital stays: first day, last day, acute at first admission, first diagnosis; transfers are merged."""
    lines = services(person, *(codes or ("ADM-ACUTE", "ADM-PLAN")))
    stays: list[tuple[date, date, bool, str]] = []
    for line in sorted(lines, key=lambda x: (x["start_date"], x["end_date"] or x["start_date"], x["claim_id"])):
        start = date.fromisoformat(line["start_date"])
        last = date.fromisoformat(line["end_date"] or line["start_date"])
        if stays and start <= stays[-1][1]:
            before = stays[-1]
            stays[-1] = (before[0], max(before[1], last), before[2], before[3])
        else:
            stays.append(
                (start, last, line["performance_code"] == "ADM-ACUTE", line["diagnosis_icd10"].replace(".", ""))
            )
    return stays


@pytest.mark.parametrize("place", PLACES)
def test_avoidable_admissions(exact: pd.DataFrame, people: People, place: str) -> None:
    prefixes = prefixes_in("avoidable_admissions")
    counts = [
        sum(
            acute and last > start and diagnosis.startswith(prefixes) and not (person.death and person.death <= last)
            for start, last, acute, diagnosis in episodes(person)
        )
        for person in residents(people, place)
        if person.last[4] >= 15
    ]
    row = computed(exact, "avoidable_admissions", place)
    persons = sum(count > 0 for count in counts)
    assert persons >= 10 or row["status"] == "suppressed"
    if row["status"] == "published":
        assert row["numerator"] == sum(counts)


@pytest.mark.parametrize("place", PLACES)
def test_polypharmacy(exact: pd.DataFrame, people: People, place: str) -> None:
    seniors = [p for p in residents(people, place) if p.last[4] >= 65 and p.last[1] == END]
    many = 0
    for person in seniors:
        medicines = [x for x in person.lines if x["debit_credit"] == "D" and x["performance_code"] == "RX"]
        days: dict[str, set[str]] = defaultdict(set)  # supplies on one day are one dispensing
        for line in medicines:
            days[line["atc_code"][:4]].add(line["start_date"])
        many += sum(len(when) >= 3 and len(group) == 4 for group, when in days.items()) >= 5
    row = computed(exact, "polypharmacy_65_plus", place)
    assert (row["numerator"], row["denominator"]) == (many, len(seniors))
    assert row["value"] == pytest.approx(100 * many / len(seniors))


def is_followed(person: Person, start: date, last: date) -> bool:
    """Alive and insured for thirty days after a stay."""
    until = person.insured_until(start)
    alive = person.death is None or (person.death - last).days > 30
    return alive and until is not None and (until - last).days > 30


def test_readmissions_within_thirty_days(exact: pd.DataFrame, people: People) -> None:
    index = again = 0
    for person in people.values():
        stays = episodes(person)
        for at, (start, last, _, _) in enumerate(stays):
            if not is_followed(person, start, last):
                continue
            index += 1
            following = stays[at + 1] if at + 1 < len(stays) else None
            again += following is not None and following[2] and 1 <= (following[0] - last).days <= 30
    row = computed(exact, "readmission_30_days", "NL01")
    assert (row["numerator"], row["denominator"]) == (again, index)
    p, n = again / index, index
    middle, half = (p + Z**2 / (2 * n)) / (1 + Z**2 / n), Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    assert (row["lower"], row["upper"]) == pytest.approx((100 * (middle - half), 100 * (middle + half)))


def test_emergency_visits_followed_by_admission(exact: pd.DataFrame, people: People) -> None:
    visits = admitted = 0
    for person in people.values():
        acute = set(days_of(person, "ADM-ACUTE"))
        days = days_of(person, "ED")
        visits += len(days)
        admitted += sum(day in acute or day + timedelta(days=1) in acute for day in days)
    row = computed(exact, "emergency_visits_admitted", "NL01")
    assert (row["numerator"], row["denominator"]) == (admitted, visits)


def test_follow_up_after_psychiatric_discharge(exact: pd.DataFrame, people: People) -> None:
    seen = {7: 0, 30: 0}
    discharges = 0
    for person in people.values():
        stays, contacts = episodes(person, "GGZ-ADM"), days_of(person, "GGZ-CONTACT")
        for at, (start, last, _, _) in enumerate(stays):
            again = at + 1 < len(stays) and (stays[at + 1][0] - last).days <= 30
            if is_followed(person, start, last) and not again:
                discharges += 1
                for limit in seen:
                    seen[limit] += any(1 <= (day - last).days <= limit for day in contacts)
    for limit, count in seen.items():
        row = computed(exact, f"psychiatric_follow_up_{limit}_days", "NL01")
        assert (row["numerator"], row["denominator"]) == (count, discharges)


def test_medicines_at_once(exact: pd.DataFrame, people: People) -> None:
    """Each day of each senior is looked at: which medicines does a supply of that day or before still cover?"""
    many = 0
    seniors = [person for person in people.values() if person.last[4] >= 65 and person.last[1] == END]
    for person in seniors:
        at_once: dict[date, set[str]] = defaultdict(set)
        for line in services(person, "RX"):
            first = date.fromisoformat(line["start_date"])
            for day in range(ceil(float(line["ddd_quantity"] or 0)) if len(line["atc_code"]) >= 5 else 0):
                at_once[first + timedelta(days=day)].add(line["atc_code"][:5])
        many += sum(len(medicines) >= 5 and day < END for day, medicines in at_once.items()) >= 90
    row = computed(exact, "polypharmacy_concurrent_65_plus", "NL01")
    assert (row["numerator"], row["denominator"]) == (many, len(seniors))


def test_daily_doses(exact: pd.DataFrame, people: People) -> None:
    def doses(person: Person, prefixes: tuple[str, ...]) -> float:
        return sum(float(x["ddd_quantity"] or 0) for x in services(person, "RX") if x["atc_code"].startswith(prefixes))

    seniors = [person for person in people.values() if person.last[4] >= 65 and person.last[1] == END]
    long = sum(doses(person, prefixes_in("benzodiazepines")) > 365 for person in seniors)
    assert computed(exact, "long_benzodiazepine_65_plus", "NL01")["numerator"] == long
    total = sum(doses(person, prefixes_in("antibiotics")) for person in people.values())
    assert computed(exact, "antibiotic_volume", "NL01")["numerator"] == pytest.approx(total)


def test_two_more_indices_of_continuity(exact: pd.DataFrame, people: People) -> None:
    usual, sequential = [], []
    for person in people.values():
        contacts = sorted((x["start_date"], x["provider_code"]) for x in services(person, "GP"))
        if (n := len(contacts)) >= 4:
            providers = [provider for _, provider in contacts]
            usual.append(max(Counter(providers).values()) / n)
            sequential.append(sum(a == b for a, b in pairwise(providers)) / (n - 1))
    for indicator, found in {"usual_provider_continuity": usual, "sequential_continuity": sequential}.items():
        row = computed(exact, indicator, "NL01")
        assert row["denominator"] == len(found)
        assert row["value"] == pytest.approx(sum(found) / len(found), rel=1e-10)


def test_the_last_thirty_days_of_life(exact: pd.DataFrame, people: People) -> None:
    dead = visited = admitted = 0
    spent = 0.0
    for person in people.values():
        if person.death is None or person.death >= END:
            continue
        since = person.death - timedelta(days=30)
        if not any(start <= since and until >= person.death for start, until in person.stretches()):
            continue
        dead += 1
        visited += any(since <= day <= person.death for day in days_of(person, "ED"))
        admitted += any(since <= day <= person.death for day in days_of(person, "ADM-ACUTE", "ADM-PLAN"))
        last = Person()
        last.lines = [x for x in person.lines if since <= date.fromisoformat(x["start_date"]) <= person.death]
        spent += cost(last)
    for indicator, count in {"emergency_in_last_30_days": visited, "admission_in_last_30_days": admitted}.items():
        row = computed(exact, indicator, "NL01")
        assert (row["numerator"], row["denominator"]) == (count, dead)
    assert computed(exact, "cost_in_last_30_days", "NL01")["value"] == pytest.approx(spent / dead)


def test_prevalence_from_medicines(exact: pd.DataFrame, people: People) -> None:
    codes = pd.read_csv(ROOT / "reference/codes/chronic_conditions.csv", dtype=str)
    least = dict(zip(codes["condition"], codes["least_dispensing_count"].astype(int), strict=True))
    prefixes = codes.groupby("condition")["atc_prefix"].agg(tuple).to_dict()
    found: Counter[str] = Counter()
    for person in people.values():
        medicines = services(person, "RX")
        conditions = [
            condition
            for condition, starts in prefixes.items()
            if len({x["start_date"] for x in medicines if x["atc_code"].startswith(starts)}) >= least[condition]
        ]
        found.update(conditions)
        found["multimorbidity"] += len(conditions) >= 2
    for condition in ("diabetes", "lung_disease", "cardiovascular", "depression", "dementia"):
        row = computed(exact, f"{condition}_prevalence", "NL01")
        assert (row["numerator"], row["denominator"]) == (found[condition], len(people))
    assert computed(exact, "multimorbidity", "NL01")["numerator"] == found["multimorbidity"]


def test_truncated_cost(exact: pd.DataFrame, people: People) -> None:
    bills = sorted(cost(person) for person in people.values())
    limit = bills[ceil(0.99 * len(bills)) - 1]
    row = computed(exact, "truncated_cost", "NL01")
    assert row["numerator"] == pytest.approx(sum(min(max(bill, 0.0), limit) for bill in bills), abs=0.01)
