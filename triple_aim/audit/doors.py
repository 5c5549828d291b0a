"""The doors of the indicator values: each function finds what one kind of combination gives away.

Not here: the other tables (``tables``), or the order in which doors are tried (``examination``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from triple_aim.audit.companions import Companions
from triple_aim.audit.feasible import Floats, Least, Mask, intervals
from triple_aim.audit.findings import KNOWN, NARROW, SHARE, Finding
from triple_aim.audit.printed import LAYER, PLACE, ROW, Release
from triple_aim.audit.rules import NO_AGE
from triple_aim.audit.sums import Cells
from triple_aim.vocabulary import ALL, SHOWN

NUMBERS = ("value", "lower", "upper", "numerator", "denominator")
REST = ("comparator_value", "comparator_lower", "comparator_upper")
#: What a withheld row may say about the comparison with the rest.
NOT_COMPARED = "not_compared"

OLDEST = NO_AGE[1]

CellKey = tuple[object, ...]
LEFT_OUT, CHANGE = "left out", "change"


@dataclass(frozen=True)
class Narrow:
    """The cells whose feasible intervals are too narrow, by what identifies them, and the work that it took."""

    widths: dict[CellKey, Finding]
    examined: int
    programs: int
    contradictions: int
    chances: int  # withheld counts whose intervals noise alone can make narrow


def narrow_cells(cells: Cells, differences: Sequence[Difference] = ()) -> Narrow:
    """Return the withheld and small cells, and differences of cells, of which a reader knows too much."""
    own = cells.targets
    targets = np.concatenate([own, [difference.unknown for difference in differences]]).astype(np.intp)
    is_amount = np.concatenate([(cells.table["kind"] == "magnitude").to_numpy()[own], [False] * len(differences)])

    least = Least(np.where(is_amount, 2 * SHARE, NARROW), np.where(is_amount, 2 * SHARE, 0.0))
    found = intervals(cells.system, targets, least)
    table = cells.table
    hidden = table["is_perturbed"] & table["number"].isna() & table["kind"].isin(["persons", "events"])
    can_be = hidden.to_numpy()[own]
    narrow = np.flatnonzero(~least.is_met(found.lower, found.upper))
    widths = {}
    for number in narrow:
        width = float(max(0.0, found.upper[number] - found.lower[number]))
        if number < len(own):
            cell = int(own[number])
            chance = bool(can_be[number]) and found.lower[number] < KNOWN <= width
            widths[_key(cells.table, cell)] = replace(_cell_finding(cells.table, cell, width), may_be_chance=chance)
        else:
            difference = differences[int(number) - len(own)]
            widths[difference.key] = difference.finding(width)
    return Narrow(widths, len(targets), found.programs, found.contradictions, int(can_be.sum()))


def _key(table: pd.DataFrame, cell: int) -> CellKey:
    return tuple(table.loc[cell, [*LAYER, *PLACE]])


def _cell_finding(table: pd.DataFrame, cell: int, width: float) -> Finding:
    row = table.iloc[cell]
    what = "an amount" if row["kind"] == "magnitude" else "a withheld or small count"
    place = str(row["region_type"]), str(row["region_code"]), int(row["period"])
    return Finding("", what, str(row["indicator_id"]), *place, _persons(row), width)


def _persons(row: pd.Series) -> str:
    """Which persons a cell is about, in words."""
    ages = f"{row['low']}+" if row["high"] == OLDEST else f"{row['low']}-{row['high'] - 1}"
    ages = "" if (row["low"], row["high"]) == NO_AGE else ages
    column = str(row["column"])
    segment = column[column.index("[") : column.index("]") + 1] if "[" in column else ""
    return " ".join(filter(None, ["" if row["sex"] == ALL else str(row["sex"]), ages, segment]))


@dataclass(frozen=True)
class Difference:
    """The difference of one cell between two releases, or of a region whose municipalities changed."""

    unknown: int
    key: CellKey
    row: pd.Series
    what: str

    def finding(self, width: float) -> Finding:
        """The difference as a finding."""
        place = str(self.row["region_type"]), str(self.row["region_code"]), int(self.row["period"])
        return Finding("", self.what, str(self.row["indicator_id"]), *place, _persons(self.row), width)


def differences(cells: Cells) -> list[Difference]:
    """Add an unknown for every small difference between two releases; the printed numbers show which are small."""
    table, found = cells.table, []
    counts = table[table["kind"].isin(["persons", "events"]) & table["number"].notna()]
    layer = [name for name in LAYER if name != "release"]
    for key, group in counts.groupby([*layer, *PLACE, "drawn"], sort=False):
        if len(group) > 1:
            found += _pairs(cells, group, key, "a change between releases")
    for key, earlier, later in _redrawn(cells):
        pair = table.loc[[earlier, later]]
        found += _pairs(cells, pair, key, "a piece of a redrawn region")
    return found


def left_out(cells: Cells) -> list[Difference]:
    """Add an unknown for each group that one source counts and another, otherwise equal one does not."""
    table, found = cells.table, []
    wholes = {
        (number, rules.family): rules.part_of
        for number, release in enumerate(cells.reading.releases)
        for rules in release.rules.sources.values()
        if rules.part_of
    }
    for layer, column in list(cells.layers.items()):
        whole = wholes.get((int(str(layer[0])), str(layer[1])))
        other = cells.layers.get((layer[0], whole, *layer[2:])) if whole else None
        if other is None:
            continue
        for place in np.flatnonzero((column >= 0) & (other >= 0)):
            part, total = int(column[place]), int(other[place])
            if max(part, total) >= len(table) or table["kind"][part] not in ("persons", "events"):
                continue
            rest = cells.system.unknown()
            cells.system.total(total, (part, rest))
            numbers = table["number"][[total, part]].to_numpy(float)
            if not numbers[0] - numbers[1] >= 2 * NARROW:
                key = (LEFT_OUT, *layer, *cells.places[place])
                found.append(Difference(rest, key, table.iloc[part], "a group that one source leaves out"))
    return found


def _pairs(cells: Cells, group: pd.DataFrame, key: object, what: str) -> list[Difference]:
    """A difference of each cell and the next one, where the printed numbers differ by a few persons."""
    found = []
    labels = key if isinstance(key, tuple) else (key,)
    for first, second in zip(group.index[:-1], group.index[1:], strict=True):
        change = float(group["number"][first] - group["number"][second])
        if change != 0 and abs(change) < 2 * NARROW:
            lower, upper = cells.system.lower, cells.system.upper
            unknown = cells.system.unknown(lower[first] - upper[second], upper[first] - lower[second])
            cells.system.relation((unknown, int(first), int(second)), (1.0, -1.0, 1.0))
            found.append(Difference(unknown, (CHANGE, *labels, first, second), cells.table.iloc[int(first)], what))
    return found


def _redrawn(cells: Cells) -> Iterator[tuple[CellKey, int, int]]:
    """The cells of one region in two releases between which its municipalities changed, some only added or taken."""
    places = cells.reading.places
    printed = len(cells.table)
    for first in range(len(places)):
        for second in range(first + 1, len(places)):
            changed = [
                number
                for number, place in enumerate(cells.places)
                if _is_nested(places[first].of(place), places[second].of(place))
            ]
            for layer, column in cells.layers.items():
                other = cells.layers.get((second, *layer[1:])) if layer[0] == first else None
                for place in changed if other is not None else []:
                    one, two = int(column[place]), int(other[place]) if other is not None else -1
                    if min(one, two) >= 0 and max(one, two) < printed and one != two:
                        numbers = cells.table["number"][[one, two]]
                        if numbers.notna().all() and cells.table["kind"][one] in ("persons", "events"):
                            yield (*layer, *cells.places[place]), one, two


def _is_nested(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether one set of municipalities is a smaller part of the other."""
    return one < other or other < one


