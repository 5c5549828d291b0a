"""Tries every door of one or several releases, and says which door gave a cell away.

Not here: what a door does (``doors``, ``tables``).

All knowledge is put into one system first. Only if that leaves a narrow interval, the smaller systems are solved as
well: one indicator, one release without companions, one release. A cell belongs to the first door that opens it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from triple_aim.audit import doors
from triple_aim.audit.companions import Companions, add_companions
from triple_aim.audit.findings import DOORS, Finding, Report, expected_by_chance
from triple_aim.audit.places import read_places
from triple_aim.audit.printed import Reading, read_release
from triple_aim.audit.sums import Cells, build_cells, exact_columns
from triple_aim.audit.tables import table_findings
from triple_aim.errors import DisclosureError


def audit_releases(
    publications: Sequence[Path],
    reference: Path,
    own_regions: Sequence[Path | None] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Examine releases of one monitor, from the oldest to the newest.

    ``reference`` is the folder with the classifications; ``own_regions`` has one folder per release, or one for all.

    Raises
    ------
    ProjectError
        If a folder is no release, or a table of regions cannot be read.
    DisclosureError
        If the solver fails, so that nothing is known.
    """
    releases = [read_release(path) for path in publications]
    folders = list(own_regions) or [None]
    folders = folders * len(releases) if len(folders) == 1 else folders
    places = [
        read_places(reference, own, release.division_year) for release, own in zip(releases, folders, strict=True)
    ]
    reading = Reading(releases, places)
    findings: list[Finding] = []
    for release in releases:
        progress(f"rows and tables of {release.path.name}")
        for door in (doors.shown_findings, doors.reason_findings, doors.digit_findings, table_findings):
            findings += door(release)
    progress("sums of cells")
    cells, companions = _knowledge(reading)
    findings += doors.unperturbed_findings(cells)
    findings += doors.magnitude_findings(cells)
    findings += doors.clash_findings(cells)
    findings += doors.companions_findings(companions)
    progress("feasible intervals")
    try:
        everything = doors.narrow_cells(cells, [*doors.left_out(cells), *doors.differences(cells)])
        findings += _attributed(everything, reading, cells.exact, progress)
    except ArithmeticError as error:
        raise DisclosureError(str(error), ", ".join(map(str, publications)), "do not publish; report it") from error
    order = {door: position for position, door in enumerate(DOORS)}
    findings.sort(key=lambda one: (order[one.door], one.width if one.width is not None else -1.0))
    return Report(
        tuple(release.path.name for release in releases),
        tuple(findings),
        everything.examined,
        everything.programs,
        everything.contradictions,
        expected_by_chance(
            everything.chances,
            max(release.rules.count_variance for release in releases),
            max(release.rules.largest_change for release in releases),
        ),
    )


def _knowledge(reading: Reading) -> tuple[Cells, Companions]:
    """The cells with everything that a reader knows; a column that proves to be exact is read as exact."""
    cells = build_cells(reading)
    if exact := exact_columns(cells):
        cells = build_cells(reading, exact=exact)
    return cells, add_companions(cells)


def _attributed(
    everything: doors.Narrow,
    reading: Reading,
    exact: frozenset[tuple[str, str]],
    progress: Callable[[str], None],
) -> list[Finding]:
    """The narrow cells with the first door that opens them."""
    left = dict(everything.widths)
    findings: list[Finding] = []
    if not left:
        return findings
    singles = [Reading([release], [place]) for release, place in zip(reading.releases, reading.places, strict=True)]
    indicators = sorted({finding.indicator for finding in left.values()})

    def take(door: str, number: int, cells: Cells) -> None:
        narrow = doors.narrow_cells(cells, doors.left_out(cells)).widths
        found = [key for key in left if _in_release(key, 0) in narrow and _release_of(key) == number]
        findings.extend(doors.with_door(door, [left.pop(key) for key in found]))

    for number, single in enumerate(singles):
        for indicator in indicators:
            progress(f"which door: {indicator}")
            take("one_release", number, build_cells(single, {indicator}, exact))
        progress("which door: related indicators")
        take("related_indicators", number, build_cells(single, None, exact))
        if left and len(singles) > 1:
            cells = build_cells(single, None, exact)
            add_companions(cells)
            take("comparators", number, cells)
    last = "two_releases" if len(singles) > 1 else "comparators"
    return findings + doors.with_door(last, left.values())


def _release_of(key: doors.CellKey) -> object:
    """The release of a cell, which is the first label of what identifies it."""
    return key[1] if key[0] == doors.LEFT_OUT else key[0]


def _in_release(key: doors.CellKey, number: int) -> doors.CellKey:
    """The same cell in another position of the releases."""
    return (key[0], number, *key[2:]) if key[0] == doors.LEFT_OUT else (number, *key[1:])
