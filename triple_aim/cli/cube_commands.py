"""``triple-aim cube``: export of the own cubes to another party, import of cubes of other parties.

Not here: the rules of export and import (``triple_aim.federation``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

cube_app = typer.Typer(
    help="Exchange cubes in a federation: export the own cubes, import those of other parties.", no_args_is_help=True
)

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file; by default $TRIPLE_AIM_CONFIG, otherwise the samples."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@cube_app.command("export")
def export(
    to: Annotated[Path, typer.Option(help="New folder for the files and their manifest.")],
    contributor: Annotated[
        str | None, typer.Option("--as", help="Name of this party; by default contributor in the settings file.")
    ] = None,
    cube: Annotated[list[str] | None, typer.Option(help="Only this cube; may be given more than once.")] = None,
    period: Annotated[str | None, typer.Option(help="Only these years: 2018, 2018..2020 or 2018,2020.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Export the cubes of the current release for the party that merges them: confidential sums, no rows."""
    from triple_aim.definitions import load_programme, load_project
    from triple_aim.federation import export_cubes
    from triple_aim.periods import parse_periods

    project = load_project(config)
    name = contributor or project.settings.contributor
    exported = export_cubes(load_programme(project), to, name, cube or (), parse_periods(period) if period else ())
    if as_json:
        typer.echo(json.dumps({"folder": str(to), "contributor": name, "cubes": exported.cubes}))
        return
    typer.echo(f"{len(exported.cubes)} cubes, {sum(exported.cubes.values()):,} cells", err=True)
    if exported.places_below_minimum:
        count = exported.places_below_minimum
        typer.echo(f"{count:,} municipality-years have too few persons and are exported as one sum", err=True)
    typer.echo("Confidential: send them only to the party that merges them, over a secure channel.", err=True)
    typer.echo(to)


@cube_app.command("import")
def import_(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="Folders exported by other parties.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Import cubes of other parties, all folders or none; the next run adds them to the own cubes."""
    from triple_aim.definitions import load_programme, load_project
    from triple_aim.federation import import_cubes

    new = import_cubes(load_programme(load_project(config)), folders)
    if as_json:
        typer.echo(json.dumps({"accepted": new, "unchanged": len(folders) - len(new)}))
        return
    typer.echo(f"{len(new)} accepted, {len(folders) - len(new)} already imported. Next: triple-aim run", err=True)
    for name in new:
        typer.echo(name)
