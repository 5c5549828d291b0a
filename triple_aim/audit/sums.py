"""Which cells add up: sexes, ages, segments, regions, pooled years, and columns that are parts of another.

Not here: solving the system (``feasible``), or what values, limits and comparators add to it (``companions``).

The reader of a release knows that a region is the sum of its municipalities, also where these are withheld, and that
equal columns under several indicators are one number. A municipality without any row of a source delivered nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triple_aim.audit.feasible import Ints, System
from triple_aim.audit.places import COUNTRY, MUNICIPALITY, Place
from triple_aim.audit.printed import LAYER, PLACE, Reading, printed_sums
from triple_aim.audit.rules import Fact, Rules
from triple_aim.vocabulary import ALL, part

#: A printed count is small where the true one may be below this number.
SMALL = 10
#: Relative size of the rounding of floating point.
FLOAT = 1e-9
#: A column is exact where at least this share of its sums, and at least so many, add up to the last digit.
EXACT_SHARE, EXACT_SUMS = 0.9, 12

#: Labels of a cell that do not identify it.
CARRIED = ("release", "row", "kind", "mode", "indicator_id", "largest_change")

Layer = tuple[object, ...]  # release, family, column, first age, first age above, sex, period, pooled years


@dataclass
class Cells:
    """Every cell with what is printed of it, and the system of what a reader knows.

    ``table`` has one row per cell, whose index is the number of its unknown; ``of_row`` gives the cell of the
    numerator and of the denominator of each row, by release, row and role.
    """

    reading: Reading
    system: System
    table: pd.DataFrame
    of_row: Mapping[tuple[int, int, str], int]
    layers: dict[Layer, Ints]
    places: list[Place]
    clashes: pd.DataFrame  # prints of one cell that differ
    exact: frozenset[tuple[str, str]]  # family and column of sums that should be perturbed and are not
    printed_relations: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    public: set[int] = field(default_factory=set)  # cells that are zero by law

    def cell(self, layer: Layer, place: int) -> int:
        """The cell of a layer and a place; a new unknown, which nobody prints, where there is none."""
        cells = self.layers.get(layer)
        if cells is None:
            cells = self.layers[layer] = np.full(len(self.places), -1, dtype=np.intp)
        if cells[place] < 0:
            cells[place] = self.system.unknown()
        return int(cells[place])

    @property
    def targets(self) -> Ints:
        """The cells that must stay uncertain: withheld everywhere, or so small that the true count may be below 10."""
        table = self.table
        hidden = table["is_withheld"] & table["number"].isna() & table["kind"].isin(["persons", "events", "magnitude"])
        largest = table["largest_change"]
        small = table["is_perturbed"] & table["kind"].isin(["persons", "events"]) & (table["number"] - largest < SMALL)
        wanted = (hidden | small).to_numpy().copy()
        wanted[list(self.public)] = False
        return np.flatnonzero(wanted)


def build_cells(
    reading: Reading, indicators: set[str] | None = None, exact: frozenset[tuple[str, str]] = frozenset()
) -> Cells:
    """Return the cells of all releases and the sums among them; only those of some indicators, if these are given."""
    sums = printed_sums(reading.releases, indicators)
    sums = sums[sums["kind"] != "public"].reset_index(drop=True)
    if sums.empty:
        return Cells(reading, System(), _no_cells(), {}, {}, [], _no_cells(), exact)
    sums["drawn"] = _drawings(sums, reading)
    sums["version"] = _versions(sums, reading)
    _add_bounds(sums, reading, exact)
    key = [*[name for name in LAYER if name != "release"], *PLACE, "drawn", "version"]
    sums["cell"] = sums.groupby(key, sort=False).ngroup()
    table, clashes = _table(sums, key)
    system = System()
    for lower, upper, widens in zip(table["lower"], table["upper"], table["widens"], strict=True):
        system.unknown(lower, upper, widens)
    place_code = sums.groupby(PLACE, sort=False).ngroup().to_numpy()
    first = np.unique(place_code, return_index=True)[1]
    places = [(str(kind), str(code)) for kind, code in sums.loc[first, PLACE].to_numpy()]
    layers: dict[Layer, Ints] = {}
    layer_code = sums.groupby(LAYER, sort=False).ngroup().to_numpy()
    grid = np.full((int(layer_code.max(initial=-1)) + 1, len(places)), -1, dtype=np.intp)
    grid[layer_code, place_code] = sums["cell"].to_numpy()
    first = np.unique(layer_code, return_index=True)[1]
    for number, labels in enumerate(sums.loc[first, LAYER].itertuples(index=False, name=None)):
        layers[tuple(labels)] = grid[number]
    rows = zip(sums["release"], sums["row"], sums["role"], strict=True)
    of_row = dict(zip(rows, sums["cell"].to_numpy(), strict=True))
    cells = Cells(reading, system, table, of_row, layers, places, clashes, exact)
    _add_relations(cells, sums)
    return cells


def _no_cells() -> pd.DataFrame:
    texts = [*[name for name in LAYER if name != "release"], *PLACE, "drawn", "mode", "kind", "indicator_id"]
    numbers = ["number", "largest_change", "half_unit", "release"]
    flags = ["is_perturbed", "is_withheld", "is_delivered"]
    columns = {name: pd.Series(dtype=object) for name in texts} | {name: pd.Series(dtype=float) for name in numbers}
    return pd.DataFrame(columns | {name: pd.Series(dtype=bool) for name in flags})


def _drawings(sums: pd.DataFrame, reading: Reading) -> NDArray[np.intp]:
    """A number per row for the municipalities of its region: a redrawn region is another one."""
    labels = sums[["release", *PLACE]].drop_duplicates()
    known: dict[frozenset[str], int] = {}
    drawing = {
        (int(release), kind, code): known.setdefault(reading.places[int(release)].of((kind, code)), len(known))
        for release, kind, code in labels.itertuples(index=False, name=None)
    }
    rows = sums[["release", *PLACE]].itertuples(index=False, name=None)
    return np.array([drawing[int(release), kind, code] for release, kind, code in rows], dtype=np.intp)


def _versions(sums: pd.DataFrame, reading: Reading) -> NDArray[np.intp]:
    """A number per row: rows of several releases with one number are about the same true number.

    Where the manifests name the same deliveries, everything is. Otherwise nothing is: two equal printed numbers do not
    show that the true number is unchanged, because a new change may be as large as the difference.
    """
    changed = ~sums["family"].isin(unchanged_families(reading)).to_numpy()
    several = len(reading.releases) > 1
    return np.where(changed & several, 1 + sums["release"].to_numpy(int), 0)


def unchanged_families(reading: Reading) -> set[str]:
    """The families whose deliveries are the same in all releases, as their manifests say."""
    names = {rules.family for release in reading.releases for rules in release.rules.sources.values()}
    return {name for name in names if _is_unchanged(name, reading)}


def _is_unchanged(family: str, reading: Reading) -> bool:
    extracts = {
        extract
        for release in reading.releases
        for rules in release.rules.sources.values()
        if rules.family == family
        for extract in rules.extracts
    }
    inputs = [
        {name: value for name, value in release.inputs.items() if not extracts or name.split("/")[0] in extracts}
        for release in reading.releases
    ]
    return bool(inputs[0]) and all(other == inputs[0] for other in inputs[1:])


def _add_bounds(sums: pd.DataFrame, reading: Reading, exact: frozenset[tuple[str, str]]) -> None:
    """Add what each printed number says about the true one: lower, upper, and whether noise may be larger."""
    rules = [release.rules for release in reading.releases]
    change = np.array([one.largest_change for one in rules])[sums["release"].to_numpy(int)]
    share = np.array([one.magnitude_noise for one in rules])[sums["release"].to_numpy(int)]
    known = {f"{family}\0{column}" for family, column in exact}
    is_exact = (sums["family"] + "\0" + sums["column"]).isin(known).to_numpy()
    perturbed = (sums["mode"] == "cell_key").to_numpy() & ~is_exact
    kind, number = sums["kind"].to_numpy(), sums["number"].to_numpy(float)
    # The noise of an amount is bounded in roots of its sum of squares, and such a root is at most the amount itself.
    below = np.where(kind == "magnitude", np.abs(number) * share / (1 + share), change)
    above = np.where(kind == "magnitude", np.abs(number) * share / (1 - share), change)
    half = sums["half_unit"].to_numpy(float) + FLOAT * np.abs(np.nan_to_num(number)) * (kind != "persons")
    floor = np.where(np.nan_to_num(number) >= sums["floor"], sums["floor"], 0.0)
    sums["lower"] = np.where(np.isnan(number), 0.0, np.maximum(number - perturbed * below - half, floor)).clip(min=0.0)
    sums["upper"] = np.where(np.isnan(number), np.inf, np.maximum(number + perturbed * above + half, floor))
    sums["is_perturbed"] = perturbed
    sums["widens"] = perturbed & (kind == "events") & ~np.isnan(number)
    sums["largest_change"] = change
    sums["is_withheld"] = sums["withheld"] | (sums["shown"] & np.isnan(number))


def _table(sums: pd.DataFrame, key: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per cell, and the cells of which two prints differ by more than rounding."""
    grouped = sums.groupby("cell", sort=False)
    table = grouped.agg(
        **{name: (name, "first") for name in (*key, *CARRIED)},
        lower=("lower", "max"),
        upper=("upper", "min"),
        number=("number", "first"),
        smallest=("number", "min"),
        largest=("number", "max"),
        half_unit=("half_unit", "max"),
        is_perturbed=("is_perturbed", "any"),
        widens=("widens", "any"),
        is_withheld=("is_withheld", "any"),
        is_delivered=("delivered", "any"),
        outer_lower=("lower", "min"),
        outer_upper=("upper", "max"),
    )
    table.index = pd.RangeIndex(len(table))
    absent = ~table["is_delivered"]
    table.loc[absent, ["lower", "upper"]] = 0.0
    tolerance = 2 * table["half_unit"] + 4 * FLOAT * table["largest"].abs()
    differ = (table["largest"] - table["smallest"]) > tolerance
    crossed = table["lower"] > table["upper"]
    table.loc[crossed, "lower"] = table.loc[crossed, "outer_lower"]
    table.loc[crossed, "upper"] = table.loc[crossed, "outer_upper"]
    return table, table[differ]


