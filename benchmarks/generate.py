"""Writes deliveries of an invented nation of any size, and their true values.

    python benchmarks/generate.py --persons 300000 --year 2022 --year 2023 --out DIR
    triple-aim run --config DIR/monitor.toml

Not here: the model of the nation (``triple_aim.synthetic``).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from triple_aim.errors import TripleAimError
from triple_aim.synthetic import Nation, write_nation


def main(
    persons: Annotated[int, typer.Option(help="Number of persons; 17,900,000 is the size of the Netherlands.")],
    out: Annotated[Path, typer.Option(help="Output folder.")],
    year: Annotated[
        list[int] | None, typer.Option(help="Year of deliveries, by default 2023; can be repeated.")
    ] = None,
    municipalities: Annotated[
        int,
        typer.Option(
            help="Number of municipalities, the largest ones; few of them give cells large enough to publish."
        ),
    ] = 342,
    seed: int = 20230101,
    lines: Annotated[float, typer.Option(help="Claim lines per insured year.")] = 33.0,
    delivered: Annotated[
        str,
        typer.Option(
            help="Day of delivery; later bookings are left out. By default 1 May after the last year, "
            "or a year later if there is only one year."
        ),
    ] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Claims as gzipped CSV instead of Parquet.")] = False,
    claims_only: Annotated[
        bool, typer.Option("--claims-only", help="Without deaths, residents, social domain and surveys.")
    ] = False,
    memory_limit: str = "3GB",
    threads: int = 2,
) -> None:
    """Write the deliveries of an invented nation and their true values."""
    try:
        nation = Nation(
            persons=persons,
            years=tuple(sorted(set(year or [2023]))),
            municipalities=municipalities,
            seed=seed,
            lines=lines,
            delivered=delivered,
        )
        summary = write_nation(
            nation, out, csv=csv, claims_only=claims_only, memory_limit=memory_limit, threads=threads
        )
    except TripleAimError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    for year_summary in summary["years"]:
        sums = year_summary["nl"]
        print(
            f"{year_summary['period']}: {year_summary['claim_line_count']:,} claim lines, "
            f"{sums['insured_years']:,.0f} insured years, "
            f"{sums['amount_eur'] / sums['insured_years']:,.2f} euro per insured year"
        )


if __name__ == "__main__":
    typer.run(main)
