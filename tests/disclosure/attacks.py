"""What a reader tries, one function per door: each makes releases of deliveries and returns what follows from these.

Not here: how much may follow (``test_doors``), and protection that is weaker on purpose (``test_weakenings``). A reader
knows the rules of the protection and everything that is printed, but neither the secret nor the exact sums; the exact
sums serve only to measure the errors of the reader.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from tests.content import programme
from tests.disclosure.laboratory import KEY, Deliveries, secret_of, spec_of
from triple_aim.disclosure import published_ledger
from triple_aim.stats.rates import proportion

#: Indicators of persons, of whom many cells of the samples are small.
COUNTS = ("long_benzodiazepine_65_plus", "dementia_prevalence", "youth_care_with_stay")
SHARE_OF_RESIDENTS = "wmo_use"
MEDICINES = "polypharmacy_65_plus"
EUROS = "zvw_cost_per_insured_year"
#: The largest change of a count and of the unit noise of a magnitude; ``protection.json`` publishes both.
LARGEST = programme().tables.changes.max_change
SHARE, BOUND = programme().publication.noise.share, 3**0.5
#: A municipality of the samples and the cell of the persons whom an attack adds or withdraws.
TOWN, YEAR, SEX, BAND = "GM0718", "2022", "F", "45-49"


def rms(errors: pd.Series) -> float:
    """The root mean square of errors."""
    assert len(errors) >= 5, "the attack has too few cells to judge"
    return float(np.sqrt(np.mean(np.square(errors.to_numpy(dtype=float)))))


def moved_municipalities(samples: Deliveries) -> pd.DataFrame:
    """Two releases; in the second each municipality has left one of ten own partnerships of all municipalities.

    Subtracting the partnership after from the partnership before gives an ``estimate`` of the ``truth``, the numerator
    of the municipality. One row per municipality, category and year whose own number is withheld.
    """
    codes = samples.cells["claims"].labels["municipality_code"]
    names = {f"partnership_{code.lower()}": code for code in codes}
    before = samples.with_own(**{name: dict.fromkeys(codes, "ALL") for name in names})
    after = samples.with_own(
        **{name: {code: "LEFT" if code == left else "ALL" for code in codes} for name, left in names.items()}
    )
    own, other = ["indicator_id", *(name for name in KEY if not name.startswith("region"))], ["region_type"]
    sides = []
    for deliveries in (before, after):
        rows = deliveries.release(*COUNTS)
        sides.append(rows[rows["region_code"] == "ALL"].set_index([*own, *other])["numerator"])
    estimate = (sides[0] - sides[1]).dropna().rename("estimate").reset_index()
    estimate["region_code"] = estimate.pop("region_type").map(names)
    return _small_cells(samples, estimate, COUNTS)


def one_more_municipality(samples: Deliveries) -> pd.DataFrame:
    """Two releases; the second has one more small municipality, which the country then has more."""
    town = "GM1695"
    before = samples
    for cube in ("claims", "social_domain"):
        before = before.with_cells(cube, _without(before.cells[cube].labels["municipality_code"].index(town)))
    key = ["indicator_id", *(name for name in KEY if not name.startswith("region"))]
    sides = []
    for deliveries in (before, samples):
        rows = deliveries.release(*COUNTS)
        sides.append(rows[rows["region_type"] == "nl"].set_index(key)["numerator"])
    estimate = (sides[1] - sides[0]).dropna().rename("estimate").reset_index().assign(region_code=town)
    return _small_cells(samples, estimate, COUNTS)


def restated_year(samples: Deliveries, persons: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two releases; in the second some persons of one cell and year more have the trait.

    Returns the changes of the rows that hold these persons, with their error, and the changes of the other rows.
    """

    def restate(sums: dict[str, np.ndarray]) -> None:
        sums["polypharmacy_count"][_cell(samples, band="70-74")] += persons

    first, second = samples.release(MEDICINES), samples.with_cells("claims", restate).release(MEDICINES)
    rows = _both(first, second).dropna(subset=["numerator", "numerator_after"])
    rows["change"] = rows["numerator_after"] - rows["numerator"]
    exact, restated = (
        deliveries.exact(MEDICINES).set_index(KEY)["numerator"]
        for deliveries in (samples, samples.with_cells("claims", restate))
    )
    truth = (restated - exact).reindex(pd.MultiIndex.from_frame(rows[KEY])).to_numpy()
    rows["error"] = rows["change"] - truth
    return rows[truth != 0], rows[truth == 0]


