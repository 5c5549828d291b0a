"""Writes the deliveries of an invented nation, as large as asked, and beside them what a right answer is.

    python benchmarks/generate.py --persons 300000 --year 2023 --out DIR
    triple-aim run --config DIR/monitor.toml

Belongs here: the order of the steps, and the prices that make the mean euro per insured year what the reference says.
Not here: who the people are and what befalls them (``nation/*.sql``, with its rates in ``nation/*.csv``).

Every draw is a hash of seed, person, topic and number, so that the same arguments give the same bytes whatever the
number of threads, and any part can be made anew by itself. Persons are made a chunk at a time: memory does not grow.
"""

from __future__ import annotations

import json
import re
import shutil
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
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parent / "reference"
CHUNK = 50_000  # persons
ROW_GROUP = 122_880
GROUPS = 5  # age groups of the rates

#: Queries whose rows are delivered as CSV, and the extracts they are; then those that are summed over the chunks.
CSVS = {"spans": "insured_population", "mortality": "mortality", "social_domain": "social_domain"}
FOLDED = ("truth", "planted", "population")

MONITOR = """\
deliveries = "deliveries"
work = "work"
publication = "publication"
"""


@dataclass(frozen=True)
class Nation:
    """What is asked for; the shares are those of services, or of persons for ``bad_spans``."""

    persons: int
    year: int = 2023
    seed: int = 20230101
    lines: float = 33.0  # claim lines per insured year
    delivered: str = ""  # what is booked later is not in it; empty is 1 May two years on
    unknown_person: float = 0.01
    other_year: float = 0.0001
    bad_lines: float = 0.001
    corrected: float = 0.005
    bad_spans: float = 0.0005

    def values(self) -> dict[str, Any]:
        opens = np.datetime64(f"{self.year}-01-01")
        days = int((np.datetime64(f"{self.year + 1}-01-01") - opens).astype(int))
        delivered = self.delivered or f"{self.year + 2}-05-01"
        dates = {"opens": opens.item(), "delivered": np.datetime64(delivered).item()}
        return {**asdict(self), "days": days, **dates}

    def counted(self) -> float:
        """The share of euros that is left when unknown persons, defects and corrections are out."""
        # Of the corrected one in ten loses half its euros, and every second one of the others all.
        lost = self.corrected * (0.1 * 0.5 + 0.45)
        return (1 - self.unknown_person - self.other_year - self.bad_lines) * (1 - lost)


