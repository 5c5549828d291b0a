"""Counts that follow from other numbers of a row: values, limits of intervals, and values of the rest of the country.

Not here: sums (``sums``).

For a plain quotient the numerator is ``value * denominator / per``; the limits of Wilson and Byar give a numerator too,
whatever factor widened them; the value of the rest gives the numerator of the country less that of the region. Where
such a number agrees with the printed sums, it says nothing new. Where it does not, it was computed from other sums, and
the reader takes it for the exact one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from triple_aim.audit.feasible import Floats, Mask, System
from triple_aim.audit.printed import ROW, quotient_rows
from triple_aim.audit.sums import Cells

#: Limits differ from the printed numerator if the numerator that it implies differs by more than this.
LIMIT_TOLERANCE = 0.5
#: A fraction is a fraction if it is this far from a whole number, and its rounding is a third of that at most.
FRACTION = 0.05
FLOAT = 1e-9


@dataclass(frozen=True)
class Companions:
    """Rows whose companions do not agree with the printed sums, by door."""

    fractions: pd.DataFrame
    limits: pd.DataFrame
    comparators: pd.DataFrame


def add_companions(cells: Cells, indicators: set[str] | None = None) -> Companions:
    """Add to the system what values, limits and comparators say; the rows that do not agree with the sums."""
    rows = quotient_rows(cells.reading.releases, indicators)
    if rows.empty:
        return Companions(rows, rows, rows)
    cell = np.array(
        [
            cells.of_row.get((int(release), int(row), "numerator"), -1)
            for release, row in zip(rows["release"], rows["row"], strict=True)
        ]
    )
    denominator = _denominators(cells, rows)
    rules, release = [release.rules for release in cells.reading.releases], rows["release"].to_numpy(int)
    largest = np.array([one.largest_change for one in rules])[release]
    share = np.array([one.magnitude_noise for one in rules])[release]
    euros = rows["value"].to_numpy(float) * denominator / rows["per"].to_numpy(float)
    is_magnitude = (rows["numerator_kind"] == "magnitude").to_numpy()
    noise = np.where(is_magnitude, share / (1 - share) * np.abs(euros), largest)
    noise = np.where(rows["mode"] == "cell_key", noise, 0.0)
    is_count = rows["numerator_kind"].isin(["persons", "events"]).to_numpy()
    values = _from_values(cells.system, rows, cell, denominator, noise, is_count)
    limits = _from_limits(cells.system, rows, cell, denominator, noise, is_count)
    rest = _from_rest(cells, rows, cell, denominator, noise)
    return Companions(rows[values], rows[limits], rows[rest])


def _denominators(cells: Cells, rows: pd.DataFrame) -> Floats:
    """The printed denominator of each row, in the row itself or as a number of another row."""
    own = rows["denominator"].to_numpy(float)
    number = cells.table["number"].to_numpy(float)
    elsewhere = [
        number[cells.of_row[key]] if (key := (int(release), int(row), "denominator")) in cells.of_row else np.nan
        for release, row in zip(rows["release"], rows["row"], strict=True)
    ]
    return np.where(np.isnan(own), np.array(elsewhere, dtype=float), own)


def _half_unit(digits: pd.Series, number: Floats) -> Floats:
    """Half a unit of the last printed digit; floating point where numbers are printed as computed."""
    given = pd.to_numeric(digits).to_numpy(float)
    return np.where(np.isnan(given), FLOAT * np.abs(number), 0.5 * 10.0 ** -np.nan_to_num(given))


def _rounding(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Half a unit of the printed numerator and denominator; 0 for persons, of whom there is a whole number."""
    halves = []
    for name in ("numerator", "denominator"):
        half = _half_unit(rows[f"{name}_digits"], rows[name].to_numpy(float))
        halves.append(np.where(rows[f"{name}_kind"].isin(["persons", "public"]), 0.0, np.nan_to_num(half)))
    return halves[0], halves[1]


def _from_values(
    system: System, rows: pd.DataFrame, cell: np.ndarray, denominator: Floats, noise: Floats, is_count: Mask
) -> Mask:
    """Numerators from values: bounds where the numerator is withheld; another number, or a fraction, where not."""
    value, per = rows["value"].to_numpy(float), rows["per"].to_numpy(float)
    half_value = _half_unit(rows["value_digits"], value)
    half_numerator, half_denominator = _rounding(rows)
    implied = value * denominator / per
    # The value is computed from the numbers as they are printed, or before they are rounded.
    slack = half_value * denominator / per + np.nan_to_num(np.abs(value) / per * half_denominator, nan=0.0)
    printed = rows["numerator"].to_numpy(float)
    differs = np.abs(implied - printed) > slack + half_numerator + FLOAT * np.abs(printed)
    fine = half_value * denominator / per
    fraction = (
        is_count
        & (rows["mode"] == "cell_key").to_numpy()
        & (half_denominator == 0)
        & (fine < FRACTION / 3)
        & (np.abs(implied - np.round(implied)) > FRACTION)
    )
    for index in np.flatnonzero((cell >= 0) & np.isfinite(implied)):
        if np.isnan(printed[index]):
            reach = slack[index] + noise[index]
            system.narrow(int(cell[index]), implied[index] - reach, implied[index] + reach)
        elif differs[index]:
            _pin(system, int(cell[index]), implied[index], slack[index])
    found: Mask = (differs | fraction) & np.isfinite(implied)
    return found