def withdrawn_person(samples: Deliveries, secret: int) -> tuple[float, float, set[str]]:
    """Two releases; a person of 65,000 euros of hospital care is withdrawn from the second.

    Returns the width of the interval of the insured years in which all printed differences agree, that of the
    euros as a share of them, and the kinds of care whose printed euros changed.
    """
    euros = 65_000.0

    def add(sums: dict[str, np.ndarray]) -> None:
        cell = _cell(samples)
        for name in ("insured_person_count", "insured_years"):
            sums[name][cell] += 1
        for kind in ("", "[care_kind=hospital]"):
            sums[f"amount_eur{kind}"][cell] += euros
            sums[f"amount_eur_sumsq{kind}"][cell] += euros**2

    before = samples.with_cells("claims", add)
    rows = _both(*(each.release(EUROS, secret=secret_of(secret)) for each in (before, samples)))
    rows = rows[_holds(rows) & (rows["period"] == int(YEAR))].dropna(subset=["numerator", "numerator_after"])
    totals = rows[rows["segment"] == "all"]
    persons = totals["denominator"] - totals["denominator_after"]
    width = (persons.min() + 2 * LARGEST) - (persons.max() - 2 * LARGEST)
    low, high = _ends((totals["numerator"] - totals["numerator_after"]) / euros)
    changed = set(rows.loc[rows["numerator"] != rows["numerator_after"], "segment"])
    return float(width), high - low, changed


def dominant_contributor(samples: Deliveries, secret: int) -> tuple[float, float]:
    """Two releases; the second has twelve persons more in one cell, of whom one costs five million euros.

    Returns the ends of the interval in which all printed differences agree, as shares of the five million.
    """
    most, others = 5_000_000.0, 11 * 2_000.0
    after = _with_twelve_persons(samples, most, others)
    sides = [deliveries.release(EUROS, secret=secret_of(secret)) for deliveries in (samples, after)]
    rows = _both(*sides).dropna(subset=["numerator", "numerator_after"])
    # Only the total is attacked: each kind of care has noise of its own, and other kinds are unknown to the reader.
    rows = rows[_holds(rows) & (rows["period"] == int(YEAR)) & (rows["segment"] == "all")]
    difference = (rows["numerator_after"] - rows["numerator"] - others) / most
    return _ends(difference)


def dominated_rows(samples: Deliveries) -> pd.DataFrame:
    """The printed euros of a town in which one person costs fifty million, with their ``effective`` contributors.

    Effective contributors are (Σx)² / Σx²: twelve equal ones are twelve, and one that dominates all is one.
    """
    deliveries = _with_twelve_persons(samples, 5e7, 22_000.0)
    cells, cell = deliveries.cells["claims"], _cell(deliveries)
    printed = deliveries.release(EUROS).dropna(subset=["numerator"])
    printed = printed[
        (printed["region_code"] == TOWN) & (printed["segment"] == "all") & (printed["age_group"] == "all")
    ]
    rows = []
    for sex in printed.loc[printed["period"] == int(YEAR), "sex"]:
        sexes = [cells.labels["sex"].index(sex)] if sex != "all" else slice(None)
        euros, squares = (
            cells.flat(name)[cell[0], cell[1], sexes].sum() for name in ("amount_eur", "amount_eur_sumsq")
        )
        rows.append({"sex": sex, "effective": euros**2 / squares})
    return pd.DataFrame(rows, columns=["sex", "effective"])


def related_indicators(samples: Deliveries) -> pd.Series:
    """The errors of all emergency visits minus those without admission, as an estimate of those with admission."""
    rows = samples.release("emergency_visits", "emergency_visits_not_admitted")
    sides = [part.set_index(KEY)["numerator"] for _, part in rows.groupby("indicator_id")]
    estimate = (sides[0] - sides[1]).dropna()
    truth = samples.exact("emergency_visits_admitted").set_index(KEY)["numerator"].reindex(estimate.index)
    return (estimate - truth)[truth < 40]


