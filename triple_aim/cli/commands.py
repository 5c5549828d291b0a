"""The commands of ``triple-aim``: arguments, options, output and exit codes.

Not here: the work. Each command imports what it needs when it runs, so that ``--help`` is quick. Data go to stdout;
messages, progress and errors go to stderr.
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

WIDTH = 110  # columns of the output when it is not a terminal

app = typer.Typer(
    help="The Triple Aim monitor: computes and publishes health, quality and cost indicators from deliveries.",
    epilog="Every command accepts --debug, which shows the traceback of an error.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
figure_app = typer.Typer(help="Draw a figure of the current release as SVG and PNG.", no_args_is_help=True)
new_app = typer.Typer(help="Start a new indicator or extract from a commented example.", no_args_is_help=True)
app.add_typer(figure_app, name="figure")
app.add_typer(new_app, name="new")
app.add_typer(cube_app, name="cube")

Indicator = Annotated[str, typer.Argument(help="Id of the indicator, as in the mart indicators.")]
RegionType = Annotated[
    str, typer.Option("--region-type", help="municipality, ggd_region, zorgkantoor_region, province, …")
]
Year = Annotated[int, typer.Option("--period", help="Year.")]
Source = Annotated[str | None, typer.Option(help="Cube, if several cubes supply the indicator.")]
Overdispersed = Annotated[
    bool, typer.Option("--overdispersed", help="Widen the limits for regions that vary by more than chance.")
]
AgeGroup = Annotated[str, typer.Option(help="Age group such as 18-64, for sources without a total.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="File to write; by default it is named after the arguments.")
]
Language = Annotated[Literal["nl", "en"], typer.Option(help="Language of texts and notation of numbers.")]


@app.command()
def check(config: Config = None, as_json: AsJson = False) -> None:
    """Check all content: contracts, specs, SQL and reference tables. Needs no data."""
    from triple_aim.definitions import load_programme, refuse_unwritten_texts
    from triple_aim.indicators import refuse_wrong_examples

    started = time.monotonic()
    programme = load_programme(_project(config))
    refuse_wrong_examples(programme.specs.values(), programme.project.specs)
    refuse_unwritten_texts(programme.project.specs)
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
            f"[green]All content is valid[/]: {counts['contracts']} contracts, {counts['indicators']} indicators, "
            f"{counts['cubes']} cubes, {counts['marts']} marts ({counts['seconds']} s)"
        )


@app.command()
def run(
    config: Config = None,
    period: Annotated[str | None, typer.Option(help="Years to process: 2018, 2018..2020 or 2018,2020.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Run even if nothing changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the nightly job now: deliveries, checks, marts, publication."""
    from triple_aim.definitions import load_contracts, load_publication
    from triple_aim.periods import parse_periods
    from triple_aim.release import up_to_date_release

    started = time.monotonic()
    project = _project(config)
    periods = parse_periods(period) if period else None
    console = _console()
    if not again and (unchanged := up_to_date_release(project, load_contracts(project.contracts).values())):
        if as_json:
            print(json.dumps({"release": unchanged.name, "is_new": False}))
            return
        seconds = time.monotonic() - started
        message = f"Nothing was delivered or changed: release {unchanged.name} is still current ({seconds:.1f} s)"
        console.print(message, highlight=False)
        print(project.publication / "current")
        return
    from triple_aim.reports import print_summary

    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    os.environ["TRIPLE_AIM_CONFIG"] = str(project.config)
    sys.path.insert(0, str(project.root))  # the wheel contains the engine only; the job is in the checkout
    with console.status("starting") as status:
        from pipelines.run import run as run_job

        outcome = run_job(project.config, periods, lambda step: status.update(f"done: {step}"))
    if outcome.exit_code:
        console.print(outcome.failure, style="red", markup=False, highlight=False)
        console.print("Nothing was published; the current release is unchanged.", highlight=False)
        raise typer.Exit(outcome.exit_code)
    seconds = time.monotonic() - started
    release = project.publication / "current"
    if as_json:
        print(json.dumps({"release": outcome.release.name if outcome.release else None, "is_new": outcome.is_new}))
        return
    if outcome.release:
        print_summary(console, outcome.release, load_publication(project.contracts))
        name = outcome.release.name
        message = f"Published release {name}" if outcome.is_new else f"Nothing changed: release {name} is still current"
        console.print(f"{message} ({seconds:.1f} s)", highlight=False)
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
    age_group: Annotated[str, typer.Option(help="Age group, such as 65-74.")] = "all",
    segment: Annotated[str, typer.Option(help="Segment, such as a kind of care: hospital.")] = "all",
) -> None:
    """Show what an indicator means and how one number was computed: sums, strata, deliveries."""
    from triple_aim.definitions import load_programme
    from triple_aim.explain import Part, explain_indicator

    programme, part = load_programme(_project(config)), Part(sex, age_group, segment)
    explain_indicator(_console(stdout=True), programme, indicator, region, period, part)