def _pin(system: System, cell: int, number: float, slack: float) -> None:
    """State that the true number is this one, in a new unknown, so that a contradiction with a bound is not lost."""
    pinned = system.unknown(max(0.0, number - slack), number + slack)
    system.relation((cell, pinned), (1.0, -1.0))


def _from_limits(
    system: System, rows: pd.DataFrame, cell: np.ndarray, denominator: Floats, noise: Floats, is_count: Mask
) -> Mask:
    """Numerators from the limits of Wilson and Byar."""
    lower, upper = rows["lower"].to_numpy(float), rows["upper"].to_numpy(float)
    half = _half_unit(rows["limit_digits"], np.maximum(np.abs(lower), np.abs(upper)))
    printed, found = rows["numerator"].to_numpy(float), np.zeros(len(rows), dtype=bool)
    changes = (rows["mode"] == "cell_key").to_numpy()
    is_widened = changes & _is_widened(rows, printed, denominator, half)
    for method, invert in (("wilson", _wilson_numerator), ("byar", _byar_numerator)):
        mine = np.flatnonzero(
            (rows["interval"] == method).to_numpy()
            & np.isfinite(lower + upper + denominator)
            & is_count
            & (upper > lower)
        )
        if not mine.size:
            continue
        per = rows["per"].to_numpy(float)[mine]
        corners = [
            invert((lower[mine] + a * half[mine]) / per, (upper[mine] + b * half[mine]) / per, denominator[mine])
            for a in (-1.0, 1.0)
            for b in (-1.0, 1.0)
        ]
        low, high = np.nanmin(corners, axis=0), np.nanmax(corners, axis=0)
        for index, first, last in zip(mine, low, high, strict=True):
            middle, slack = (first + last) / 2, (last - first) / 2
            if not np.isfinite(middle):
                continue
            if np.isnan(printed[index]) and cell[index] >= 0:
                if changes[index]:
                    continue  # the limits contain the noise too, so they say less than the value
                reach = slack + noise[index] + LIMIT_TOLERANCE
                system.narrow(int(cell[index]), middle - reach, middle + reach)
            elif abs(middle - printed[index]) > slack + LIMIT_TOLERANCE + 0.5 and not is_widened[index]:
                found[index] = True
                if cell[index] >= 0:
                    _pin(system, int(cell[index]), middle, slack + LIMIT_TOLERANCE)
    return found


def _is_widened(rows: pd.DataFrame, cases: Floats, persons: Floats, half: Floats) -> Mask:
    """Whether limits are those of the printed sums, widened by a variance of any size.

    A variance ``v`` is added by ``(value - lower)² + z² v`` and ``(upper - value)² + z² v`` (square-and-add), so the
    difference of the squares is that of the printed sums. A limit that was cut off at 0 or at the whole shows nothing.
    """
    per, z = rows["per"].to_numpy(float), ndtri((1 + rows["level"].to_numpy(float)) / 2)
    lower, upper = rows["lower"].to_numpy(float), rows["upper"].to_numpy(float)
    value = cases / persons * per
    with np.errstate(invalid="ignore", divide="ignore"):
        root = z * np.sqrt(z**2 + 4 * cases * (1 - cases / persons))
        wilson = [(2 * cases + z**2 + sign * root) / (2 * (persons + z**2)) for sign in (-1.0, 1.0)]
        byar = [
            count * (1 - 1 / (9 * count) + sign * z / (3 * np.sqrt(count))) ** 3 / persons
            for count, sign in ((cases, -1.0), (cases + 1, 1.0))
        ]
        is_byar = (rows["interval"] == "byar").to_numpy()
        first, last = (np.where(is_byar, b, w) * per for w, b in zip(wilson, byar, strict=True))
        expected = (last - value) ** 2 - (value - first) ** 2
        above, below = upper - value, value - lower
        # Rounding moves each limit by half a unit at most.
        slack = 2 * half * (above + below) + 2 * half**2 + FLOAT * (above**2 + below**2)
        is_wide = (above + half >= last - value) & (below + half >= value - first)
        is_cut = (lower <= half) | ((rows["interval"] == "wilson").to_numpy() & (upper >= per - half))
        result: Mask = is_cut | (is_wide & (np.abs(above**2 - below**2 - expected) <= slack))
    return result


def _wilson_numerator(lower: Floats, upper: Floats, denominator: Floats) -> Floats:
    """The cases whose Wilson interval is this one, for any effective number of persons.

    With centre m and half-width h, ``p`` solves ``m = (p + a) / (1 + 2 a)`` and ``h² (1 + 2 a)² = 2 a p (1 - p) + a²``
    for ``a = z² / (2 n)``; z drops out, because n is free.
    """
    centre, half = (lower + upper) / 2, (upper - lower) / 2
    k = 1 - 2 * centre  # p = m - a k
    # The second equation is solved for a by fixed-point steps.
    a = half**2 / np.maximum(2 * centre * (1 - centre), 1e-12)
    for _ in range(60):
        p = np.clip(centre - a * k, 1e-12, 1 - 1e-12)
        a = np.maximum((half**2 * (1 + 2 * a) ** 2 - a**2) / (2 * p * (1 - p)), 0.0)
        a = np.minimum(a, 1.0)
    result: Floats = np.clip(centre - a * k, 0, 1) * denominator
    return result


