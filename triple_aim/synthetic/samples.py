"""The shipped samples: ten municipalities of the invented nation, each extract as its supplier would send it.

Belongs here: how large the samples are, and in which formats they come. Not here: the people in them (``model``).
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from triple_aim.errors import ProjectError
from triple_aim.synthetic.delivering import write_nation
from triple_aim.synthetic.formats import write_csv, write_excel
from triple_aim.synthetic.nation import Nation

YEARS = (2021, 2022, 2023)
RESIDENTS_PER_INSURED = 10  # so that deaths and clients are many enough to be shown while claims stay few
LINES = 14.0  # per insured year

#: The municipal files keep the headers of the municipal software.
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
    """The nation of which the samples are delivered, with so many insured persons."""
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
    try:  # before the people are made, which takes a while
        (folder / "deliveries").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(
            f"the folder cannot be made: {error.strerror}", str(folder), "name a folder that can be written to"
        ) from None
    with tempfile.TemporaryDirectory() as made:
        write_nation(sample_nation(seed, persons), Path(made))
        for path in sorted(Path(made, "deliveries").glob("*/*")):
            extract, year = path.parent.name, int(path.name.split(".")[0][-4:])
            target = folder / "deliveries" / extract
            target.mkdir(parents=True, exist_ok=True)
            _AS_SUPPLIED.get((extract, year == YEARS[-1]), _packed)(path, target)
        values = pd.read_parquet(Path(made, "indicators.parquet"))
    values.sort_values(list(values.columns[:4])).to_csv(folder / "true_values.csv", index=False, float_format="%.12g")


def _packed(path: Path, folder: Path) -> None:
    """As it is, packed as closely as gzip can."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        # A fixed time in the header keeps the bytes the same tomorrow.
        content = gzip.compress(gzip.decompress(content), compresslevel=9, mtime=0)
    (folder / path.name).write_bytes(content)


def _lines(path: Path) -> pd.DataFrame:
    # What is of one person stands together, which packs better.
    return pd.read_parquet(path).sort_values("claim_id", ignore_index=True)


def _lines_as_text(path: Path, folder: Path) -> None:
    write_csv(folder / f"{path.stem}.csv.gz", _lines(path))


def _lines_as_parquet(path: Path, folder: Path) -> None:
    _lines(path).to_parquet(folder / path.name, index=False, compression="zstd")


def _dutch(path: Path, folder: Path) -> None:
    provisions = pd.read_csv(path, sep=";", dtype=str).fillna({"end_reason": "n.v.t."})
    write_csv(folder / path.name, provisions.rename(columns=DUTCH_HEADERS), encoding="latin-1")


def _workbook(path: Path, folder: Path) -> None:
    days = ["start_date", "end_date"]
    provisions = pd.read_csv(path, sep=";", decimal=",", parse_dates=days, dtype={"category": str, "end_reason": str})
    write_excel(folder / path.name.replace(".csv.gz", ".xlsx"), provisions)


#: By extract, and whether it is the last year.
_AS_SUPPLIED: dict[tuple[str, bool], Callable[[Path, Path], None]] = {
    ("claims", False): _lines_as_text,
    ("claims", True): _lines_as_parquet,
    ("social_domain", False): _dutch,
    ("social_domain", True): _workbook,
}
