"""Writes the deliveries of an invented nation as plain files, and their true values.

Not here: the people and their events (``model``), or the file formats of suppliers (``samples``).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from triple_aim.errors import ProjectError
from triple_aim.synthetic.generator import Generator
from triple_aim.synthetic.nation import Nation
from triple_aim.synthetic.surveys import wave_of, write_survey
from triple_aim.synthetic.true_values import true_values

ROW_GROUP = 122_880

#: Per chunk of persons: tables to build, queries written as CSV with their extracts, queries summed over the chunks;
#: first those for claims, then those for the other extracts.
CLAIMS_TABLES, OTHER_TABLES = (
    ("people", "insured", "holders", "occasions", "services", "counted", "conditions", "episodes"),
    ("deaths", "allocations", "adults", "answers"),
)
CLAIMS_CSVS, OTHER_CSVS = {"spans": "insured_population"}, {"mortality": "mortality", "social_domain": "social_domain"}
CLAIMS_SUMS = ("truth", "stays", "outcomes", "last_days", "continuity", "medication", "groups", "eventual", "planted")
OTHER_SUMS = ("residents", "population", "opinions", "schooling")
YEAR_MEASURES = {"insured_day_count": "insured_years", "resident_day_count": "person_years"}

MONITOR = """\
deliveries = "deliveries"
work = "work"
publication = "publication"
"""


def write_nation(
    nation: Nation,
    out: Path,
    *,
    csv: bool = False,
    claims_only: bool = False,
    memory_limit: str = "3GB",
    threads: int = 2,
) -> dict[str, Any]:
    """Write ``out/deliveries``, a ``monitor.toml`` to run them, and their ``truth`` and ``indicators``."""
    if (out / "deliveries").exists() and not (out / "truth.json").exists():
        raise ProjectError(
            "the folder has deliveries that were not generated",
            str(out),
            "name another folder, or empty it",
        )
    shutil.rmtree(out / "deliveries", ignore_errors=True)
    generator = Generator(nation, memory_limit, threads, out / "spill")
    years = [_write_year(generator, year, out, csv=csv, claims_only=claims_only) for year in sorted(nation.years)]
    truth = pd.concat([year.pop("truth") for year in years], ignore_index=True)
    truth.to_parquet(out / "truth.parquet", index=False)
    gini = pd.concat([year.pop("gini") for year in years], ignore_index=True)
    pd.concat([true_values(truth), gini]).to_parquet(out / "indicators.parquet", index=False)
    summary = {
        "nation": asdict(nation),
        "claim_line_count": sum(year["claim_line_count"] for year in years),
        "years": years,
    }
    (out / "truth.json").write_text(json.dumps(summary, indent=1))
    (out / "monitor.toml").write_text(MONITOR)
    return summary


def _write_year(generator: Generator, year: int, out: Path, *, csv: bool, claims_only: bool) -> dict[str, Any]:
    """Write the deliveries of one year; returns its sums and true values."""
    generator.begin(year)
    tables = CLAIMS_TABLES if claims_only else CLAIMS_TABLES + OTHER_TABLES
    csvs = CLAIMS_CSVS if claims_only else CLAIMS_CSVS | OTHER_CSVS
    sums = CLAIMS_SUMS if claims_only else CLAIMS_SUMS + OTHER_SUMS
    line_count = 0
    generator.values["costs"] = str(costs := out / "costs.parquet")
    with (
        _parquet_writer(_delivery(out, "claims", year, ".parquet"), "delivered") as write_lines,
        _parquet_writer(costs, "costs") as write_costs,
    ):
        for _ in generator.chunks(*tables):
            for query, extract in csvs.items():
                _append_csv(generator, query, _delivery(out, extract, year, ".csv.gz"))
            if csv:
                line_count += _append_csv(generator, "delivered", _delivery(out, "claims", year, ".csv.gz"))
            else:
                line_count += write_lines(generator)
            for query in sums:
                generator.fold(query)
            write_costs(generator)
            if not claims_only:
                generator.keep_sample()
    parts = [generator.folded(name) for name in sums if name not in ("planted", "population")]
    true_sums = pd.concat([*parts, generator.frame("costliest")], ignore_index=True)
    gini = generator.frame("gini").assign(indicator_id="cost_gini", segment="all", period=year)
    costs.unlink()
    if not claims_only:
        population = _all_cells(generator.folded("population"))
        population["person_years"] = population.pop("insured_day_count") / generator.values["days"]
        population.to_csv(_delivery(out, "population", year, ".csv"), sep=";", index=False)
        opinions = generator.folded("opinions")
        adults = opinions[opinions["measure"] == "adult_count"]
        sample = generator.connection.execute("from sampled").df()
        write_survey(sample, generator.answers_of_sample(), adults, year, _delivery(out, wave_of(year), year, ""))
    truth = _in_units(true_sums, generator.values["days"])
    return {
        "period": year,
        "claim_line_count": line_count,
        "nl": truth.groupby("measure")["value"].sum().to_dict(),
        "services": generator.folded("planted").to_dict("records"),
        "truth": truth.assign(period=year)[["period", *truth]],
        "gini": gini,
    }


def _delivery(out: Path, extract: str, year: int, suffix: str) -> Path:
    path = out / "deliveries" / extract / f"{extract}_{year}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _in_units(sums: pd.DataFrame, days: int) -> pd.DataFrame:
    """Convert cents to euros, tenths to scores and halves to years lost, and add years to the rows with days."""
    years = sums[sums["measure"].str.endswith(tuple(YEAR_MEASURES))].replace({"measure": YEAR_MEASURES}, regex=True)
    parts = pd.Series(1.0, sums.index)
    for end, part in (("_eur", 100), ("_share_sum", 1e9), ("_score_sum", 10), ("years_lost_sum", 2), ("_death_sum", 2)):
        parts[sums["measure"].str.endswith(end)] = part
    sums = sums.assign(value=sums["value"] / parts)
    return pd.concat([sums, years.assign(value=years["value"] / days)], ignore_index=True)


def _all_cells(population: pd.DataFrame) -> pd.DataFrame:
    """Every cell of municipality, sex and age band, with 0 where nobody lives."""
    cells = ["municipality_code", "sex", "age_band"]
    grid = pd.MultiIndex.from_product([sorted(population[cell].unique()) for cell in cells], names=cells)
    return population.set_index(cells).reindex(grid, fill_value=0).reset_index()


@contextmanager
def _parquet_writer(path: Path, name: str) -> Iterator[Any]:
    """Yield a function that appends the rows of a query to one file; its first call creates the file."""
    writers: list[pq.ParquetWriter] = []

    def write(generator: Generator) -> int:
        sql, values = generator.query(name)
        lines = generator.connection.execute(sql, values).to_arrow_table()
        if not writers:
            writers.append(pq.ParquetWriter(path, lines.schema, compression="zstd"))
        writers[0].write_table(lines, row_group_size=ROW_GROUP)
        return int(lines.num_rows)

    try:
        yield write
    finally:
        for writer in writers:
            writer.close()


def _append_csv(generator: Generator, name: str, path: Path) -> int:
    """Append the rows of a query to a gzipped CSV; concatenated gzip files are a gzip file."""
    sql, values = generator.query(name)
    part = path.with_suffix(".part.gz")
    header = not path.exists()
    copy = f"copy ({sql}) to '{part}' (format csv, delimiter ';', header {header}, compression gzip)"
    rows = generator.connection.execute(copy, values).fetchall()[0][0]
    with part.open("rb") as source, path.open("ab") as target:
        shutil.copyfileobj(source, target)
    part.unlink()
    return int(rows)
