"""What a change of cost per insured year is made of: the age-sex structure, the factors of a spec, and the price.

Not here: the arithmetic (``stats.decomposition``), growth in percent (``growth``). "Made of" is not "caused by".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from triple_aim.cubes import Cells, Floats
from triple_aim.definitions import Compute, Regions, Spec, Tables
from triple_aim.indicators.estimators import Sums, note
from triple_aim.indicators.inputs import supply
from triple_aim.indicators.methods.growth import at_both_ends, paired
from triple_aim.indicators.numerators import family
from triple_aim.indicators.rollup import breakdown, flat
from triple_aim.indicators.rows import Block, tidy
from triple_aim.stats.arguments import quotient
from triple_aim.stats.decomposition import das_gupta
from triple_aim.stats.estimate import Estimate
from triple_aim.vocabulary import ALL

STRUCTURE, PRICE, RATE, UNATTRIBUTED = "structure", "price", "rate", "unattributed"


def decomposition_frames(
    spec: Spec, route: Compute, cubes: Mapping[str, Cells], cube: str, regions: Regions, tables: Tables
) -> Iterator[Block]:
    """The change since the period before as the total, and each component as a segment; components add to the total."""
    given = supply(spec, route, cubes, cube, regions)
    cells, place = given.cells, given.place
    members = given.members
    steps = {name: family(column, cells) for name, column in route.factors.items()}
    # A cube of aggregates may know euros only; the factors it lacks then stay inside the rate.
    known = {name: columns for name, columns in steps.items() if set(columns) >= set(members)}
    arrays = {
        "persons": flat(cells, route.persons or route.denominator or ""),
        "exposure": given.known,
        "euros": _by_member(given.numerator, members),
        **{name: _by_member({m: flat(cells, columns[m]) for m in members}, members) for name, columns in known.items()},
    }
    first, years = paired(np.array(cells.periods()), None)
    (end, start), heard = at_both_ends(place, arrays, given.silent, first, years)
    rest_end, rest_start = (sums.of(place.country).minus(sums) for sums in (end, start))
    own, others = (components(pair, list(known)) for pair in ((start, end), (rest_start, rest_end)))
    persons, rest_persons = (
        np.fmin(*(side.parts["persons"].sum(axis=(2, 3)) for side in sides))[..., None]
        for sides in ((end, start), (rest_end, rest_start))
    )
    unknown = np.full_like(persons, np.nan)
    note(_side_by_side(start, end, list(known)))
    split = breakdown(cells, "none")
    spoke, listed = place.deliverers(heard)
    for component in own:
        yield tidy(
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
                    *(array.sum(axis=(2, 3))[..., None] for array in (heard, given.known))
                ),
                "heard": spoke[..., None],
                "listed": listed[:, None],
            },
            ("none", ALL) if component == ALL else ("component", component),
            told=years > 0,
        )


def _side_by_side(start: Sums, end: Sums, steps: list[str]) -> Sums:
    """Both periods in one, as (period, region, category, cell of sex, band and member)."""
    columns = {}
    for when, sums in (("start", start), ("end", end)):
        for name in ("exposure", *steps, "euros"):
            array = sums.parts[name] if name != "exposure" else sums.parts[name][..., None]
            whole = np.broadcast_to(array, sums.parts["euros"].shape)
            columns[f"{when}_{name}"] = whole.reshape(*whole.shape[:2], 1, -1)
    return Sums(columns)


def _by_member(arrays: Mapping[str, Floats], members: list[str]) -> Floats:
    """Members of a family on a last axis; one that does not exist in a period counts for nothing."""
    return np.stack([np.nan_to_num(arrays[member]) for member in members], axis=-1)


def components(pair: tuple[Sums, Sums], steps: list[str]) -> dict[str, Floats]:
    """The change per unit of exposure and its components, as (period, region)."""
    start, end = (_factors(sums, steps) for sums in pair)
    loose = [_per_head(sums, _loose(sums, steps)) for sums in pair]
    effects = das_gupta(start, end, undefined="other_period")
    total = _per_head(pair[1], pair[1].parts["euros"]) - _per_head(pair[0], pair[0].parts["euros"])
    return {ALL: total, **effects, UNATTRIBUTED: loose[1] - loose[0]}


def _factors(sums: Sums, steps: list[str]) -> dict[str, Floats]:
    """Structure, one ratio a step, price: their product over cells and members is euros per unit of exposure."""
    parts = sums.parts
    exposure = parts["exposure"][..., None]
    chain = [np.broadcast_to(exposure, parts["euros"].shape), *(parts[name] for name in steps)]
    chain.append(parts["euros"] - _loose(sums, steps))
    ratios = [quotient(above, below) for below, above in pairwise(chain)]
    structure = np.broadcast_to(quotient(exposure, exposure.sum(axis=(2, 3), keepdims=True)), chain[0].shape)
    last = PRICE if steps else RATE  # without acts, what is left is the cost of an age as a whole
    shape = (*structure.shape[:2], -1)
    return {
        name: array.reshape(shape) for name, array in zip((STRUCTURE, *steps, last), (structure, *ratios), strict=True)
    }


def _loose(sums: Sums, steps: list[str]) -> Floats:
    """Euros in cells without the acts or users that could carry them, such as late credits."""
    carriers = [sums.parts[name] > 0 for name in steps] or [sums.parts["exposure"][..., None] > 0]
    return np.where(np.logical_and.reduce(carriers), 0.0, sums.parts["euros"])


def _per_head(sums: Sums, euros: Floats) -> Floats:
    return quotient(euros.sum(axis=(2, 3, 4)), sums.parts["exposure"].sum(axis=(2, 3)))
