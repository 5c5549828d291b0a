"""``triple-aim cube``: sums that leave for another party, and sums that arrive.

Not here: what may leave (``triple_aim.federation``) and what may come in (``triple_aim.federation``), which are
imported when a command needs them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

cube_app = typer.Typer(help="Sums for a federation: export own cubes, import those of others.", no_args_is_help=True)

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings file; else $TRIPLE_AIM_CONFIG, else the samples.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@cube_app.command("export")
def export(
    to: Annotated[Path, typer.Option(help="A new folder for the files and their manifest.")],
    contributor: Annotated[
        str | None, typer.Option("--as", help="Name of this party; else contributor in the settings file.")
    ] = None,
    cube: Annotated[list[str] | None, typer.Option(help="Only this cube; may be given more than once.")] = None,
    period: Annotated[str | None, typer.Option(help="Only these years: 2018, 2018..2020 or 2018,2020.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the cubes of the current release for the party that merges them: confidential sums, no rows."""
    from triple_aim.definitions import load_programme, load_project
    from triple_aim.federation import export_cubes
    from triple_aim.periods import parse_periods

    project = load_project(config)
    name = contributor or project.settings.contributor
    done = export_cubes(load_programme(project), to, name, cube or (), parse_periods(period) if period else ())
    if as_json:
        typer.echo(json.dumps({"folder": str(to), "contributor": name, "cubes": done.cubes}))
        return
    typer.echo(f"{len(done.cubes)} cubes, {sum(done.cubes.values()):,} cells", err=True)
    if done.places_below_minimum:
        typer.echo(f"{done.places_below_minimum:,} places and years hold too few persons: one sum together", err=True)
    typer.echo("Confidential: for the party that merges them, over a safe channel; not a publication.", err=True)
    typer.echo(to)


@cube_app.command("import")
def import_(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="Folders that other parties exported.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Accept what other parties exported, all folders or none; the next run adds it to the own cubes."""
    from triple_aim.definitions import load_programme, load_project
    from triple_aim.federation import import_cubes

    new = import_cubes(load_programme(load_project(config)), folders)
    if as_json:
        typer.echo(json.dumps({"accepted": new, "unchanged": len(folders) - len(new)}))
        return
    typer.echo(f"{len(new)} accepted, {len(folders) - len(new)} there already. Next: triple-aim run", err=True)
    for name in new:
        typer.echo(name)
