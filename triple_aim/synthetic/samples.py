"""The shipped samples: ten municipalities of the invented nation, each extract in the format of its supplier.

Here: the size and the formats of the samples. Not here: the people in them (``model``).
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from triple_aim.errors import ProjectError
from triple_aim.synthetic.delivery_files import write_nation
from triple_aim.synthetic.formats import write_csv, write_excel
from triple_aim.synthetic.nation import Nation

YEARS = (2021, 2022, 2023)
RESIDENTS_PER_INSURED = 10  # gives enough deaths and clients to publish, with few claims
LINES = 14.0  # per insured year

#: Headers of the municipal software.
DUTCH_HEADERS = {
    "allocation_id": "Toewijzingnummer",
    "message_seq": "Berichtvolgnummer",
    "person_key": "Pseudoniem",
    "municipality_code": "Gemeentecode",
    "law": "Wet",
    "category": "Productcategorie",
    "delivery_form": "Leveringsvorm",
    "start_date": "Ingangsdatum",
    "end_date": "Einddatum",
    "end_reason": "Reden beëindiging",
    "sex": "Geslacht",
    "birth_year": "Geboortejaar",
    "amount_eur": "Bedrag",
}


def sample_nation(seed: int, persons: int) -> Nation:
    """The nation of the samples, with about this number of insured persons."""
    return Nation(
        persons=persons * RESIDENTS_PER_INSURED,
        years=YEARS,
        municipalities=0,
        seed=seed,
        insured_share=1 / RESIDENTS_PER_INSURED,
        lines=LINES,
        rare=3,
        delivered="2024-03-31",
        respondents=max(persons // 80, 4),
        bad_lines=0.0001,
        bad_rows=0.002,
    )


def write_samples(folder: Path, seed: int = 20260110, persons: int = 16_000) -> None:
    """Write ``folder/deliveries/<extract>/<extract>_<year>.<ext>`` and ``folder/true_values.csv``."""
    try:  # first, because generating the people takes long
        (folder / "deliveries").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"the folder cannot be created: {error.strerror}", str(folder), "name a writable folder"
        ) from None
    with tempfile.TemporaryDirectory() as generated:
        write_nation(sample_nation(seed, persons), Path(generated))
        for path in sorted(Path(generated, "deliveries").glob("*/*")):
            extract, year = path.parent.name, int(path.name.split(".")[0][-4:])
            target = folder / "deliveries" / extract
            target.mkdir(parents=True, exist_ok=True)
            _WRITERS.get((extract, year == YEARS[-1]), _copy_compressed)(path, target)
        values = pd.read_parquet(Path(generated, "indicators.parquet"))
    values.sort_values(list(values.columns[:4])).to_csv(folder / "true_values.csv", index=False, float_format="%.12g")


def _copy_compressed(path: Path, folder: Path) -> None:
    """Copy the file, with the highest gzip compression."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        # A fixed time in the header keeps the bytes the same on any day.
        content = gzip.compress(gzip.decompress(content), compresslevel=9, mtime=0)
    (folder / path.name).write_bytes(content)


def _claim_lines(path: Path) -> pd.DataFrame:
    # Rows of one person follow each other, which compresses better.
    return pd.read_parquet(path).sort_values("claim_id", ignore_index=True)


def _write_claims_csv(path: Path, folder: Path) -> None:
    write_csv(folder / f"{path.stem}.csv.gz", _claim_lines(path))


def _write_claims_parquet(path: Path, folder: Path) -> None:
    _claim_lines(path).to_parquet(folder / path.name, index=False, compression="zstd")


def _write_dutch_csv(path: Path, folder: Path) -> None:
    provisions = pd.read_csv(path, sep=";", dtype=str).fillna({"end_reason": "n.v.t."})
    write_csv(folder / path.name, provisions.rename(columns=DUTCH_HEADERS), encoding="latin-1")


def _write_workbook(path: Path, folder: Path) -> None:
    days = ["start_date", "end_date"]
    provisions = pd.read_csv(path, sep=";", decimal=",", parse_dates=days, dtype={"category": str, "end_reason": str})
    write_excel(folder / path.name.replace(".csv.gz", ".xlsx"), provisions)


#: By extract and whether the year is the last one.
_WRITERS: dict[tuple[str, bool], Callable[[Path, Path], None]] = {
    ("claims", False): _write_claims_csv,
    ("claims", True): _write_claims_parquet,
    ("social_domain", False): _write_dutch_csv,
    ("social_domain", True): _write_workbook,
}
