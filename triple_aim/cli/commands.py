"""The one command line: thin, and quick to say what it can do.

Here: words, options and exit codes. Everything else is imported when a command needs it, so that ``--help`` is quick.
Data goes to stdout; talk, progress and errors go to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from triple_aim.cli.cube_commands import AsJson, Config, cube_app
from triple_aim.errors import NothingToPublish, ProjectError, TripleAimError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from triple_aim.definitions import Project

WIDTH = 110  # columns, where there is no terminal to ask

app = typer.Typer(
    help="The Triple Aim monitor: deliveries in, published health, quality and cost indicators out.",
    epilog="Every command takes --debug, which shows where an error came from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
figure_app = typer.Typer(help="Draw a figure from the current release, as SVG and PNG.", no_args_is_help=True)
new_app = typer.Typer(help="Start a new indicator or a new extract from a commented example.", no_args_is_help=True)
app.add_typer(figure_app, name="figure")
app.add_typer(new_app, name="new")
app.add_typer(cube_app, name="cube")

Indicator = Annotated[str, typer.Argument(help="Indicator id, as in the mart indicators.")]
RegionType = Annotated[
    str, typer.Option("--region-type", help="municipality, ggd_region, zorgkantoor_region, province, …")
]
Year = Annotated[int, typer.Option("--period", help="Year.")]
Source = Annotated[str | None, typer.Option(help="Cube, when several supply the indicator.")]
Overdispersed = Annotated[
    bool, typer.Option("--overdispersed", help="Limits for regions that vary by more than chance.")
]
AgeGroup = Annotated[str, typer.Option(help="An age group, for sources that know no total, such as 18-64.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write; a name is made up when left out.")]
Language = Annotated[Literal["nl", "en"], typer.Option(help="Language and number notation.")]


@app.command()
def check(config: Config = None, as_json: AsJson = False) -> None:
    """Check all content: contracts, specs, SQL, reference tables. Needs no data."""
    from triple_aim.definitions import load_programme
    from triple_aim.indicators import refuse_wrong_examples

    started = time.monotonic()
    programme = load_programme(_project(config))
    refuse_wrong_examples(programme.specs.values(), programme.project.specs)
    counts = {
        "contracts": len(programme.contracts),
        "indicators": len(programme.specs),
        "cubes": len(programme.cubes),
        "marts": len(programme.marts),
        "seconds": round(time.monotonic() - started, 2),
    }
    if as_json:
        print(json.dumps(counts))
    else:
        _console().print(
            f"[green]All content holds[/]: {counts['contracts']} contracts, {counts['indicators']} indicators, "
            f"{counts['cubes']} cubes, {counts['marts']} marts ({counts['seconds']} s)"
        )


@app.command()
def run(
    config: Config = None,
    period: Annotated[str | None, typer.Option(help="Years to take in: 2018, 2018..2020 or 2018,2020.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Run even when nothing changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the nightly job here and now: deliveries, checks, marts, publication."""
    from triple_aim.definitions import load_contracts, load_publication
    from triple_aim.periods import parse_periods
    from triple_aim.release import standing_release

    started = time.monotonic()
    project = _project(config)
    periods = parse_periods(period) if period else None
    console = _console()
    if not again and (standing := standing_release(project, load_contracts(project.contracts).values())):
        if as_json:
            print(json.dumps({"release": standing.name, "is_new": False}))
            return
        seconds = time.monotonic() - started
        told = f"Nothing was delivered or changed: current is still release {standing.name} ({seconds:.1f} s)"
        console.print(told, highlight=False)
        print(project.publication / "current")
        return
    from triple_aim.reports import show_release

    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    os.environ["TRIPLE_AIM_CONFIG"] = str(project.config)
    sys.path.insert(0, str(project.root))  # the wheel holds the engine only; the job belongs to the checkout
    with console.status("starting") as status:
        from pipelines.run import run as run_job

        outcome = run_job(project.config, periods, lambda step: status.update(f"done: {step}"))
    if outcome.exit_code:
        console.print(outcome.failure, style="red", markup=False, highlight=False)
        console.print("Nothing was published; what was current still is.", highlight=False)
        raise typer.Exit(outcome.exit_code)
    seconds = time.monotonic() - started
    release = project.publication / "current"
    if as_json:
        print(json.dumps({"release": outcome.release.name if outcome.release else None, "is_new": outcome.is_new}))
        return
    if outcome.release:
        show_release(console, outcome.release, load_publication(project.contracts))
        word = "Published release" if outcome.is_new else "Nothing changed: current is still release"
        console.print(f"{word} {outcome.release.name} in {seconds:.1f} s", highlight=False)
        console.print("The marts are in:", highlight=False)
        print(release)
        console.print("Next: triple-aim sql · triple-aim export triple_aim --to xlsx", style="dim", highlight=False)


