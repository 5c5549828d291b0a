"""One set of invented deliveries: complete at one installation, and split by municipality over three others."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import pyreadstat
import pytest

from tests import content
from tests.generated import write_samples
from tests.once import copy_of, made_once
from tests.pipeline.installation import Installation, create_installation
from triple_aim.definitions.programme import Programme
from triple_aim.federation.export import export_cubes
from triple_aim.synthetic.formats import write_csv, write_spss
from triple_aim.synthetic.surveys import ITEMS

#: The municipalities of each party; the first party also has the persons of all other municipalities.
PARTIES = {
    "north": ("GM0664", "GM0687", "GM0715", "GM0718"),
    "south": ("GM0748", "GM0758", "GM0879"),
    "": ("GM1674", "GM1695", "GM1959"),  # the one that merges
}
PARTY_OF = {code: party for party, codes in PARTIES.items() for code in codes}
OTHERS = ("north", "south")
YEAR = 2022
#: Indicators that rank all persons of a year.
NON_ADDITIVE = ("costliest_5_percent_share", "truncated_cost")
HEADERS = {"Gemeentecode": "municipality_code", "Pseudoniem": "person_key"}
Federation: TypeAlias = dict[str, Installation]


def one_of_each(programme: Programme) -> Programme:
    """The programme with the headlines and one indicator of each combination of method and cube, to save time."""
    specs = content.programme().specs.values()
    kinds = {str([(route.method, route.cubes, route.growth) for route in spec.compute]): spec for spec in specs}
    wanted = {*(spec.id for spec in kinds.values()), *NON_ADDITIVE, *programme.publication.headlines.values()}
    return dataclasses.replace(programme, specs={spec.id: spec for spec in specs if spec.id in wanted})


@pytest.fixture(scope="session")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Federation:
    """One installation per party, two of which have run, and ``pooled`` with the deliveries of all."""
    installations = made_once(tmp_path_factory, "federation", _create_installations)
    copy = copy_of(installations, tmp_path_factory.mktemp("federation") / "copy")
    return {name: Installation(copy / (name or "here")) for name in (*PARTIES, "pooled")}


def _create_installations(base: Path) -> None:
    write_samples(base / "samples", persons=4_500, years=(YEAR, YEAR + 1))  # the last year has other formats
    installations = {name: create_installation(base / (name or "here")) for name in (*PARTIES, "pooled")}
    folders = {name: installation.deliveries for name, installation in installations.items()}
    deliveries = base / "samples" / "deliveries"
    for path in sorted(deliveries.glob(f"*/*_{YEAR}.*")):
        split_delivery(path, path.relative_to(deliveries), folders)
    for party in OTHERS:
        assert installations[party].run(YEAR, YEAR).success


def split_delivery(path: Path, name: Path, folders: dict[str, Path]) -> None:
    """Write a delivery, complete for ``pooled`` and split over the parties; each person is at one party only."""
    frame = read(path)
    facts = frame.rename(columns=HEADERS)
    if name.parts[0] == "claims":
        spans = read(path.parents[1] / "insured_population" / f"insured_population_{YEAR}.csv.gz")
        span_party = spans["municipality_code"].map(PARTY_OF).fillna(OTHERS[0]).groupby(spans["person_key"])
        party_of_row = (
            facts["person_key"].map(span_party.first().where(span_party.nunique() == 1, "several")).fillna(OTHERS[0])
        )
    else:
        party_of_row = facts["municipality_code"].map(PARTY_OF).fillna(OTHERS[0])
        if "person_key" in facts:
            is_at_one = party_of_row.groupby(facts["person_key"]).transform("nunique") == 1
            party_of_row = party_of_row.where(is_at_one, "several")
    for party, folder in folders.items():
        write(folder / name, frame[party_of_row != "several"] if party == "pooled" else frame[party_of_row == party])


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".sav":
        return pyreadstat.read_sav(str(path), user_missing=True)[0]
    return pd.read_csv(path, sep=";", dtype=str, keep_default_na=False, encoding="latin-1")


def write(path: Path, frame: pd.DataFrame) -> None:
    if path.suffix == ".sav":
        write_spss(path, frame, items=ITEMS["survey"])
    else:
        write_csv(path, frame, encoding="latin-1")


@lru_cache
def programme_of(installation: Installation) -> Programme:
    return content.programme_of(installation.config)


@pytest.fixture(scope="session")
def contributions(federation: Federation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders that the other parties exported, by party; tests must not change them."""

    def export(base: Path) -> None:
        for party in OTHERS:
            export_cubes(programme_of(federation[party]), base / party, party)

    base = made_once(tmp_path_factory, "contributions", export)
    return {party: base / party for party in OTHERS}