class Maker:
    """One in-memory engine and the files of ``nation/``."""

    def __init__(self, nation: Nation, memory_limit: str, threads: int, spill: Path) -> None:
        self.nation = nation
        self.values = nation.values()
        self.found: set[str] = set()
        settings = {"memory_limit": memory_limit, "threads": threads, "temp_directory": str(spill)}
        self.connection = duckdb.connect(config=settings)
        # Twelve bits are dropped so that the draw fits a double, and half a step is added so that it is never 0 or 1.
        self.connection.execute(
            "create macro draw(key, topic) as "
            "cast(hash(hash(key, topic)) >> 12 as double) * 2.220446049250313e-16 + 1.1102230246251565e-16"
        )
        self._load_reference()
        for table in ("places", "tickets"):
            self.table(table)

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

    def folded(self, name: str) -> pd.DataFrame:
        return self.connection.execute(f"from {name}_folded order by all").df()

    def chunks(self, *tables: str) -> Iterator[None]:
        """Make these tables for one chunk of persons after another."""
        for low in range(0, self.nation.persons, CHUNK):
            self.values |= {"low": low, "high": min(low + CHUNK, self.nation.persons)}
            for table in tables:
                self.table(table)
            yield

    def _load_reference(self) -> None:
        municipalities = pd.read_csv(REFERENCE / "regions" / "municipalities.csv")
        latest = municipalities["division_year"] == municipalities["division_year"].max()
        traits, care, medicines = (_read(name) for name in ("traits", "care", "medicines"))
        care["care_row"] = np.arange(len(care)) + 1
        medicines["care_row"] = np.arange(len(medicines)) + len(care) + 1
        traits["number"] = np.arange(len(traits))
        care_rows = pd.concat([care, medicines.assign(care_kind="pharmacy", performance_code="RX", nights=0)])
        lists = care_rows.assign(code=care_rows["codes"].str.split("|")).explode("code").dropna(subset="code")
        lists["code_number"] = lists.groupby("care_row").cumcount()
        counts = lists.groupby("care_row").size()
        self.municipalities = municipalities.loc[latest, "municipality_code"]
        tables = {
            "municipalities": self.municipalities.to_frame(),
            "age_structure": pd.read_csv(REFERENCE / "standards" / "nl_2021.csv"),
            "traits": _by_age_group(traits, "share"),
            "rates": _by_age_group(care, "rate")[["care_row", "trait", "age_group", "rate"]],
            "medicines": medicines[["care_row", "trait", "share"]],
            "care": care_rows.assign(code_count=care_rows["care_row"].map(counts).fillna(0).astype(int))[
                ["care_row", "stream", "care_kind", "performance_code", "women", "nights", "euro", "code_count"]
            ],
            "codes": lists[["care_row", "code_number", "code"]],
            "provisions": _read("provisions").rename_axis("provision").reset_index(),
        }
        for name, frame in tables.items():
            with self._named(frame):
                self.connection.execute(f"create temp table {name} as select * from arriving")

    @contextmanager
    def _named(self, frame: pd.DataFrame) -> Iterator[None]:
        self.connection.register("arriving", frame)
        yield
        self.connection.unregister("arriving")

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
        kinds = _read("kinds").set_index("care_kind").loc[found.index]
        target = (cost_targets(self.nation.year) * insured_years).loc[found.columns]
        share = _between({2018: kinds["euro_2018"], 2023: kinds["euro_2023"]}, self.nation.year)
        raked = rake(found.to_numpy(), (share / share.sum() * target.sum()).to_numpy(), target.to_numpy())
        price = (raked / self.nation.counted() / found).fillna(0)
        prices = price.stack(cells, future_stack=True).rename("price").reset_index()
        with self._named(prices.merge(kinds["booking_days"], left_on="care_kind", right_index=True)):
            self.connection.execute("create temp table prices as select * from arriving")