def _add_relations(cells: Cells, sums: pd.DataFrame) -> None:
    layers = list(cells.layers)
    _zeros(cells, layers)
    _sexes(cells, layers)
    _ages(cells, layers)
    _columns(cells, layers, sums)
    _pools(cells)
    _regions(cells)


def _add_total(cells: Cells, total: Layer, parts: Sequence[Layer]) -> None:
    """The sum of some layers is another layer, in every place that has a row of the total or of a part."""
    columns = [cells.layers[layer] for layer in (total, *parts) if layer in cells.layers]
    has_row = np.logical_or.reduce([column >= 0 for column in columns])
    for place in np.flatnonzero(has_row):
        whole = cells.cell(total, int(place))
        members = tuple(cells.cell(layer, int(place)) for layer in parts)
        cells.system.total(whole, members)
        cells.printed_relations.append((whole, members))


def _replaced(layer: Layer, **changes: object) -> Layer:
    return tuple(changes.get(name, label) for name, label in zip(LAYER, layer, strict=True))


def _group(layers: Iterable[Layer], *without: str) -> dict[Layer, list[Layer]]:
    """The layers by all labels but some."""
    groups: dict[Layer, list[Layer]] = {}
    for layer in layers:
        groups.setdefault(_replaced(layer, **dict.fromkeys(without)), []).append(layer)
    return groups