@app.command()
def sql(
    query: Annotated[
        str | None, typer.Argument(help="One select statement; without it, the marts and their columns are listed.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")] = False,
) -> None:
    """Query the published marts with SQL (DuckDB), read-only."""
    from triple_aim.definitions import load_publication
    from triple_aim.release import open_marts
    from triple_aim.warehouse import EngineError, masked_message

    project = _project(config)
    listing = (
        "select table_name as mart, column_name, data_type, comment from duckdb_columns() where schema_name = 'mart'"
    )
    with open_marts(_release(project), load_publication(project.contracts)) as warehouse:
        try:
            frame = warehouse.frame(query or listing)
        except EngineError as error:
            raise ProjectError(
                masked_message(error), "the query", "triple-aim sql lists the marts and their columns"
            ) from None
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
            _console().print(f"{len(frame):,} rows, of which the first 500 are printed; --csv prints all")


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
    """Write a mart, or part of it, as CSV, Excel or Parquet."""
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


@app.command()
def audit(
    publication: Annotated[
        list[Path],
        typer.Argument(help="Releases to attack together, oldest first: folders of a release or of releases."),
    ],
    own_regions: Annotated[
        list[Path] | None,
        typer.Option("--own-regions", help="Own classifications: one folder for all releases, or one per release."),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Attack releases with what they print and the rules that they state; fail if a withheld count follows."""
    from triple_aim.audit import audit_releases
    from triple_aim.cli.audit_report import as_dictionary, print_report, refusal

    project = _project(config)
    if own_regions and len(own_regions) not in (1, len(publication)):
        raise ProjectError("there is no --own-regions for every release", "audit", "give one, or one per release")
    console = _console()
    with console.status("reading") as status:
        report = audit_releases(
            publication, project.reference / "regions", own_regions or [project.own_regions], status.update
        )
    if as_json:
        print(json.dumps(as_dictionary(report), indent=1))
    else:
        print_report(_console(stdout=True), report)
    if not report.is_safe:
        raise refusal(report)


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
    """Trend: one indicator over the years, with intervals, comparator and series breaks."""
    from triple_aim.reports.figures import trend

    arguments = (indicator, region_type, region, language)
    base = out or Path(f"trend_{indicator}_{'_'.join(region)}")
    _draw(trend, arguments, base, config, age_group=age_group, source=source)


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
    """Caterpillar plot: all regions of a type in one year, sorted, with intervals and the national value."""
    from triple_aim.reports.figures import caterpillar

    arguments = (indicator, region_type, period, language)
    base = out or Path(f"caterpillar_{indicator}_{region_type}_{period}")
    _draw(caterpillar, arguments, base, config, age_group=age_group, source=source)


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
    """Funnel plot: all regions of a type in one year by their size, with control limits around the national value."""
    from triple_aim.reports.figures import funnel

    arguments = (indicator, region_type, period, language)
    base = out or Path(f"funnel_{indicator}_{region_type}_{period}")
    _draw(funnel, arguments, base, config, age_group=age_group, source=source, overdispersed=overdispersed)


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
    """Control chart (XmR) of one region over twelve years or more, which marks special-cause variation."""
    from triple_aim.reports.figures import chart

    arguments = (indicator, region, language)
    base = out or Path(f"chart_{indicator}_{region}")
    _draw(chart, arguments, base, config, age_group=age_group, source=source)


@new_app.command("indicator")
def new_indicator(
    name: Annotated[str, typer.Argument(help="aim/name, such as cost/dental_cost.")], config: Config = None
) -> None:
    """Write a new indicator spec that can be computed; TODO marks the texts to write, and the check refuses it."""
    from triple_aim.definitions import scaffold_indicator

    print(scaffold_indicator(_project(config), name))


@new_app.command("extract")
def new_extract(name: Annotated[str, typer.Argument(help="Name of the extract.")], config: Config = None) -> None:
    """Write a new contract and its staging SQL; TODO marks the texts to write."""
    from triple_aim.definitions import scaffold_extract

    for path in scaffold_extract(_project(config), name):
        print(path)


@app.command()
def samples(
    folder: Annotated[Path, typer.Argument(help="Folder for the deliveries and their true values.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 20260110,
) -> None:
    """Generate the synthetic sample deliveries and the true values of their indicators."""
    from triple_aim.synthetic import write_samples

    write_samples(folder, seed)
    print(folder)


@app.command()
def doctor(config: Config = None) -> None:
    """Examine this installation: versions, settings, content, folders, secret, engine, publication."""
    from triple_aim.cli.doctor import examine

    console = _console(stdout=True)
    findings = examine(config)
    for finding in findings:
        mark = "[green]ok  [/]" if finding.is_ok else "[red]bad [/]"
        console.print(f"{mark} {finding.subject}: {finding.message}", highlight=False)
    if not all(finding.is_ok for finding in findings):
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
    figure: Callable[..., bytes], arguments: Sequence[object], base: Path, config: Path | None, **options: object
) -> None:
    """Write one figure of the current release as SVG and PNG."""
    from triple_aim.definitions import load_publication
    from triple_aim.files import replace_file

    project = _project(config)
    release, promise = _release(project), load_publication(project.contracts)
    for kind in ("svg", "png"):
        path = base.with_name(f"{base.name.removesuffix('.' + kind)}.{kind}")
        replace_file(path, figure(release, promise, *arguments, **options, to=kind))
        print(path)


def _console(stdout: bool = False) -> Console:
    from rich.console import Console

    console = Console(stderr=not stdout)
    # Without a terminal rich assumes 80 columns, too narrow for the tables.
    return console if console.is_terminal else Console(stderr=not stdout, width=WIDTH)


def main() -> None:
    """Run a command; a foreseen error prints three lines and sets its exit code, ``--debug`` shows the traceback."""
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
        # The reader of the output stopped early, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