def rake(start: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Iterative proportional fitting: scale a table until its margins are these; columns exactly, rows nearly."""
    table = start.copy()
    for _ in range(200):
        table *= (rows / table.sum(axis=1))[:, None]
        table *= columns / table.sum(axis=0)
    return table


def cost_targets(year: int) -> pd.Series[float]:
    """Euro per insured year by age band and sex; between and beyond the years of the table on a straight line."""
    table = pd.read_csv(HERE / "nation" / "cost.csv").set_index(["age_band", "sex"])
    return _between({int(name[-4:]): table[name] for name in table}, year)


def _between(series: dict[int, pd.Series[float]], year: int) -> pd.Series[float]:
    years = sorted(series)
    upper = next((known for known in years[1:-1] if known >= year), years[-1])
    lower = years[years.index(upper) - 1]
    return series[lower] + (series[upper] - series[lower]) * (year - lower) / (upper - lower)


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(HERE / "nation" / f"{name}.csv")


def _by_age_group(wide: pd.DataFrame, value: str) -> pd.DataFrame:
    """A table with a column an age group made one with a row an age group."""
    columns = [f"{value}_{group}" for group in range(1, GROUPS + 1)]
    long = wide.melt([name for name in wide if name not in columns], columns, "age_group", value)
    return long.assign(age_group=long["age_group"].str[-1].astype(int))


def write_nation(
    nation: Nation,
    out: Path,
    *,
    csv: bool = False,
    claims_only: bool = False,
    memory_limit: str = "3GB",
    threads: int = 2,
) -> dict[str, Any]:
    """Write ``out/deliveries``, ``out/truth.parquet``, ``out/truth.json`` and a ``monitor.toml`` that runs them."""
    csvs = {query: extract for query, extract in CSVS.items() if query == "spans" or not claims_only}
    shutil.rmtree(out / "deliveries", ignore_errors=True)
    maker = Maker(nation, memory_limit, threads, out / "spill")
    maker.calibrate()
    line_count = 0
    with _parquet_writer(_delivery(out, "claims", nation.year, ".parquet")) as write_lines:
        for _ in maker.chunks("people", "holders", "occasions", "services"):
            for query, extract in csvs.items():
                append_csv(maker, query, _delivery(out, extract, nation.year, ".csv.gz"))
            if csv:
                line_count += append_csv(maker, "delivered", _delivery(out, "claims", nation.year, ".csv.gz"))
            else:
                line_count += write_lines(maker)
            for query in FOLDED:
                maker.fold(query)
    if not claims_only:
        population = _all_cells(maker.folded("population"), maker.municipalities)
        population["person_years"] = population.pop("insured_day_count") / maker.values["days"]
        population.to_csv(_delivery(out, "population", nation.year, ".csv"), sep=";", index=False)
    truth = _with_units(maker.folded("truth"), maker.values["days"])
    truth.insert(0, "period", nation.year)
    truth.to_parquet(out / "truth.parquet", index=False)
    told = {
        "nation": asdict(nation),
        "claim_line_count": line_count,
        "nl": truth.groupby("measure")["value"].sum().to_dict(),
        "services": maker.folded("planted").to_dict("records"),
    }
    (out / "truth.json").write_text(json.dumps(told, indent=1))
    (out / "monitor.toml").write_text(MONITOR)
    return told


def _delivery(out: Path, extract: str, year: int, suffix: str) -> Path:
    path = out / "deliveries" / extract / f"{extract}_{year}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _with_units(sums: pd.DataFrame, days: int) -> pd.DataFrame:
    """Whole cents as euros, and days as years beside the days."""
    years = sums[sums["measure"] == "insured_day_count"].assign(measure="insured_years")
    years["value"] /= days
    euros = sums["measure"].str.endswith("_eur")
    return pd.concat([sums.assign(value=sums["value"].where(~euros, sums["value"] / 100)), years], ignore_index=True)


def _all_cells(population: pd.DataFrame, municipalities: pd.Series[str]) -> pd.DataFrame:
    """Every municipality, sex and age band, with 0 where nobody lives."""
    cells = ["municipality_code", "sex", "age_band"]
    grid = pd.MultiIndex.from_product(
        [sorted(municipalities), ["F", "M"], sorted(population["age_band"].unique())], names=cells
    )
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
    year: int = 2023,
    seed: int = 20230101,
    lines: Annotated[float, typer.Option(help="claim lines per insured year")] = 33.0,
    delivered: Annotated[str, typer.Option(help="day of the delivery; later bookings are not in it")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="claims as gzipped CSV in place of Parquet")] = False,
    claims_only: Annotated[bool, typer.Option("--claims-only", help="no deaths, residents or social domain")] = False,
    memory_limit: str = "3GB",
    threads: int = 2,
) -> None:
    """Write the deliveries of an invented nation, and the truth beside them."""
    nation = Nation(persons=persons, year=year, seed=seed, lines=lines, delivered=delivered)
    told = write_nation(nation, out, csv=csv, claims_only=claims_only, memory_limit=memory_limit, threads=threads)
    sums = told["nl"]
    print(f"{told['claim_line_count']:,} claim lines, {sums['insured_years']:,.0f} insured years")
    print(f"{sums['amount_eur'] / sums['insured_years']:,.2f} euro per insured year")


if __name__ == "__main__":
    typer.run(main)