@app.command()
def explain(
    indicator: Indicator,
    config: Config = None,
    region: Annotated[str | None, typer.Option(help="Region code, such as GM0664 or NL01.")] = None,
    period: Annotated[int | None, typer.Option(help="Year.")] = None,
    sex: Annotated[str, typer.Option(help="F or M.")] = "all",
    age_group: Annotated[str, typer.Option(help="An age group, such as 65-74.")] = "all",
    segment: Annotated[str, typer.Option(help="A part, such as a kind of care: hospital.")] = "all",
) -> None:
    """Say what an indicator means and how one number came about: sums, strata, deliveries."""
    from triple_aim.definitions import load_programme
    from triple_aim.explain import Part, explain_indicator

    programme, part = load_programme(_project(config)), Part(sex, age_group, segment)
    explain_indicator(_console(stdout=True), programme, indicator, region, period, part)


@app.command()
def sql(
    query: Annotated[
        str | None, typer.Argument(help="One select; without it, the marts and their columns are listed.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False,
) -> None:
    """Query the published marts with SQL (DuckDB), read-only."""
    from triple_aim.definitions import load_publication
    from triple_aim.release import open_marts
    from triple_aim.warehouse import EngineError, masked

    project = _project(config)
    listing = (
        "select table_name as mart, column_name, data_type, comment from duckdb_columns() where schema_name = 'mart'"
    )
    with open_marts(_release(project), load_publication(project.contracts)) as warehouse:
        try:
            frame = warehouse.frame(query or listing)
        except EngineError as error:
            raise ProjectError(masked(error), "the query", "triple-aim sql lists the marts and their columns") from None
    if as_json:
        print(frame.to_json(orient="records", date_format="iso", force_ascii=False))
    elif as_csv:
        print(frame.to_csv(index=False), end="")
    else:
        from rich.table import Table

        table = Table(*map(str, frame.columns))
        for row in frame.head(500).itertuples(index=False, name=None):
            table.add_row(*("" if value is None or value != value else str(value) for value in row))
        _console(stdout=True).print(table)
        if len(frame) > 500:
            _console().print(f"{len(frame):,} rows, the first 500 shown; --csv prints all")


@app.command()
def export(
    table: Annotated[str, typer.Argument(help="A mart: indicator_values, triple_aim, cost_growth, …")],
    to: Annotated[Literal["csv", "xlsx", "parquet"], typer.Option(help="File format.")] = "xlsx",
    out: Out = None,
    indicator: Annotated[str | None, typer.Option(help="Only this indicator.")] = None,
    region_type: Annotated[str | None, typer.Option(help="Only regions of this type.")] = None,
    period: Annotated[int | None, typer.Option(help="Only this year.")] = None,
    language: Language = "nl",
    config: Config = None,
) -> None:
    """Write a mart, or a part of it, as CSV, Excel or Parquet."""
    from triple_aim.definitions import load_publication
    from triple_aim.reports import export as write

    project = _project(config)
    name = "_".join(str(part) for part in (table, indicator, region_type, period) if part)
    path = out or Path(f"{name}.{to}")
    rows = write(
        _release(project),
        load_publication(project.contracts),
        table,
        to,
        path,
        language,
        indicator=indicator,
        region_type=region_type,
        period=period,
    )
    _console().print(f"{rows:,} rows", highlight=False)
    print(path)


@figure_app.command("trend")
def figure_trend(
    indicator: Indicator,
    region: Annotated[list[str], typer.Option(help="Region code; up to six times.")],
    region_type: RegionType = "ggd_region",
    age_group: AgeGroup = "all",
    source: Source = None,
    language: Language = "nl",
    out: Out = None,
    config: Config = None,
) -> None:
    """One indicator over the years, with intervals, comparator and series breaks."""
    from triple_aim.reports.figures import trend

    asked = (indicator, region_type, region, language)
    _draw(
        trend, asked, out or Path(f"trend_{indicator}_{'_'.join(region)}"), config, age_group=age_group, source=source
    )


@figure_app.command("caterpillar")
def figure_caterpillar(
    indicator: Indicator,
    period: Year,
    region_type: RegionType = "ggd_region",
    age_group: AgeGroup = "all",
    source: Source = None,
    language: Language = "nl",
    out: Out = None,
    config: Config = None,
) -> None:
    """All regions of a type in one year, sorted, with intervals and the national value."""
    from triple_aim.reports.figures import caterpillar

    asked = (indicator, region_type, period, language)
    base = out or Path(f"caterpillar_{indicator}_{region_type}_{period}")
    _draw(caterpillar, asked, base, config, age_group=age_group, source=source)


@figure_app.command("funnel")
def figure_funnel(
    indicator: Indicator,
    period: Year,
    region_type: RegionType = "municipality",
    overdispersed: Overdispersed = False,
    age_group: AgeGroup = "all",
    source: Source = None,
    language: Language = "nl",
    out: Out = None,
    config: Config = None,
) -> None:
    """All regions of a type in one year against their size, with the limits of chance around the national value."""
    from triple_aim.reports.figures import funnel

    asked = (indicator, region_type, period, language)
    base = out or Path(f"funnel_{indicator}_{region_type}_{period}")
    _draw(funnel, asked, base, config, age_group=age_group, source=source, overdispersed=overdispersed)


@figure_app.command("chart")
def figure_chart(
    indicator: Indicator,
    region: Annotated[str, typer.Option(help="Region code, such as GM0664 or NL01.")],
    age_group: AgeGroup = "all",
    source: Source = None,
    language: Language = "nl",
    out: Out = None,
    config: Config = None,
) -> None:
    """Control chart (XmR) of one region over twelve years or more: is it stable, or does it more than wobble?"""
    from triple_aim.reports.figures import chart

    asked = (indicator, region, language)
    _draw(chart, asked, out or Path(f"chart_{indicator}_{region}"), config, age_group=age_group, source=source)


@new_app.command("indicator")
def new_indicator(
    name: Annotated[str, typer.Argument(help="aim/name, such as cost/dental_cost.")], config: Config = None
) -> None:
    """Write a new indicator spec that passes the check and waits for its meaning."""
    from triple_aim.definitions import scaffold_indicator

    print(scaffold_indicator(_project(config), name))


@new_app.command("extract")
def new_extract(name: Annotated[str, typer.Argument(help="Name of the extract.")], config: Config = None) -> None:
    """Write a new contract and its staging SQL."""
    from triple_aim.definitions import scaffold_extract

    for path in scaffold_extract(_project(config), name):
        print(path)


@app.command()
def samples(
    folder: Annotated[Path, typer.Argument(help="Folder that gets the deliveries and their true values.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 20260110,
) -> None:
    """Write the synthetic sample deliveries anew, and what is true of them."""
    from triple_aim.synthetic import write_samples

    write_samples(folder, seed)
    print(folder)


@app.command()
def doctor(config: Config = None) -> None:
    """Look at this installation: versions, settings, folders, content, publication."""
    from triple_aim.cli.doctor import examine

    console = _console(stdout=True)
    findings = examine(config)
    for finding in findings:
        mark = "[green]ok  [/]" if finding.is_well else "[red]bad [/]"
        console.print(f"{mark} {finding.subject}: {finding.told}", highlight=False)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(ProjectError.exit_code)


def _project(config: Path | None) -> Project:
    from triple_aim.definitions import load_project

    return load_project(config)


def _release(project: Project) -> Path:
    from triple_aim.release import current_release

    release = current_release(project.publication)
    if release is None:
        raise NothingToPublish("nothing has been published yet", str(project.settings.publication), "triple-aim run")
    return release


def _draw(
    figure: Callable[..., bytes], asked: Sequence[object], base: Path, config: Path | None, **also: object
) -> None:
    """Write one figure of the current release, as SVG and as PNG."""
    from triple_aim.definitions import load_publication
    from triple_aim.files import replace_file

    project = _project(config)
    release, promise = _release(project), load_publication(project.contracts)
    for kind in ("svg", "png"):
        path = base.with_name(f"{base.name.removesuffix('.' + kind)}.{kind}")
        replace_file(path, figure(release, promise, *asked, **also, to=kind))
        print(path)


def _console(stdout: bool = False) -> Console:
    from rich.console import Console

    console = Console(stderr=not stdout)
    # A log file has no width of its own; tables should not break at 80 columns there.
    return console if console.is_terminal else Console(stderr=not stdout, width=WIDTH)


def main() -> None:
    """Run a command; a foreseen error is three lines and its own exit code, ``--debug`` shows where it came from."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    try:
        app()
    except TripleAimError as error:
        if debug:
            raise
        _console().print(str(error), style="red", markup=False, highlight=False)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output left early, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