def equal_sums(samples: Deliveries) -> dict[str, pd.DataFrame]:
    """The printed numbers of the same sum under two names, in the rows in which both are printed."""
    rows = samples.release(
        "wmo_use", "wmo_cost_per_client", "municipal_cost_per_inhabitant", EUROS, "zvw_cost_per_insured_person"
    )
    by_name = {name: part.set_index(KEY) for name, part in rows.groupby("indicator_id")}
    old = by_name["wmo_cost_per_client"]["numerator"]
    is_old = old.index.get_level_values("age_group").isin(("45-64", "65-74", "75-84", "85+"))
    pairs = {
        "clients of the Wmo": (by_name["wmo_use"]["numerator"], by_name["wmo_cost_per_client"]["denominator"]),
        "euros where the Jeugdwet has none": (old[is_old], by_name["municipal_cost_per_inhabitant"]["numerator"]),
        "euros of the Zvw": (by_name[EUROS]["numerator"], by_name["zvw_cost_per_insured_person"]["numerator"]),
    }
    return {name: pd.concat(sides, axis=1, keys=("one", "other")).dropna() for name, sides in pairs.items()}


def averaged_releases(samples: Deliveries, count: int = 6) -> pd.Series:
    """The errors of the mean of several releases of the same deliveries."""
    name = SHARE_OF_RESIDENTS
    printed = [samples.release(name).set_index(KEY)["numerator"] for _ in range(count)]
    mean = pd.concat(printed, axis=1).dropna().mean(axis=1)
    return mean - samples.exact(name).set_index(KEY)["numerator"].reindex(mean.index)


def counts_from_limits(samples: Deliveries) -> pd.Series:
    """The errors of the count whose Wilson interval is nearest to the printed limits; residents are public."""
    name = SHARE_OF_RESIDENTS
    rows, exact = samples.release(name).set_index(KEY), samples.exact(name).set_index(KEY)["numerator"]
    rows = rows.dropna(subset=["numerator", "lower"])
    candidates = rows["numerator"].to_numpy()[:, np.newaxis] + np.arange(-LARGEST, LARGEST + 1)
    found = proportion(candidates, rows["denominator"].to_numpy()[:, np.newaxis])
    scale = spec_of(name).compute[0].per
    distance = np.abs(found.lower * scale - rows[["lower"]].to_numpy()) + np.abs(
        found.upper * scale - rows[["upper"]].to_numpy()
    )
    guess = np.take_along_axis(candidates, distance.argmin(axis=1)[:, np.newaxis], axis=1)[:, 0]
    return pd.Series(guess, rows.index) - exact.reindex(rows.index)


def counts_from_comparators(samples: Deliveries) -> pd.Series:
    """The errors of the count of the rest of the country that follows from its printed share and public residents."""
    name = SHARE_OF_RESIDENTS
    rows, exact = samples.release(name).set_index(KEY), samples.exact(name).set_index(KEY)
    rows = rows.dropna(subset=["comparator_value"])
    residents = exact["rest_persons"].reindex(rows.index)
    guess = rows["comparator_value"] / spec_of(name).compute[0].per * residents
    # Where a digit of the share is more than half a person, the digits and not the noise limit what follows.
    is_fine = residents / spec_of(name).compute[0].per * 10.0 ** -(spec_of(name).decimals + 1) < 1
    return (guess.round() - exact["rest_cases"].reindex(rows.index))[is_fine]


def candidates_from_digits(samples: Deliveries) -> pd.Series:
    """How many counts of events are possible given the printed digits of a numerator, by this number.

    Events ``n`` of ``c`` persons with squares ``s`` are printed as ``n + d * sqrt(s / c)`` with whole
    ``d``, ``s`` and ``c``.
    """
    rows = samples.release("emergency_visits", "hospital_admissions").dropna(subset=["numerator"])
    numerators = rows.loc[rows["numerator"] < 60, "numerator"]
    found = []
    for printed in numerators:
        events = np.arange(max(1, int(printed) - 12), int(printed) + 13)[:, np.newaxis, np.newaxis]
        change = np.arange(1, LARGEST + 1)[:, np.newaxis]
        persons = np.arange(10, 60)
        squares = ((printed - events) / change) ** 2 * persons
        # A printed digit more or less changes the squares by this much.
        slack = np.maximum(
            2 * np.abs(printed - events) / change**2 * persons * (0.5 if printed == round(printed) else 1e-9), 1e-6
        )
        fits = (np.abs(squares - np.round(squares)) <= slack) & (squares >= events * 0.999) & (persons <= events)
        found.append(int(fits.any(axis=(1, 2)).sum()) + int(printed == round(printed)))
    return pd.Series(found, index=numerators.to_list(), dtype=float)


