"""A small synthetic release for tests of exports, figures and reports; no number is of a real region."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from triple_aim.definitions.contracts import Publication, load_publication
from triple_aim.release.publish import write_release

YEARS = range(2012, 2024)
REGIONS = {
    "ggd_region": [f"GGD {name}" for name in ("Alfa", "Beta", "Gamma", "Delta", "Epsilon")] + ["=GGD 'Ypsilon' & Zuid"],
    "zorgkantoor_region": [f"Zorgkantoorregio {n}" for n in range(1, 5)],
    "nl": ["Nederland"],
}
INDICATORS = {
    "avoidable_mortality": (
        "Vermijdbare sterfte onder 75",
        "Avoidable mortality under 75",
        240.0,
        1,
        "lower_is_better",
    ),
    "zvw_cost": ("Zvw-kosten per verzekerde", "Zvw cost per insured person", 2625.0, 0, "no_judgement"),
}


def synthetic_marts(promise: Publication, regions: dict[str, list[str]] | None = None) -> dict[str, pa.Table]:
    """Every mart of the contract; the last region of each type is suppressed in some years."""
    marts = {mart.name: pd.DataFrame(columns=[c.name for c in mart.columns]) for mart in promise.marts}
    marts["indicator_values"] = pd.DataFrame(_values(regions or REGIONS))
    marts["indicators"] = pd.DataFrame([_indicator(name) for name in INDICATORS])
    marts["reconciliation"] = pd.DataFrame(
        [
            ("claims", 2023, "cz", "delivered", "all", 100, 5000.0),
            ("claims", 2023, "cz", "set_aside", "not_in_codes", 3, 150.0),
            ("claims", 2023, "cz", "staged", "all", 97, 4850.0),
            ("claims", 2023, "cz", "in_cube", "all", 95, 4800.0),
            ("claims", 2023, "cz", "excluded", "no_region", 2, 50.0),
        ],
        columns=[c.name for c in next(m for m in promise.marts if m.name == "reconciliation").columns],
    )
    return {mart.name: _typed(marts[mart.name], mart) for mart in promise.marts}


def _typed(frame: pd.DataFrame, mart: Any) -> pa.Table:
    types = {"text": pa.string(), "integer": pa.int64(), "double": pa.float64(), "boolean": pa.bool_()}
    schema = pa.schema([(column.name, types[column.type]) for column in mart.columns])
    return pa.Table.from_pandas(frame.reindex(columns=schema.names), schema=schema, preserve_index=False)


def _indicator(name: str) -> dict[str, Any]:
    nl, en, _, decimals, polarity = INDICATORS[name]
    return {
        "indicator_id": name,
        "indicator_version": "1.0.0",
        "aim": "cost" if name == "zvw_cost" else "health",
        "title_nl": nl,
        "title_en": en,
        "meaning_nl": "Verzonnen.",
        "meaning_en": "Made up.",
        "unit_nl": "euro per verzekerdenjaar" if name == "zvw_cost" else "per 100.000 persoonsjaren",
        "unit_en": "euros per insured year" if name == "zvw_cost" else "per 100 000 person-years",
        "decimals": decimals,
        "polarity": polarity,
        "population": "residents",
        "origin": "OECD/Eurostat 2019 list",
        "cautions_nl": "kleine aantallen",
        "cautions_en": "small numbers",
        "series_breaks": "2015" if name == "avoidable_mortality" else "",
    }


def _values(regions: dict[str, list[str]]) -> list[dict[str, Any]]:
    random = np.random.default_rng(1)
    rows = []
    for indicator, (_, _, level, _, polarity) in INDICATORS.items():
        for kind, names in regions.items():
            for position, name in enumerate(names):
                region_level = level * (1 if kind == "nl" else 1 + 0.12 * random.standard_normal())
                for year in YEARS:
                    value = region_level * (1 + 0.01 * (year - 2012)) + 0.01 * level * random.standard_normal()
                    half = level * (0.002 if kind == "nl" else random.uniform(0.02, 0.06))
                    rest = level * (1 + 0.01 * (year - 2012))
                    hidden = kind != "nl" and position == len(names) - 1 and year in (2017, 2023)
                    difference = (
                        "higher"
                        if value - half > rest
                        else "lower"
                        if value + half < rest
                        else "no_demonstrable_difference"
                    )
                    if kind == "nl" or hidden:
                        difference = "not_compared"
                    judged = {"higher": "worse", "lower": "better"}.get(difference, difference)
                    unjudged = "no_judgement" if difference != "not_compared" else difference
                    rows.append(
                        {
                            "indicator_id": indicator,
                            "indicator_version": "1.0.0",
                            "source": "mortality" if indicator == "avoidable_mortality" else "claims",
                            "region_type": kind,
                            "region_code": f"{kind[:2].upper()}{position:02d}",
                            "region_name": name,
                            "division_year": 2024,
                            "period": year,
                            "sex": "all",
                            "age_group": "all",
                            "segment_type": "none",
                            "segment": "all",
                            "population": "residents",
                            "value": None if hidden else value,
                            "lower": None if hidden else value - half,
                            "upper": None if hidden else value + half,
                            "numerator": None if hidden else 1234.0,
                            "denominator": None if hidden else 500000.0,
                            "unit": "per 100 000",
                            "status": "suppressed" if hidden else "provisional" if year == 2023 else "published",
                            "reason": "fewer than 10" if hidden else None,
                            "coverage_share": 1.0,
                            "comparator_value": None if kind == "nl" or hidden else rest,
                            "comparator_lower": None if kind == "nl" or hidden else rest * 0.995,
                            "comparator_upper": None if kind == "nl" or hidden else rest * 1.005,
                            "difference": difference,
                            "judgement": unjudged if polarity == "no_judgement" else judged,
                        }
                    )
    return rows


@pytest.fixture(scope="session")
def promise() -> Publication:
    return load_publication(Path(__file__).parents[2] / "contracts")


@pytest.fixture(scope="session")
def release(promise: Publication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release of synthetic marts."""
    folder = tmp_path_factory.mktemp("publication")
    return write_release(folder, "0123456789abcdef", synthetic_marts(promise), {}, {}).path
