"""Small releases for the tests of the audit: three municipalities in two regions, written as the project does.

Not here: what a test expects of them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

REGIONS = {"GM1": "GG1", "GM2": "GG1", "GM3": "GG2", "GM4": "GG2"}
MUNICIPALITIES = list(REGIONS)

Row = dict[str, Any]
Rules = dict[str, Any]

USE = {
    "method": "proportion",
    "interval": "wilson",
    "per": 100,
    "numerator": "client_count",
    "numerator_kind": "persons",
    "denominator": "resident_count",
    "denominator_kind": "public",
}


def rules(mode: str = "cell_key", **indicators: Mapping[str, Any]) -> Rules:
    """The rules of a release with one source, ``care``; by default with one indicator, ``use``."""
    return {
        "sources": {"care": {"mode": mode, "persons": 10, "cases": 10}},
        "count_change": {"variance": 3, "largest": 6},
        "magnitude_noise": {"share": 0.1, "bound": 1.732},
        "digits": {"numerator": 0, "denominator": 0, "value": 1, "limits": 1},
        "reconciliation": {"rows": 10, "euros": 1000},
        "indicators": {name: {"care": dict(route)} for name, route in (indicators or {"use": USE}).items()},
    }


def row(place: str, numerator: float | None, indicator: str = "use", denominator: float = 1000.0, **labels: Any) -> Row:
    """One row; without a numerator it is withheld. A place is a municipality, a region or the country."""
    kind = {"GM": "municipality", "GG": "ggd_region", "NL": "nl"}.get(place[:2], "partnership")
    shown = numerator is not None
    value = round(100 * numerator / denominator, 1) if numerator is not None else None
    return {
        "indicator_id": indicator,
        "source": "care",
        "region_type": kind,
        "region_code": place,
        "division_year": 2024,
        "period": 2022,
        "sex": "all",
        "age_group": "all",
        "segment_type": "none",
        "segment": "all",
        "value": value,
        "lower": None,
        "upper": None,
        "numerator": numerator,
        "denominator": denominator if shown else None,
        "status": "published" if shown else "suppressed",
        "reason": "" if shown else "too few persons or cases, or too uncertain",
        "comparator_value": None,
        "comparator_lower": None,
        "comparator_upper": None,
        "difference": "not_compared",
        "judgement": "not_compared",
        **labels,
    }


def rows_of(numbers: Mapping[str, float | None], **labels: Any) -> list[Row]:
    """One row per place."""
    return [row(place, number, **labels) for place, number in numbers.items()]


@dataclass
class Monitor:
    """A folder with classifications and releases."""

    folder: Path
    published: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reference.mkdir()
        municipalities = "".join(f"2024,{code},{code}\n" for code in MUNICIPALITIES)
        (self.reference / "municipalities.csv").write_text(
            f"division_year,municipality_code,municipality_name\n{municipalities}"
        )
        self._classify(self.reference / "ggd_region.csv", REGIONS)

    @property
    def reference(self) -> Path:
        return self.folder / "reference"

    def own(self, name: str, members: Mapping[str, str]) -> Path:
        """A folder with one own classification, ``partnership``."""
        folder = self.folder / name
        folder.mkdir()
        self._classify(folder / "partnership.csv", members)
        return folder

    def publish(
        self,
        rows: Iterable[Row],
        stated: Rules,
        inputs: Mapping[str, str] | None = None,
        **tables: pd.DataFrame,
    ) -> Path:
        """Write a release."""
        release = self.folder / f"release{len(list(self.folder.glob('release*')))}"
        release.mkdir()
        frame = pd.DataFrame(list(rows))
        numbers = ["value", "lower", "upper", "numerator", "denominator"]
        numbers += ["comparator_value", "comparator_lower", "comparator_upper"]
        frame[numbers] = frame[numbers].astype(float)
        frame.to_parquet(release / "indicator_values.parquet")
        for name, table in tables.items():
            table.to_parquet(release / f"{name}.parquet")
        (release / "protection.json").write_text(json.dumps(copy.deepcopy(stated)))
        (release / "manifest.json").write_text(json.dumps({"facts": {"inputs": dict(inputs or {"care/2022/": "a"})}}))
        self.published.append(release)
        return release

    @staticmethod
    def _classify(path: Path, members: Mapping[str, str]) -> None:
        lines = "".join(f"2024,{code},{region},{region}\n" for code, region in members.items())
        path.write_text(f"division_year,municipality_code,region_code,region_name\n{lines}")
