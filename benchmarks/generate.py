"""Writes the deliveries of an invented nation, as large as asked, and beside them what a right answer is.

    python benchmarks/generate.py --persons 300000 --year 2022 --year 2023 --out DIR
    triple-aim run --config DIR/monitor.toml

Not here: the nation (``triple_aim.invented``).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from triple_aim.errors import TripleAimError
from triple_aim.synthetic import Nation, write_nation


def main(
    persons: Annotated[int, typer.Option(help="how many are drawn; 17,900,000 is the nation")],
    out: Annotated[Path, typer.Option(help="folder to write into")],
    year: Annotated[list[int] | None, typer.Option(help="may be given more than once; 2023 if never")] = None,
    municipalities: Annotated[int, typer.Option(help="the largest of them; fewer make cells that can be shown")] = 342,
    seed: int = 20230101,
    lines: Annotated[float, typer.Option(help="claim lines per insured year")] = 33.0,
    delivered: Annotated[
        str,
        typer.Option(
            help="day of delivery, later bookings are left out; 1 May of the next year, a year later for one alone"
        ),
    ] = "",
    csv: Annotated[bool, typer.Option("--csv", help="claims as gzipped CSV in place of Parquet")] = False,
    claims_only: Annotated[bool, typer.Option("--claims-only", help="no deaths, residents or social domain")] = False,
    memory_limit: str = "3GB",
    threads: int = 2,
) -> None:
    """Write the deliveries of an invented nation, and the truth beside them."""
    try:
        nation = Nation(
            persons=persons,
            years=tuple(sorted(set(year or [2023]))),
            municipalities=municipalities,
            seed=seed,
            lines=lines,
            delivered=delivered,
        )
        told = write_nation(nation, out, csv=csv, claims_only=claims_only, memory_limit=memory_limit, threads=threads)
    except TripleAimError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    for made in told["years"]:
        sums = made["nl"]
        print(
            f"{made['period']}: {made['claim_line_count']:,} claim lines, {sums['insured_years']:,.0f} insured years, "
            f"{sums['amount_eur'] / sums['insured_years']:,.2f} euro per insured year"
        )


if __name__ == "__main__":
    typer.run(main)