def companions_findings(companions: Companions) -> Iterator[Finding]:
    """Values, limits and comparators that were computed from other sums than those printed."""
    for door, what, rows in (
        ("fractions", "a value gives another numerator than the printed one", companions.fractions),
        ("limits", "limits give another numerator than the printed one", companions.limits),
        ("comparators", "the rest of the country is not the country less the region", companions.comparators),
    ):
        yield from by_indicator(door, what, rows)


def by_indicator(door: str, what: str, rows: pd.DataFrame) -> Iterator[Finding]:
    """One finding per indicator, with the first row and the number of rows."""
    for _, group in rows.groupby("indicator_id", sort=True) if len(rows) else ():
        yield _row_finding(door, what, group)


def _row_finding(door: str, what: str, group: pd.DataFrame) -> Finding:
    row = dict(zip(ROW, group[ROW].iloc[0], strict=True))
    persons = " ".join(str(row[name]) for name in ("sex", "age_group", "segment") if row[name] != ALL)
    place = str(row["region_type"]), str(row["region_code"]), int(row["period"])
    return Finding(door, what, str(row["indicator_id"]), *place, persons, count=len(group))


def clash_findings(cells: Cells) -> Iterator[Finding]:
    """The same persons counted with different changes: one cell printed with two numbers."""
    for cell in cells.clashes.index:
        finding = _cell_finding(cells.table, int(cell), 0.0)
        yield Finding(
            "related_indicators",
            "one sum is printed with two numbers",
            finding.indicator,
            finding.region_type,
            finding.region_code,
            finding.period,
            finding.persons,
        )


