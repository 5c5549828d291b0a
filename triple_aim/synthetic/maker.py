"""The engine of an invented nation: its tables, made a chunk of persons at a time, and sums over the chunks.

Belongs here: running the queries of ``model/``, and the prices that make the mean euro per insured year what the
reference says. Not here: which of them are delivered, and how (``delivering``).

Every draw is a hash of seed, person, topic and number, so that the same arguments give the same bytes whatever the
number of threads, and any part can be made anew by itself. Persons are made a chunk at a time: memory does not grow.
A person's state in a year is a function of both, so that years are made one after another and nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from triple_aim.errors import ProjectError
from triple_aim.synthetic.calibration import cost_targets, kinds_of_care, rake
from triple_aim.synthetic.nation import Nation
from triple_aim.synthetic.tables import MODEL, model_tables, sample_places

CHUNK = 50_000  # persons


class Maker:
    """One in-memory engine and the queries of ``model/``."""

    def __init__(self, nation: Nation, memory_limit: str, threads: int, spill: Path) -> None:
        self.nation = nation
        settings = {"memory_limit": memory_limit, "threads": threads, "temp_directory": str(spill)}
        self.connection = duckdb.connect(config=settings)
        # Twelve bits are dropped so that the draw fits a double, and half a step is added so that it is never 0 or 1.
        self.connection.execute(
            "create macro draw(key, topic) as "
            "cast(hash(hash(key, topic)) >> 12 as double) * 2.220446049250313e-16 + 1.1102230246251565e-16"
        )
        for name, frame in model_tables().items():
            self.load(name, frame)
        self.values = nation.values(min(nation.years))
        if nation.municipalities:
            self.table("places")
        else:
            self.load("places", sample_places())
        self.table("tickets")

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
        sql = (MODEL / f"{name}.sql").read_text()
        return sql, {key: self.values[key] for key in set(re.findall(r"\$(\w+)", sql))}

    def table(self, name: str) -> None:
        sql, values = self.query(name)
        self.connection.execute(f"create or replace temp table {name} as {sql}", values)

    def frame(self, name: str) -> pd.DataFrame:
        sql, values = self.query(name)
        return self.connection.execute(sql, values).df()

    def fold(self, name: str) -> None:
        """Add what a query finds in this chunk to what it found before: text is the key, numbers are summed.

        Facts of persons are told of where these live, their sex and age band.
        """
        sql, values = self.query(name)
        header = self.connection.execute(f"describe {sql}", values).fetchall()
        if header[0][0] == "person":
            placed = "municipality_code, sex, age_band, measure, value"
            sql = f"select {placed} from ({sql}) inner join insured using (person)"
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
        parts = [self.frame("expected") for _ in self.chunks("people", "insured", "holders")]
        cells = ["age_band", "sex"]
        sums = pd.concat(parts).groupby(["care_row", *cells])["line_count"].sum()
        insured_years = sums.loc[0]
        care = self.connection.execute("select care_row, care_kind, performance_code, euro from care").df()
        lines = sums.drop(0).reset_index().merge(care, on="care_row")
        fillers = lines["performance_code"] == "OTHER"
        events = lines["line_count"][~fillers].sum()
        filler = (self.nation.lines * insured_years.sum() - events) / lines["line_count"][fillers].sum()
        if filler <= 0:
            raise ProjectError(
                f"{self.nation.lines:g} claim lines an insured year are too few: events alone are "
                f"{events / insured_years.sum():.1f}",
                "what is asked of the invented nation",
                "ask for more lines",
            )
        self.values["filler"] = float(filler)
        lines["euro"] *= lines["line_count"] * np.where(fillers, filler, 1)
        found = lines.pivot_table(index="care_kind", columns=cells, values="euro", aggfunc="sum").fillna(0)
        kinds = kinds_of_care(self.values["year"]).loc[found.index]
        target = (cost_targets(self.values["year"]) * insured_years).loc[found.columns]
        raked = rake(found.to_numpy(), (kinds["share"] * target.sum()).to_numpy(), target.to_numpy())
        price = (raked / self.nation.counted() / found).fillna(0)
        prices = price.stack(cells, future_stack=True).rename("price").reset_index()
        self.load("prices", prices.merge(kinds["booking_days"], left_on="care_kind", right_index=True))
