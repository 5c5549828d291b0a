"""Writes the deliveries of an invented nation, as large as asked, and beside them what a right answer is.

    python benchmarks/generate.py --persons 300000 --year 2022 --year 2023 --out DIR
    triple-aim run --config DIR/monitor.toml

Belongs here: the order of the steps, and the prices that make the mean euro per insured year what the reference says.
Not here: who the people are and what befalls them (``nation/*.sql``, with its rates in ``tables``).

Every draw is a hash of seed, person, topic and number, so that the same arguments give the same bytes whatever the
number of threads, and any part can be made anew by itself. Persons are made a chunk at a time: memory does not grow.
A person's state in a year is a function of both, so that years are made one after another and nothing is kept.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import typer

sys.path.insert(0, str(Path(__file__).resolve().parent))
from calibration import cost_targets, kinds_of_care, rake
from sampling import BY_GGD, wave_of, write_survey
from tables import nation_tables
from truth import true_values

from triple_aim.samples.places import DEATHS_AT_BIRTH, DEATHS_BY_AGE, DEATHS_BY_SEX
from triple_aim.samples.residents import INFANT_DEATHS, UNKNOWN_CAUSES

HERE = Path(__file__).resolve().parent
CHUNK = 50_000  # persons
ROW_GROUP = 122_880
ENTRANTS = 0.025  # born or arrived in a year, of the persons of the first

#: What is made of each chunk of persons: tables, queries whose rows are delivered as CSV with their extracts, and
#: queries that are summed over the chunks; for claims, and for all besides.
CLAIMS_TABLES, OTHER_TABLES = (
    ("people", "holders", "occasions", "services"),
    ("deaths", "allocations", "adults", "answers"),
)
CLAIMS_CSVS, OTHER_CSVS = {"spans": "insured_population"}, {"mortality": "mortality", "social_domain": "social_domain"}
CLAIMS_SUMS, OTHER_SUMS = ("truth", "stays", "planted"), ("residents", "population", "opinions")
YEARS_OF = {"insured_day_count": "insured_years", "resident_day_count": "person_years"}

MONITOR = """\
deliveries = "deliveries"
work = "work"
publication = "publication"
"""


@dataclass(frozen=True)
class Nation:
    """What is asked for; the shares are those of services, or of persons for ``bad_spans``."""

    persons: int  # in the first year; births and arrivals come on top
    years: tuple[int, ...] = (2023,)
    municipalities: int = 342  # the largest
    seed: int = 20230101
    lines: float = 33.0  # claim lines per insured year
    delivered: str = ""  # what is booked later is not in it
    respondents: int = 100  # to a survey, of each municipality and age group, if so many take part
    unknown_person: float = 0.01
    other_year: float = 0.0001
    bad_lines: float = 0.001
    corrected: float = 0.005
    bad_spans: float = 0.0005

    def values(self, year: int) -> dict[str, Any]:
        """What the queries of a year may name."""
        opens, closes = (np.datetime64(f"{each}-01-01") for each in (year, year + 1))
        return {
            **asdict(self),
            "year": year,
            "first_year": min(self.years),
            "entrants": self.entrants,
            "opens": opens.item(),
            "days": int((closes - opens).astype(int)),
            "delivered": np.datetime64(self.day_of_delivery()).item(),
            "deaths_at_birth": DEATHS_AT_BIRTH,
            "deaths_by_age": DEATHS_BY_AGE,
            "deaths_of_women": DEATHS_BY_SEX["F"],
            "deaths_of_men": DEATHS_BY_SEX["M"],
            "infant_deaths": INFANT_DEATHS,
            "unknown_causes": UNKNOWN_CAUSES,
            "wave": wave_of(year),
            "by_ggd": BY_GGD,
        }

    @property
    def entrants(self) -> int:
        return max(round(ENTRANTS * self.persons), 1)

    def day_of_delivery(self) -> str:
        """As asked; else the last year is still filling up, unless it stands alone and nothing tells of its run-off."""
        return self.delivered or f"{max(self.years) + (2 if len(self.years) == 1 else 1)}-05-01"

    def numbered(self, year: int) -> int:
        """How many persons were here by the end of a year."""
        return self.persons + (year - min(self.years)) * self.entrants

    def counted(self) -> float:
        """The share of euros that is left when unknown persons, defects and corrections are out."""
        # Of the corrected one in ten loses half its euros, and every second one of the others all.
        lost = self.corrected * (0.1 * 0.5 + 0.45)
        return (1 - self.unknown_person - self.other_year - self.bad_lines) * (1 - lost)


class Maker:
    """One in-memory engine and the files of ``nation/``."""

    def __init__(self, nation: Nation, memory_limit: str, threads: int, spill: Path) -> None:
        self.nation = nation
        settings = {"memory_limit": memory_limit, "threads": threads, "temp_directory": str(spill)}
        self.connection = duckdb.connect(config=settings)
        # Twelve bits are dropped so that the draw fits a double, and half a step is added so that it is never 0 or 1.
        self.connection.execute(
            "create macro draw(key, topic) as "
            "cast(hash(hash(key, topic)) >> 12 as double) * 2.220446049250313e-16 + 1.1102230246251565e-16"
        )
        for name, frame in nation_tables().items():
            self.load(name, frame)
        self.values = nation.values(min(nation.years))
        for table in ("places", "tickets"):
            self.table(table)

    def begin(self, year: int) -> None:
        """Turn to a year; what was found in another is forgotten."""
        self.values = self.nation.values(year)
        self.found: set[str] = set()
        self.calibrate()

    def load(self, name: str, frame: pd.DataFrame) -> None:
        self.connection.register("arriving", frame)
        self.connection.execute(f"create or replace temp table {name} as select * from arriving")
        self.connection.unregister("arriving")

    def query(self, name: str) -> tuple[str, dict[str, Any]]:
        """The SQL of a file and the values it names."""
        sql = (HERE / "nation" / f"{name}.sql").read_text()
        return sql, {key: self.values[key] for key in set(re.findall(r"\$(\w+)", sql))}

    def table(self, name: str) -> None:
        sql, values = self.query(name)
        self.connection.execute(f"create or replace temp table {name} as {sql}", values)

    def frame(self, name: str) -> pd.DataFrame:
        sql, values = self.query(name)
        return self.connection.execute(sql, values).df()

    def fold(self, name: str) -> None:
        """Add what a query finds in this chunk to what it found before: text is the key, numbers are summed."""
        sql, values = self.query(name)
        header = self.connection.execute(f"describe {sql}", values).fetchall()
        columns = ", ".join(
            column if kind == "VARCHAR" else f"cast(sum({column}) as bigint) as {column}" for column, kind, *_ in header
        )
        before = f"from {name}_folded union all by name" if name in self.found else ""
        both = f"({before} ({sql}))"
        self.connection.execute(
            f"create or replace temp table {name}_folded as select {columns} from {both} group by all", values
        )
        self.found.add(name)

    def keep_sample(self) -> None:
        """Let the adults of this chunk draw lots against those kept of the chunks before."""
        if "sampled" not in self.found:
            self.connection.execute("create or replace temp table sampled as from adults limit 0")
            self.found.add("sampled")
        self.table("sampled")

    def answers_of_sample(self) -> pd.DataFrame:
        """What those kept answer; the chunk's adults give way to them."""
        self.connection.execute("create or replace temp table adults as from sampled")
        return self.frame("answers")

    def folded(self, name: str) -> pd.DataFrame:
        return self.connection.execute(f"from {name}_folded order by all").df()

    def chunks(self, *tables: str) -> Iterator[None]:
        """Make these tables for one chunk of persons after another."""
        until = self.nation.numbered(self.values["year"])
        for low in range(0, until, CHUNK):
            self.values |= {"low": low, "high": min(low + CHUNK, until)}
            for table in tables:
                self.table(table)
            yield

    def calibrate(self) -> None:
        """Set ``filler`` so that as many lines come as asked, and ``prices`` so that they cost what the tables say."""
        parts = [self.frame("expected") for _ in self.chunks("people", "holders")]
        cells = ["age_band", "sex"]
        sums = pd.concat(parts).groupby(["care_row", *cells])["line_count"].sum()
        insured_years = sums.loc[0]
        care = self.connection.execute("select care_row, care_kind, performance_code, euro from care").df()
        lines = sums.drop(0).reset_index().merge(care, on="care_row")
        fillers = lines["performance_code"] == "OTHER"
        events = lines["line_count"][~fillers].sum()
        filler = (self.nation.lines * insured_years.sum() - events) / lines["line_count"][fillers].sum()
        if filler <= 0:
            raise typer.BadParameter(f"the events alone are {events / insured_years.sum():.1f} lines an insured year")
        self.values["filler"] = float(filler)
        lines["euro"] *= lines["line_count"] * np.where(fillers, filler, 1)
        found = lines.pivot_table(index="care_kind", columns=cells, values="euro", aggfunc="sum").fillna(0)
        kinds = kinds_of_care(self.values["year"]).loc[found.index]
        target = (cost_targets(self.values["year"]) * insured_years).loc[found.columns]
        raked = rake(found.to_numpy(), (kinds["share"] * target.sum()).to_numpy(), target.to_numpy())
        price = (raked / self.nation.counted() / found).fillna(0)
        prices = price.stack(cells, future_stack=True).rename("price").reset_index()
        self.load("prices", prices.merge(kinds["booking_days"], left_on="care_kind", right_index=True))