def unperturbed_findings(cells: Cells) -> Iterator[Finding]:
    """Columns that the rules perturb and whose sums nevertheless add up to the last digit."""
    for family, column in sorted(cells.exact):
        mine = cells.table[(cells.table["family"] == family) & (cells.table["column"] == column)]
        finding = _cell_finding(cells.table, int(mine.index[0]), 0.0)
        yield Finding(
            "one_release",
            f"{column} adds up exactly, so it is not perturbed",
            finding.indicator,
            finding.region_type,
            finding.region_code,
            finding.period,
            count=len(mine),
        )


def magnitude_findings(cells: Cells) -> Iterator[Finding]:
    """Exact amounts: whoever knows the other persons of a cell knows the amount of its largest one.

    Amounts with little noise, of a column whose noise adds up: subtracting them gives a withheld amount as precisely.
    """
    table = cells.table
    for number, release in enumerate(cells.reading.releases):
        noise = release.rules.magnitude_noise
        amounts = table[(table["kind"] == "magnitude") & table["is_perturbed"] & (table["release"] == number)]
        # A printed amount y of one person leaves y/(1+noise) to y/(1-noise).
        if len(amounts) and release.rules.magnitudes_add_up and 2 * noise / (1 + noise) < 2 * SHARE:
            one = _cell_finding(table, int(amounts.index[0]), 0.0)
            place = one.region_type, one.region_code, one.period
            what = "the noise of amounts is too small"
            yield Finding("magnitudes", what, one.indicator, *place, one.persons, count=len(amounts))
    exact = table[(table["kind"] == "magnitude") & table["number"].notna() & ~table["is_perturbed"]]
    exact = exact[(exact["number"] > 0) & (exact["mode"] != "as_delivered")]
    for (indicator, _), group in exact.groupby(["indicator_id", "column"], sort=True):
        first = _cell_finding(table, int(group.index[0]), 0.0)
        yield Finding(
            "magnitudes",
            "exact amounts are printed",
            str(indicator),
            first.region_type,
            first.region_code,
            first.period,
            first.persons,
            0.0,
            len(group),
        )


def reason_findings(release: Release) -> Iterator[Finding]:
    """Withheld rows of one source with more than one reason: the word then narrows the count."""
    values = release.values
    withheld = values[values["status"] == "suppressed"]
    for _, rows in withheld.groupby("source", sort=True):
        usual = rows["reason"].value_counts().index[0]
        others = rows[rows["reason"] != usual]
        yield from by_indicator("reasons", "a withheld row has a reason of its own", others)


def shown_findings(release: Release) -> Iterator[Finding]:
    """Withheld rows that show a number or a verdict."""
    values = release.values
    withheld = values[~values["status"].isin(SHOWN)]
    has_number = withheld[[*NUMBERS, *REST]].notna().any(axis=1)
    suppressed = withheld["status"] == "suppressed"
    verdict = suppressed & (
        (withheld["difference"] != NOT_COMPARED) | (withheld["judgement"] != NOT_COMPARED)
        if {"difference", "judgement"} <= set(withheld.columns)
        else False
    )
    yield from by_indicator("one_release", "a withheld row shows a number", withheld[has_number])
    yield from by_indicator("one_release", "a withheld row shows a verdict", withheld[verdict & ~has_number])


def digit_findings(release: Release) -> Iterator[Finding]:
    """Numbers with more digits than the rules state, and perturbed sums with digits behind the point."""
    columns = {"numerator": "numerator", "denominator": "denominator", "value": "value", "comparator_value": "value"}
    columns |= dict.fromkeys(("lower", "upper", "comparator_lower", "comparator_upper"), "limits")
    for (indicator, source), rows in release.values.groupby(["indicator_id", "source"], sort=True):
        route = release.rules.routes[str(indicator), str(source)]
        if release.rules.sources[str(source)].mode != "cell_key":
            continue
        bad = np.zeros(len(rows), dtype=bool)
        for column, name in columns.items():
            if column in ("numerator", "denominator") and getattr(route, f"{column}_kind") in ("public", "none"):
                continue
            digits = route.digits.get(name)
            if digits is None and name == "numerator" and route.numerator_kind in ("persons", "events", "magnitude"):
                digits = 0
            if digits is not None:
                bad |= _has_more_digits(rows[column].to_numpy(float), digits)
        yield from by_indicator("fractions", "a number has more digits than the rules state", rows[bad])


def _has_more_digits(numbers: Floats, digits: int) -> Mask:
    scaled = numbers * 10.0**digits
    off = np.abs(scaled - np.round(scaled)) > np.maximum(1e-6, 1e-12 * np.abs(scaled))
    found: Mask = off & np.isfinite(numbers)
    return found


def with_door(door: str, findings: Iterable[Finding]) -> list[Finding]:
    """The findings, as those of a door."""
    return [replace(one, door=door) for one in findings]