def small_rows_shown(samples: Deliveries) -> int:
    """The number of printed rows with fewer than ten exact cases."""
    shown = 0
    for name in COUNTS:
        rows, exact = samples.release(name).set_index(KEY), samples.exact(name).set_index(KEY)
        cases = exact["cases"].fillna(exact["numerator"]).reindex(rows.index)
        shown += int((rows["value"].notna() & (cases < 10)).sum())
    return shown


def reasons(samples: Deliveries) -> set[str]:
    """The words that withheld rows give as their reason."""
    rows = samples.release(*COUNTS, EUROS)
    return set(rows.loc[rows["status"] == "suppressed", "reason"])


def reconciled_persons() -> pd.Series:
    """The errors of a person's euros as the difference of two reconciliations, as shares of these euros."""
    random = np.random.default_rng(7)
    euros, all_euros = random.uniform(150, 40_000, 200), random.uniform(2e5, 5e7, 200)
    before = pd.DataFrame({"row_count": random.integers(500, 90_000, 200), "amount_eur": all_euros.round(2)})
    after = before.assign(row_count=before["row_count"] - 3, amount_eur=(before["amount_eur"] - euros).round(2))
    rounding = programme().publication.rounding
    sides = [published_ledger(side, rounding)["amount_eur"] for side in (before, after)]
    return (sides[0] - sides[1] - euros) / euros


def _ends(differences: pd.Series) -> tuple[float, float]:
    """The ends of the interval of an amount in which all differences agree, when one person has all squares."""
    return float(differences.max() / (1 + SHARE * BOUND)), float(differences.min() / (1 - SHARE * BOUND))


def _both(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The rows of two releases side by side."""
    return before.merge(after[[*KEY, "numerator", "denominator"]], on=KEY, suffixes=("", "_after"))


def _holds(rows: pd.DataFrame) -> pd.Series:
    """Which rows hold the town and cell of the attack."""
    in_region = rows["region_code"].isin((TOWN, "GG5006", "ZK27", "PV29", "NL01")) | rows["region_code"].str.startswith(
        "SAMPLE01"
    )
    return in_region & rows["sex"].isin(("all", SEX)) & rows["age_group"].isin(("all", "45-64"))


def _cell(samples: Deliveries, band: str = BAND) -> tuple[int, ...]:
    labels = samples.cells["claims"].labels
    wanted = {"period": YEAR, "municipality_code": TOWN, "sex": SEX, "age_band": band}
    return tuple(labels[axis].index(label) for axis, label in wanted.items())


def _without(municipality: int) -> Callable[[dict[str, np.ndarray]], None]:
    def remove(sums: dict[str, np.ndarray]) -> None:
        for array in sums.values():
            array[:, municipality] = np.nan

    return remove


def _small_cells(samples: Deliveries, estimate: pd.DataFrame, indicators: tuple[str, ...]) -> pd.DataFrame:
    """Estimates and the exact numerators of municipalities with at most nine cases."""
    exact = pd.concat([samples.exact(name).assign(indicator_id=name) for name in indicators])
    exact = exact[exact["region_type"] == "municipality"]
    key = ["indicator_id", *(name for name in KEY if name != "region_type")]
    exact = exact.assign(truth=exact["numerator"], cases=exact["cases"].fillna(exact["numerator"]))
    both = estimate.merge(exact[[*key, "truth", "cases"]], on=key)
    return both[both["cases"] <= 9].assign(error=lambda rows: rows["estimate"] - rows["truth"])


def _with_twelve_persons(samples: Deliveries, most: float, others: float) -> Deliveries:
    """Twelve persons more in one cell; one costs ``most``, the other eleven ``others`` together."""

    def add(sums: dict[str, np.ndarray]) -> None:
        cell = _cell(samples)
        for name in ("insured_person_count", "insured_years"):
            sums[name][cell] += 12
        for kind in ("", "[care_kind=hospital]"):
            sums[f"amount_eur{kind}"][cell] += most + others
            sums[f"amount_eur_sumsq{kind}"][cell] += most**2 + others**2 / 11

    return samples.with_cells("claims", add)