def write_nation(
    nation: Nation,
    out: Path,
    *,
    csv: bool = False,
    claims_only: bool = False,
    memory_limit: str = "3GB",
    threads: int = 2,
) -> dict[str, Any]:
    """Write ``out/deliveries``, a ``monitor.toml`` that runs them, and what is true: ``truth``, ``indicators``."""
    shutil.rmtree(out / "deliveries", ignore_errors=True)
    maker = Maker(nation, memory_limit, threads, out / "spill")
    made = [_write_year(maker, year, out, csv=csv, claims_only=claims_only) for year in sorted(nation.years)]
    truth = pd.concat([year.pop("truth") for year in made], ignore_index=True)
    truth.to_parquet(out / "truth.parquet", index=False)
    true_values(truth).to_parquet(out / "indicators.parquet", index=False)
    told = {
        "nation": asdict(nation),
        "claim_line_count": sum(year["claim_line_count"] for year in made),
        "years": made,
    }
    (out / "truth.json").write_text(json.dumps(told, indent=1))
    (out / "monitor.toml").write_text(MONITOR)
    return told


def _write_year(maker: Maker, year: int, out: Path, *, csv: bool, claims_only: bool) -> dict[str, Any]:
    """Write the deliveries of one year; what is true of it."""
    maker.begin(year)
    tables = CLAIMS_TABLES if claims_only else CLAIMS_TABLES + OTHER_TABLES
    csvs = CLAIMS_CSVS if claims_only else CLAIMS_CSVS | OTHER_CSVS
    sums = CLAIMS_SUMS if claims_only else CLAIMS_SUMS + OTHER_SUMS
    line_count = 0
    with _parquet_writer(_delivery(out, "claims", year, ".parquet")) as write_lines:
        for _ in maker.chunks(*tables):
            for query, extract in csvs.items():
                append_csv(maker, query, _delivery(out, extract, year, ".csv.gz"))
            if csv:
                line_count += append_csv(maker, "delivered", _delivery(out, "claims", year, ".csv.gz"))
            else:
                line_count += write_lines(maker)
            for query in sums:
                maker.fold(query)
            if not claims_only:
                maker.keep_sample()
    found = pd.concat([maker.folded(name) for name in sums if name not in ("planted", "population")], ignore_index=True)
    if not claims_only:
        population = _all_cells(maker.folded("population"))
        population["person_years"] = population.pop("insured_day_count") / maker.values["days"]
        population.to_csv(_delivery(out, "population", year, ".csv"), sep=";", index=False)
        opinions = maker.folded("opinions")
        adults = opinions[opinions["measure"] == "adult_count"]
        sample = maker.connection.execute("from sampled").df()
        write_survey(sample, maker.answers_of_sample(), adults, year, _delivery(out, wave_of(year), year, ""))
    truth = _with_units(found, maker.values["days"])
    return {
        "period": year,
        "claim_line_count": line_count,
        "nl": truth.groupby("measure")["value"].sum().to_dict(),
        "services": maker.folded("planted").to_dict("records"),
        "truth": truth.assign(period=year)[["period", *truth]],
    }