def _sexes(cells: Cells, layers: Sequence[Layer]) -> None:
    at = LAYER.index("sex")
    for group in _group(layers, "sex").values():
        by_sex = {str(layer[at]): layer for layer in group}
        if {ALL, "F", "M"} <= set(by_sex):
            _add_total(cells, by_sex[ALL], [by_sex["F"], by_sex["M"]])


def _ages(cells: Cells, layers: Sequence[Layer]) -> None:
    first, last = LAYER.index("low"), LAYER.index("high")
    for group in _group(layers, "low", "high").values():
        by_ages = {(int(str(layer[first])), int(str(layer[last]))): layer for layer in group}
        for whole, total in by_ages.items():
            if parts := _partition(whole, by_ages):
                _add_total(cells, total, [by_ages[ages] for ages in parts])
            for ages, layer in by_ages.items():
                if ages != whole and whole[0] <= ages[0] and ages[1] <= whole[1] and ages not in parts:
                    _add_order(cells, layer, total)


def _partition(whole: tuple[int, int], ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The narrowest ranges that follow each other and together are the whole; none if there are none."""
    inside = sorted(ages for ages in ranges if ages != whole and whole[0] <= ages[0] and ages[1] <= whole[1])

    def onward(start: int) -> list[tuple[int, int]] | None:
        if start == whole[1]:
            return []
        for ages in inside:
            if ages[0] == start and (rest := onward(ages[1])) is not None:
                return [ages, *rest]
        return None

    return onward(whole[0]) or []


def _add_order(cells: Cells, smaller: Layer, larger: Layer) -> None:
    """A layer is at most another, where both have a row."""
    both = (cells.layers[smaller] >= 0) & (cells.layers[larger] >= 0)
    for place in np.flatnonzero(both):
        pair = (int(cells.layers[larger][place]), int(cells.layers[smaller][place]))
        cells.system.relation(pair, (1.0, -1.0), 0.0, np.inf)


def _columns(cells: Cells, layers: Sequence[Layer], sums: pd.DataFrame) -> None:
    """Totals of segments and of other columns, as the rules state them."""
    column_at = LAYER.index("column")
    totals = {(fact.column, fact.parts) for fact in _segment_totals(cells, sums)}
    by_release = {index: release.rules for index, release in enumerate(cells.reading.releases)}
    for group in _group(layers, "column").values():
        present = {str(layer[column_at]): layer for layer in group}
        release, family = int(str(group[0][0])), str(group[0][1])
        for column, parts in totals:
            if column in present and any(name in present for name in parts):
                _add_total(cells, present[column], [_replaced(group[0], column=name) for name in parts])
        for fact in by_release[release].facts(by_release[release].identities, family):
            if sum(name in present for name in (fact.column, *fact.parts)) > 1:
                named = [_replaced(group[0], column=name) for name in (fact.column, *fact.parts)]
                _add_total(cells, named[0], named[1:])
        for fact in by_release[release].facts(by_release[release].unions, family):
            if fact.column in present and any(name in present for name in fact.parts):
                _add_union(cells, present[fact.column], [_replaced(group[0], column=name) for name in fact.parts])


def _segment_totals(cells: Cells, sums: pd.DataFrame) -> list[Fact]:
    """The columns that are split into segments, with the columns of all segments that any row names."""
    names: dict[tuple[str, str], set[str]] = {}
    for release in cells.reading.releases:
        for (indicator, source), route in release.rules.routes.items():
            if not route.segments or route.numerator is None or route.numerator_kind in ("none", "public"):
                continue
            rows = release.values
            mine = rows[(rows["indicator_id"] == indicator) & (rows["source"] == source)]
            labels = sorted(set(mine.loc[mine["segment_type"] == route.segments, "segment"]) - {ALL})
            total = release.rules.canonical(route.numerator, source) + route.filter
            for label in labels:
                named = part(route.numerator, route.segments, str(label))
                canonical = release.rules.canonical(named, source) + route.filter
                names.setdefault((total, route.segments), set()).add(canonical)
    return [Fact(total, tuple(sorted(parts)), None) for (total, _), parts in names.items() if len(parts) > 1]


def _add_union(cells: Cells, whole: Layer, parts: Sequence[Layer]) -> None:
    for place in np.flatnonzero(cells.layers[whole] >= 0):
        total = int(cells.layers[whole][place])
        members = [cells.cell(layer, int(place)) for layer in parts]
        cells.system.relation((total, *members), (1.0, *[-1.0] * len(members)), -np.inf, 0.0)
        for member in members:
            cells.system.relation((total, member), (1.0, -1.0), 0.0, np.inf)


def _zeros(cells: Cells, layers: Sequence[Layer]) -> None:
    for layer in layers:
        label = dict(zip(LAYER, layer, strict=True))
        rules = cells.reading.releases[int(str(label["release"]))].rules
        for fact in rules.facts(rules.zeros, str(label["family"])):
            low, high = int(str(label["low"])), int(str(label["high"]))
            if fact.column == label["column"] and fact.ages[0] <= low and high <= fact.ages[1]:
                for cell in cells.layers[layer][cells.layers[layer] >= 0]:
                    cells.system.narrow(int(cell), 0.0, 0.0)
                    cells.public.add(int(cell))


def _pools(cells: Cells) -> None:
    """A number over pooled years is the sum of those of each year."""
    pool_at, period_at = LAYER.index("pool"), LAYER.index("period")
    for layer in list(cells.layers):
        years = int(str(layer[pool_at]))
        if years > 1:
            last = int(str(layer[period_at]))
            single = [_replaced(layer, pool=1, period=year) for year in range(last - years + 1, last + 1)]
            _add_total(cells, layer, single)


def _regions(cells: Cells) -> None:
    """A region is the sum of its municipalities that delivered."""
    kinds = np.array([kind for kind, _ in cells.places])
    reporting = _reporting(cells)
    for layer in list(cells.layers):
        release, family, period = int(str(layer[0])), str(layer[1]), layer[LAYER.index("period")]
        column, places = cells.layers[layer], cells.reading.places[release]
        regions = np.flatnonzero((kinds != MUNICIPALITY) & (column >= 0))
        if not regions.size:
            continue
        inside = {int(place): places.of(cells.places[place]) for place in regions}
        known = reporting.get((release, family, period), {})
        if not known:
            _pieces(cells, column, inside)
            continue
        for place, members in inside.items():
            if members:
                atoms = tuple(cells.cell(layer, known[code]) for code in sorted(members & known.keys()))
                cells.system.total(int(column[place]), atoms)
                cells.printed_relations.append((int(column[place]), atoms))


def _reporting(cells: Cells) -> dict[tuple[int, str, object], dict[str, int]]:
    """The municipalities with a delivered row, with their place, by release, family and period."""
    period_at = LAYER.index("period")
    delivered = cells.table["is_delivered"].to_numpy()
    municipal = {number: code for number, (kind, code) in enumerate(cells.places) if kind == MUNICIPALITY}
    reporting: dict[tuple[int, str, object], dict[str, int]] = {}
    for layer, column in cells.layers.items():
        known = reporting.setdefault((int(str(layer[0])), str(layer[1]), layer[period_at]), {})
        for place, code in municipal.items():
            if 0 <= column[place] < len(delivered) and delivered[column[place]]:
                known.setdefault(code, place)
    return reporting


def _pieces(cells: Cells, column: Ints, inside: Mapping[int, frozenset[str]]) -> None:
    """Sums of a layer without municipalities: its atoms are the smallest pieces into which its regions cut the country.

    A municipality in a kind of region of which its own region has no row delivered nothing.
    """
    by_code: dict[str, set[int]] = {}
    for place, members in inside.items():
        for code in members:
            by_code.setdefault(code, set()).add(place)
    country = {place for place in inside if cells.places[place][0] == COUNTRY}
    alone = {code for code, around in by_code.items() if around <= country}
    pieces: dict[frozenset[int], int] = {}
    parts: dict[int, list[int]] = {place: [] for place in inside}
    for code in sorted(set(by_code) - alone):
        around = frozenset(by_code[code])
        if around not in pieces:
            pieces[around] = cells.system.unknown()
            for place in around:
                parts[place].append(pieces[around])
    for place, own in parts.items():
        if own:
            cells.system.total(int(column[place]), tuple(own))


def _adding(rules: Rules) -> tuple[bool, float]:
    """Whether the noise of amounts adds up, and from which number on events have it."""
    return rules.magnitudes_add_up, rules.events_limit


def exact_columns(cells: Cells) -> frozenset[tuple[str, str]]:
    """The columns that should be perturbed and whose printed numbers nevertheless add up to the last digit.

    Noise of amounts that adds up proves nothing. Events of many persons have that noise too.
    """
    table = cells.table
    number, half = table["number"].to_numpy(float), table["half_unit"].to_numpy(float)
    rules = [release.rules for release in cells.reading.releases]
    release = table["release"].to_numpy(int)
    add_up, limit = (np.array(each)[release] for each in zip(*map(_adding, rules), strict=True))
    kind = table["kind"].to_numpy()
    perturbed = table["is_perturbed"].to_numpy() & (kind != "exposure") & ~((kind == "magnitude") & add_up)
    few = ~((kind == "events") & add_up) | (number < limit)
    families = (table["family"] + "\0" + table["column"]).to_numpy(dtype=object)
    held: dict[str, list[bool]] = {}
    for total, parts in cells.printed_relations:
        every = np.array([total, *parts])
        if len(parts) < 2 or every.max() >= len(number) or not perturbed[every].all():
            continue
        values = number[every]
        if np.isfinite(values).all() and values[0] > 0 and (values[1:] > 0).sum() > 1 and few[list(parts)].any():
            # Noise rarely cancels to the last digit; rounding alone would.
            off = abs(values[0] - values[1:].sum())
            tolerance = half[every].sum() + FLOAT * values[0] if (half[every] > 0).any() else FLOAT * values[0]
            held.setdefault(str(families[total]), []).append(bool(off <= tolerance))
    return frozenset(
        (name.split("\0")[0], name.split("\0")[1])
        for name, outcomes in held.items()
        if len(outcomes) >= EXACT_SUMS and sum(outcomes) >= EXACT_SHARE * len(outcomes)
    )
