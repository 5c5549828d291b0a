"""Generates the tables of an invented nation, one chunk of persons at a time, and their sums over the chunks.

Here: running the queries of ``model/``, and prices that give the mean euro per insured year of the reference. Not here:
which tables are delivered, and how (``delivery_files``).

Every random draw is a hash of seed, person, topic and number. So the same arguments give the same bytes, with any
number of threads, and any part can be generated on its own. Persons are generated in chunks, so memory does not grow.
The state of a person in a year is a function of both, so years are generated one after another, without a store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import pandas as pd

from triple_aim.errors import ProjectError
from triple_aim.synthetic.calibration import cost_targets, kinds_of_care, rake
from triple_aim.synthetic.nation import Nation
from triple_aim.synthetic.tables import MODEL, model_tables, sample_places

CHUNK = 50_000  # persons


class Generator:
    """One in-memory database and the queries of ``model/``."""

    def __init__(self, nation: Nation, memory_limit: str, threads: int, spill: Path) -> None:
        self.nation = nation
        settings = {"memory_limit": memory_limit, "threads": threads, "temp_directory": str(spill)}
        self.connection = duckdb.connect(config=settings)
        # Twelve bits are dropped so that the draw fits a double; half a step is added so that it is never 0 or 1.
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
        """Start a year; the sums of the previous year are dropped."""
        self.values = self.nation.values(year)
        self.folded_names: set[str] = set()
        self.calibrate()

    def load(self, name: str, frame: pd.DataFrame) -> None:
        self.connection.register("arriving", frame)
        self.connection.execute(f"create or replace temp table {name} as select * from arriving")
        self.connection.unregister("arriving")

    def query(self, name: str) -> tuple[str, dict[str, Any]]:
        """The SQL of a file and the values of its parameters."""
        sql = (MODEL / f"{name}.sql").read_text()
        return sql, {key: self.values[key] for key in set(re.findall(r"\$(\w+)", sql))}

    def table(self, name: str) -> None:
        sql, values = self.query(name)
        self.connection.execute(f"create or replace temp table {name} as {sql}", values)

    def frame(self, name: str) -> pd.DataFrame:
        sql, values = self.query(name)
        rows: pd.DataFrame = self.connection.execute(sql, values).df()
        return rows

    def fold(self, name: str) -> None:
        """Add the result of a query on this chunk to its sums: text columns are the key, numbers are summed.

        Facts per person are summed by municipality, sex and age band.
        """
        sql, values = self.query(name)
        header = self.connection.execute(f"describe {sql}", values).fetchall()
        if header[0][0] == "person":
            columns = "municipality_code, sex, age_band, measure, value"
            sql = f"select {columns} from ({sql}) inner join insured using (person)"
            header = self.connection.execute(f"describe {sql}", values).fetchall()
        columns = ", ".join(
            column if kind == "VARCHAR" else f"cast(sum({column}) as bigint) as {column}" for column, kind, *_ in header
        )
        before = f"from {name}_folded union all by name" if name in self.folded_names else ""
        both = f"({before} ({sql}))"
        self.connection.execute(
            f"create or replace temp table {name}_folded as select {columns} from {both} group by all", values
        )
        self.folded_names.add(name)

    def keep_sample(self) -> None:
        """Update the sample with the adults of this chunk."""
        if "sampled" not in self.folded_names:
            self.connection.execute("create or replace temp table sampled as from adults limit 0")
            self.folded_names.add("sampled")
        self.table("sampled")

    def answers_of_sample(self) -> pd.DataFrame:
        """The answers of the sample, which replaces the adults of the last chunk."""
        self.connection.execute("create or replace temp table adults as from sampled")
        return self.frame("answers")

    def folded(self, name: str) -> pd.DataFrame:
        rows: pd.DataFrame = self.connection.execute(f"from {name}_folded order by all").df()
        return rows

    def chunks(self, *tables: str) -> Iterator[None]:
        """Build these tables for one chunk of persons after another."""
        until = self.nation.person_count(self.values["year"])
        for low in range(0, until, CHUNK):
            self.values |= {"low": low, "high": min(low + CHUNK, until)}
            for table in tables:
                self.table(table)
            yield

    def calibrate(self) -> None:
        """Set ``filler`` to get the requested number of lines, and ``prices`` to get the costs of the reference."""
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
                "arguments of the invented nation",
                "request more lines",
            )
        self.values["filler"] = float(filler)
        lines["euro"] *= lines["line_count"] * np.where(fillers, filler, 1)
        unpriced = lines.pivot_table(index="care_kind", columns=cells, values="euro", aggfunc="sum").fillna(0)
        kinds = kinds_of_care(self.values["year"]).loc[unpriced.index]
        target = (cost_targets(self.values["year"]) * insured_years).loc[unpriced.columns]
        raked = rake(unpriced.to_numpy(), (kinds["share"] * target.sum()).to_numpy(), target.to_numpy())
        price = unpriced.rdiv(raked / self.nation.counted_share()).fillna(0)
        stacked = cast("pd.Series[float]", price.stack(cells, future_stack=True))  # both levels of the columns
        prices = stacked.rename("price").reset_index()
        self.load("prices", prices.merge(kinds["booking_days"], left_on="care_kind", right_index=True))