def _delivery(out: Path, extract: str, year: int, suffix: str) -> Path:
    path = out / "deliveries" / extract / f"{extract}_{year}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _with_units(sums: pd.DataFrame, days: int) -> pd.DataFrame:
    """Whole cents as euros, tenths as scores, halves as years lost, and days as years beside the days."""
    years = sums[sums["measure"].isin(YEARS_OF)].replace({"measure": YEARS_OF})
    parts = pd.Series(1.0, sums.index)
    for end, part in (("_eur", 100), ("_score_sum", 10), ("years_lost_sum", 2), ("_death_sum", 2)):
        parts[sums["measure"].str.endswith(end)] = part
    sums = sums.assign(value=sums["value"] / parts)
    return pd.concat([sums, years.assign(value=years["value"] / days)], ignore_index=True)


def _all_cells(population: pd.DataFrame) -> pd.DataFrame:
    """Every municipality with anybody in it, sex and age band, with 0 where nobody lives."""
    cells = ["municipality_code", "sex", "age_band"]
    grid = pd.MultiIndex.from_product([sorted(population[cell].unique()) for cell in cells], names=cells)
    return population.set_index(cells).reindex(grid, fill_value=0).reset_index()


@contextmanager
def _parquet_writer(path: Path) -> Iterator[Any]:
    """A function that adds the claim lines of a chunk to one file; the file is made by its first call."""
    writers: list[pq.ParquetWriter] = []

    def write(maker: Maker) -> int:
        sql, values = maker.query("delivered")
        lines = maker.connection.execute(sql, values).to_arrow_table()
        if not writers:
            writers.append(pq.ParquetWriter(path, lines.schema, compression="zstd"))
        writers[0].write_table(lines, row_group_size=ROW_GROUP)
        return int(lines.num_rows)

    try:
        yield write
    finally:
        for writer in writers:
            writer.close()


def append_csv(maker: Maker, name: str, path: Path) -> int:
    """Add the rows of a query to a gzipped CSV: parts of gzip set end to end are gzip."""
    sql, values = maker.query(name)
    part = path.with_suffix(".part.gz")
    header = not path.exists()
    copy = f"copy ({sql}) to '{part}' (format csv, delimiter ';', header {header}, compression gzip)"
    rows = maker.connection.execute(copy, values).fetchall()[0][0]
    with part.open("rb") as source, path.open("ab") as target:
        shutil.copyfileobj(source, target)
    part.unlink()
    return int(rows)


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
    nation = Nation(
        persons=persons,
        years=tuple(year or [2023]),
        municipalities=municipalities,
        seed=seed,
        lines=lines,
        delivered=delivered,
    )
    told = write_nation(nation, out, csv=csv, claims_only=claims_only, memory_limit=memory_limit, threads=threads)
    for made in told["years"]:
        sums = made["nl"]
        print(
            f"{made['period']}: {made['claim_line_count']:,} claim lines, {sums['insured_years']:,.0f} insured years, "
            f"{sums['amount_eur'] / sums['insured_years']:,.2f} euro per insured year"
        )


if __name__ == "__main__":
    typer.run(main)
