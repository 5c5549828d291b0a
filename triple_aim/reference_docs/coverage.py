"""The page ``docs/reference/coverage.md``: which measures of the menu have an indicator, and which data each needs.

Not here: the menu (``reference/menu``, ``triple_aim.definitions``). The spec of an indicator names the measures that it
answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from triple_aim.definitions import Measure, Spec, answers
from triple_aim.reference_docs.markdown import head, table


def coverage(menu: Mapping[str, Measure], specs: Iterable[Spec]) -> Iterator[str]:
    """The lines of the page."""
    specs = list(specs)
    covered_by = answers(menu, specs)
    covered = sum(1 for indicators in covered_by.values() if indicators)
    beyond = [spec for spec in specs if not set(spec.measures) & set(menu)]
    count = (
        f"{len(menu)} measures: {covered} covered by {len(specs) - len(beyond)} indicators, "
        f"{len(menu) - covered} not covered."
    )
    yield from head("Coverage of the menu", count)
    yield from (
        "The menu is `reference/menu/measures.csv`. A spec lists under `measures` which of them its indicator answers,",
        "fully or in part. The column `needs` lists the data of a measure, whether or not they are delivered.",
        "",
    )
    for aim in dict.fromkeys(measure.aim for measure in menu.values()):
        yield from (f"## {aim}", "")
        measures = [measure for measure in menu.values() if measure.aim == aim]
        yield from table(
            ("", "measure", "covered by", "needs", "origin"), (_row(m, covered_by[m.id]) for m in measures)
        )
    yield from ("## Indicators beyond the menu", "", f"{len(beyond)} indicators answer no measure of the menu.", "")
    yield from table(("indicator", "title", "origin"), ((_link(s), s.title.en, _origin(s)) for s in beyond))


def _row(measure: Measure, indicators: Iterable[Spec]) -> tuple[str, ...]:
    links = " · ".join(_link(spec) for spec in indicators)
    return measure.id, measure.measure_en, links or "**not covered**", measure.data_needed_en, measure.origin


def _link(spec: Spec) -> str:
    return f"[{spec.id}](indicators.md#{spec.id})"


def _origin(spec: Spec) -> str:
    return "; ".join(origin.framework for origin in spec.origin)
