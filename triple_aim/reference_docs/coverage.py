"""The page ``docs/reference/coverage.md``: which measures of the menu are covered, and what the others would need.

Not here: the menu itself (``reference/menu``, ``triple_aim.definitions``). Whether an indicator answers a measure is
said by its spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from triple_aim.definitions import Measure, Spec, answers
from triple_aim.reference_docs.markdown import head, table


def coverage(menu: Mapping[str, Measure], specs: Iterable[Spec]) -> Iterator[str]:
    """The lines of the page."""
    told = list(specs)
    covered_by = answers(menu, told)
    covered = sum(1 for found in covered_by.values() if found)
    loose = [spec for spec in told if not set(spec.measures) & set(menu)]
    count = (
        f"{len(menu)} measures: {covered} covered by {len(told) - len(loose)} indicators, "
        f"{len(menu) - covered} not covered."
    )
    yield from head("Coverage of the menu", count)
    yield from (
        "The menu is `reference/menu/measures.csv`. A spec says under `measures` which of them its indicator answers;",
        "an answer may be to a part of the question. What a measure needs is told whether or not it was delivered.",
        "",
    )
    for aim in dict.fromkeys(measure.aim for measure in menu.values()):
        yield from (f"## {aim}", "")
        ours = [measure for measure in menu.values() if measure.aim == aim]
        yield from table(("", "measure", "covered by", "needs", "origin"), (_row(m, covered_by[m.id]) for m in ours))
    yield from ("## Indicators beyond the menu", "", f"{len(loose)} indicators answer no measure of the menu.", "")
    yield from table(("indicator", "title", "origin"), ((_link(s), s.title.en, _origin(s)) for s in loose))


def _row(measure: Measure, found: Iterable[Spec]) -> tuple[str, ...]:
    named = " · ".join(_link(spec) for spec in found)
    return measure.id, measure.measure_en, named or "**not covered**", measure.data_needed_en, measure.origin


def _link(spec: Spec) -> str:
    return f"[{spec.id}](indicators.md#{spec.id})"


def _origin(spec: Spec) -> str:
    return "; ".join(origin.framework for origin in spec.origin)
