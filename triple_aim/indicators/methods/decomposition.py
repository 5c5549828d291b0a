"""The components of a change in cost per insured year: age-sex structure, the factors of a spec, and price.

Not here: the arithmetic (``stats.decomposition``), growth in percent (``growth``). Components are not causes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.columns import Column, column_of
from triple_aim.indicators.estimators import Sums, record_inputs
from triple_aim.indicators.inputs import route_inputs
from triple_aim.indicators.methods.growth import paired, sums_at_both_ends
from triple_aim.indicators.numerators import part_columns
from triple_aim.indicators.rollup import breakdown
from triple_aim.indicators.rows import Block, make_block
from triple_aim.stats.arguments import quotient
from triple_aim.stats.decomposition import das_gupta
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL

STRUCTURE, PRICE, RATE, UNATTRIBUTED = "structure", "price", "rate", "unattributed"


def decomposition_blocks(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """The change since the previous period as the total, and its components as segments that add up to it."""
    inputs = route_inputs(spec, route, cubes, cube, regions)
    cells, place = inputs.cells, inputs.place
    members = inputs.members
    steps = {name: part_columns(column, str(route.segments), cells) for name, column in route.factors.items()}
    # A cube of aggregates may have euros only; the rate then includes the factors it does not have.
    known = {name: columns for name, columns in steps.items() if set(columns) >= set(members)}
    columns: dict[str, Column | list[Column]] = {
        "persons": column_of(cells, route.persons or route.denominator or ""),
        "exposure": inputs.denominator,
        "euros": [inputs.numerator[member] for member in members],
        **{name: [column_of(cells, parts[member]) for member in members] for name, parts in known.items()},
    }
    first, years = paired(np.array(cells.periods()), None)
    (end, start), reported = sums_at_both_ends(place, columns, inputs.nonreporting, first, years)
    rest_end, rest_start = (sums.of(place.country).minus(sums) for sums in (end, start))
    own, others = (components(pair, list(known)) for pair in ((start, end), (rest_start, rest_end)))
    persons, rest_persons = (
        np.fmin(*(side.parts["persons"].sum(axis=(2, 3)) for side in sides))[..., None]
        for sides in ((end, start), (rest_end, rest_start))
    )
    unknown = np.full_like(persons, np.nan)
    record_inputs(_side_by_side(start, end, list(known)))
    split = breakdown(cells, "none")
    reporting, municipalities = place.reporting_counts(reported)
    for component in own:
        yield make_block(
            spec,
            cells.periods(),
            place,
            split,
            Estimate.without_limits(route.per * own[component][..., None]),
            Estimate.without_limits(route.per * others[component][..., None]),
            {
                "numerator": end.parts["euros"].sum(axis=(2, 3, 4))[..., None],
                "denominator": end.parts["exposure"].sum(axis=(2, 3))[..., None],
                "persons": persons,
                "rest_persons": rest_persons,
                "cases": unknown,
                "rest_cases": unknown,
                "coverage_share": place.coverage(
                    *(array.sum(axis=(2, 3))[..., None] for array in (reported, inputs.denominator.values))
                ),
                "reporting_count": reporting[..., None],
                "municipality_count": municipalities[:, None],
            },
            ("none", ALL) if component == ALL else ("component", component),
            has_rows=years > 0,
        )


def _side_by_side(start: Sums, end: Sums, steps: list[str]) -> Sums:
    """Both periods as one set of sums: (period, region, category, cell of sex, band and segment)."""
    columns = {}
    for when, sums in (("start", start), ("end", end)):
        for name in ("exposure", *steps, "euros"):
            array = sums.parts[name] if name != "exposure" else sums.parts[name][..., None]
            full = np.broadcast_to(array, sums.parts["euros"].shape)
            columns[f"{when}_{name}"] = full.reshape(*full.shape[:2], 1, -1)
    return Sums(columns)


def components(pair: tuple[Sums, Sums], steps: list[str]) -> dict[str, Floats]:
    """The change per unit of exposure and its components, as (period, region)."""
    start, end = (_factors(sums, steps) for sums in pair)
    unattributed = [_per_exposure(sums, _unattributed_euros(sums, steps)) for sums in pair]
    effects = das_gupta(start, end, undefined="other_period")
    total = _per_exposure(pair[1], pair[1].parts["euros"]) - _per_exposure(pair[0], pair[0].parts["euros"])
    return {ALL: total, **effects, UNATTRIBUTED: unattributed[1] - unattributed[0]}


def _factors(sums: Sums, steps: list[str]) -> dict[str, Floats]:
    """Structure, one ratio per step, and price; the sum over cells of their product is euros per unit of exposure."""
    parts = sums.parts
    exposure = parts["exposure"][..., None]
    chain = [np.broadcast_to(exposure, parts["euros"].shape), *(parts[name] for name in steps)]
    chain.append(parts["euros"] - _unattributed_euros(sums, steps))
    ratios = [quotient(above, below) for below, above in pairwise(chain)]
    structure = np.broadcast_to(quotient(exposure, exposure.sum(axis=(2, 3), keepdims=True)), chain[0].shape)
    last = PRICE if steps else RATE  # without acts the last factor is the cost per person of an age
    shape = (*structure.shape[:2], -1)
    return {
        name: array.reshape(shape) for name, array in zip((STRUCTURE, *steps, last), (structure, *ratios), strict=True)
    }


def _unattributed_euros(sums: Sums, steps: list[str]) -> Floats:
    """Euros in cells without acts or users, such as late credits."""
    has_activity = [sums.parts[name] > 0 for name in steps] or [sums.parts["exposure"][..., None] > 0]
    return np.where(np.logical_and.reduce(has_activity), 0.0, sums.parts["euros"])


def _per_exposure(sums: Sums, euros: Floats) -> Floats:
    return quotient(euros.sum(axis=(2, 3, 4)), sums.parts["exposure"].sum(axis=(2, 3)))