def _byar_numerator(lower: Floats, upper: Floats, denominator: Floats) -> Floats:
    """The cases whose interval of Byar is this one, for any factor that widened z.

    ``lower = o (1 - 1/(9 o) - k/(3 sqrt(o)))³`` and ``upper = (o+1) (1 - 1/(9 (o+1)) + k/(3 sqrt(o+1)))³``: each gives
    k for a given o; the o at which both agree is found by bisection.
    """
    low_count, high_count = np.maximum(lower * denominator, 0.0), upper * denominator
    first, last = np.maximum(low_count, 1e-6), np.maximum(high_count, 2e-6)
    for _ in range(60):
        middle = (first + last) / 2
        k_low = 3 * np.sqrt(middle) * (1 - 1 / (9 * middle) - np.cbrt(low_count / middle))
        k_high = 3 * np.sqrt(middle + 1) * (np.cbrt(high_count / (middle + 1)) - 1 + 1 / (9 * (middle + 1)))
        # A larger o is further above the lower limit and nearer to the upper one.
        too_large = k_low > k_high
        first, last = np.where(too_large, first, middle), np.where(too_large, middle, last)
    result: Floats = (first + last) / 2
    return result


def _from_rest(cells: Cells, rows: pd.DataFrame, cell: np.ndarray, denominator: Floats, noise: Floats) -> Mask:
    """Numerators of the country less a region, from the value of the rest of the country."""
    key = ["release", "indicator_id", "source", "period", "sex", "age_group", "segment_type", "segment"]
    country = _country_rows(cells, rows, key)
    joined = rows.reset_index(drop=True).merge(country, on=key, how="left", suffixes=("", "_country"))
    value, per = joined["comparator_value"].to_numpy(float), joined["per"].to_numpy(float)
    half_value = _half_unit(joined["value_digits"], value)
    rest = joined["country_denominator"].to_numpy(float) - denominator
    half_numerator, half_denominator = _rounding(joined)
    implied = value * rest / per
    slack = half_value * np.abs(rest) / per + 2 * half_denominator * np.abs(value / per) + FLOAT * np.abs(implied)
    here, whole = joined["numerator"].to_numpy(float), joined["country_numerator"].to_numpy(float)
    differs = np.abs(implied - (whole - here)) > slack + 2 * half_numerator + FLOAT * np.abs(whole)
    found = np.zeros(len(rows), dtype=bool)
    wide: dict[int, tuple[float, float, float]] = {}
    for index in np.flatnonzero(np.isfinite(implied) & (joined["region_type"] != "nl").to_numpy()):
        both = (int(joined["country_cell"].iloc[index]), int(cell[index]))
        if min(both) < 0:
            continue
        low, high = implied[index] - slack[index], implied[index] + slack[index]
        if np.isnan(whole[index]) and np.isfinite(here[index]):
            first, last, _ = wide.get(both[0], (-np.inf, np.inf, 0.0))
            half = 2 * half_numerator[index]
            wide[both[0]] = (max(first, here[index] + low - half), min(last, here[index] + high + half), noise[index])
            if noise[index] == 0:
                cells.system.relation(both, (1.0, -1.0), low, high)
        elif differs[index]:
            found[index] = True
            cells.system.relation(both, (1.0, -1.0), low, high)
    for whole_cell, (first, last, extra) in wide.items():
        if first <= last:
            cells.system.narrow(whole_cell, first - extra, last + extra)
    return found


def _country_rows(cells: Cells, rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The country's numerator, denominator and cell of every breakdown, also where its row is withheld."""
    parts = []
    for index, release in enumerate(cells.reading.releases):
        country = release.values[release.values["region_type"] == "nl"]
        numbers = cells.table["number"].to_numpy(float)
        cell = {
            role: np.array([cells.of_row.get((index, int(row), role), -1) for row in country.index], dtype=int)
            for role in ("numerator", "denominator")
        }
        elsewhere = np.where(cell["denominator"] >= 0, numbers[cell["denominator"]], np.nan)
        own = country["denominator"].to_numpy(float)
        parts.append(
            country.assign(
                release=index,
                country_cell=cell["numerator"],
                country_numerator=country["numerator"],
                country_denominator=np.where(np.isnan(own), elsewhere, own),
            )[[*key, "country_cell", "country_numerator", "country_denominator"]]
        )
    joined = pd.concat(parts, ignore_index=True)
    joined["release"] = joined["release"].astype(rows["release"].dtype)
    return joined


def described(rows: pd.DataFrame) -> list[dict[str, object]]:
    """What each row is about."""
    return [dict(zip(ROW, labels, strict=True)) for labels in rows[ROW].itertuples(index=False, name=None)]
