"""The content folders of a checkout and the settings of one installation.

Not here: the meaning of the files (``contracts``, ``specs``), or reading SQL (``triple_aim.warehouse``).
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from triple_aim.errors import ProjectError

CONFIG_VARIABLE = "TRIPLE_AIM_CONFIG"
#: Another version of these may change the last digit of a number or the bytes of a file, so it is another release.
LIBRARIES = ("duckdb", "numpy", "pandas", "pyarrow", "scipy")
CONTENT_FOLDERS = ("contracts", "indicator_specs", "reference", "sql")


class Settings(BaseSettings):
    """The settings of one installation; the environment variable ``TRIPLE_AIM_<KEY>`` overrides a key."""

    model_config = SettingsConfigDict(env_prefix="TRIPLE_AIM_", extra="forbid", frozen=True)

    deliveries: Path
    work: Path
    publication: Path
    perturbation_secret: Path | None = None  # the file of the secret of the noise; by default in the folder work
    own_regions: Path | None = None  # a folder with the region team's own classifications, one CSV each
    division_year: int = 2024
    memory_limit: str = Field("1GB", pattern=r"^[0-9]+(\.[0-9]+)? ?[KMGT]i?B$")
    threads: int = Field(2, ge=1)
    keep_releases: int = Field(8, ge=1)  # a reader who has many releases of corrected data can average their noise
    publish_corrections_every: int = Field(0, ge=0)  # days between releases that only correct published periods
    engine: Literal["duckdb", "spark"] = "duckdb"  # builds person tables and cubes
    spark_remote: str | None = Field(None, pattern=r"^sc://[^/ :]+:[0-9]+(/.*)?$")
    shared_storage: Path | None = None  # a folder with the same path on this machine and on every worker
    contributor: str = ""  # the name of this installation in a federation

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, TomlConfigSettingsSource(settings_cls)


@dataclass(frozen=True)
class Project:
    """A checkout and its settings; the only place that defines paths."""

    root: Path
    config: Path
    settings: Settings

    @property
    def contracts(self) -> Path:
        return self.root / "contracts"

    @property
    def specs(self) -> Path:
        return self.root / "indicator_specs"

    @property
    def sql(self) -> Path:
        return self.root / "sql"

    @property
    def reference(self) -> Path:
        return self.root / "reference"

    @property
    def deliveries(self) -> Path:
        return self._from_config(self.settings.deliveries)

    @property
    def work(self) -> Path:
        return self._from_config(self.settings.work)

    @property
    def publication(self) -> Path:
        return self._from_config(self.settings.publication)

    @property
    def perturbation_secret(self) -> Path:
        """The file of the secret that decides the noise of every published number."""
        named = self.settings.perturbation_secret
        return self._from_config(named) if named else self.work / "perturbation.key"

    @property
    def own_regions(self) -> Path | None:
        return self._from_config(self.settings.own_regions) if self.settings.own_regions else None

    @property
    def shared_storage(self) -> Path | None:
        """The folder for the tables that a cluster reads and writes; None if DuckDB builds them."""
        folder = self.settings.shared_storage if self.settings.engine == "spark" else None
        return self._from_config(folder) if folder else None

    @property
    def reach(self) -> list[Path]:
        """The folders that the warehouse may read and write in addition to its own."""
        return [folder for folder in (self.landing, self.quarantine, self.shared_storage) if folder]

    @property
    def landing(self) -> Path:
        return self.work / "landing"

    @property
    def quarantine(self) -> Path:
        return self.work / "quarantine"

    @property
    def warehouse(self) -> Path:
        return self.work / "warehouse.duckdb"

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of every content file and of this package: what a release depends on in addition to deliveries."""
        package = Path(__file__).parents[1]
        files = [(folder, path) for folder in CONTENT_FOLDERS for path in sorted((self.root / folder).rglob("*.*"))]
        if self.own_regions:
            files += [("own_regions", path) for path in sorted(self.own_regions.glob("*.*"))]
        files += [("triple_aim", path) for path in sorted(package.rglob("*.[ph]*")) if path.suffix in (".py", ".html")]
        digest = hashlib.sha256(str(self.settings.division_year).encode())
        for folder, path in files:
            digest.update(f"{folder}/{path.name}\0".encode() + path.read_bytes())
        return digest.hexdigest()

    def _from_config(self, path: Path) -> Path:
        return (self.config.parent / path).resolve()


def library_versions() -> dict[str, str]:
    """The installed versions of the libraries that decide numbers and bytes."""
    return {name: version(name) for name in LIBRARIES}


def find_root(start: Path | None = None) -> Path:
    """The nearest folder upwards that holds the content, or else the checkout of this package."""
    first = (start or Path.cwd()).resolve()
    for folder in (first, *first.parents, Path(__file__).resolve().parents[2]):
        if all((folder / name).is_dir() for name in CONTENT_FOLDERS):
            return folder
    raise ProjectError(
        "there is no project in this folder or above it",
        str(first),
        f"go to a folder that holds {', '.join(CONTENT_FOLDERS)}, or give --config",
    )


def load_project(config: Path | None = None) -> Project:
    """The project of ``--config``, of ``TRIPLE_AIM_CONFIG`` or of the shipped samples, in that order."""
    named = config or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    root = find_root()
    path = (named or root / "data_samples" / "monitor.toml").resolve()
    if not path.is_file():
        raise ProjectError("the settings file does not exist", str(path), f"check --config or {CONFIG_VARIABLE}")

    class FromFile(Settings):  # pydantic-settings takes the file from the class, but the file is known at run time only
        model_config = SettingsConfigDict(toml_file=path)

    try:
        settings = FromFile()  # type: ignore[call-arg]
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ProjectError("the settings are not valid", str(path), faults) from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise ProjectError("the settings are not TOML", str(path), str(error)) from error
    project = Project(root=root, config=path, settings=settings)
    missing = [key for key in ("spark_remote", "shared_storage") if getattr(settings, key) is None]
    if settings.engine == "spark" and missing:
        raise ProjectError(
            f'engine = "spark" needs {" and ".join(missing)}',
            str(path),
            "set the address of the cluster, such as sc://host:15002, and a folder that it shares with this machine",
        )
    for private in (project.deliveries, project.work, *filter(None, [project.shared_storage])):
        if private.is_relative_to(project.publication) or project.publication.is_relative_to(private):
            raise ProjectError(
                "publication overlaps with deliveries, work or shared_storage, but only publication is open to readers",
                str(path),
                "give publication its own folder, neither inside nor around the others",
            )
    if project.perturbation_secret.is_relative_to(project.publication):
        raise ProjectError(
            "perturbation_secret is inside publication, but readers may not see the secret",
            str(path),
            "keep the secret in the folder work, or in another folder that only the monitor may read",
        )
    return project
