"""Where things are: the content folders of a checkout and the settings of one installation.

Not here: what the files mean (``contracts``, ``specs``) or how they are read (``triple_aim.warehouse``).
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
#: Libraries that decide a number's last digit or a file's bytes; another version is another release.
LIBRARIES = ("duckdb", "numpy", "pandas", "pyarrow", "scipy")
CONTENT_FOLDERS = ("contracts", "indicator_specs", "reference", "sql")


class Settings(BaseSettings):
    """What one installation decides; every key may also come from ``TRIPLE_AIM_<KEY>`` in the environment."""

    model_config = SettingsConfigDict(env_prefix="TRIPLE_AIM_", extra="forbid", frozen=True)

    deliveries: Path
    work: Path
    publication: Path
    own_regions: Path | None = None  # a folder of classifications the region team adds, one CSV each
    division_year: int = 2024
    memory_limit: str = Field("1GB", pattern=r"^[0-9]+(\.[0-9]+)? ?[KMGT]i?B$")
    threads: int = Field(2, ge=1)
    keep_releases: int = Field(30, ge=1)
    engine: Literal["duckdb", "spark"] = "duckdb"  # who makes person tables and cubes
    spark_remote: str | None = Field(None, pattern=r"^sc://[^/ :]+:[0-9]+(/.*)?$")
    shared_storage: Path | None = None  # a folder that this machine and every worker see under the same path
    contributor: str = ""  # what this installation is called in a federation

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
    """A checkout and its settings; every other module asks here for a path."""

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
    def own_regions(self) -> Path | None:
        return self._from_config(self.settings.own_regions) if self.settings.own_regions else None

    @property
    def shared_storage(self) -> Path | None:
        """Where a cluster finds tables and leaves those it makes; none while the warehouse makes them itself."""
        folder = self.settings.shared_storage if self.settings.engine == "spark" else None
        return self._from_config(folder) if folder else None

    @property
    def reach(self) -> list[Path]:
        """The folders that the warehouse may touch besides its own."""
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
        """SHA-256 over every content file and the engine's own source: what a release depends on besides deliveries."""
        engine = Path(__file__).parents[1]
        files = [(folder, path) for folder in CONTENT_FOLDERS for path in sorted((self.root / folder).rglob("*.*"))]
        if self.own_regions:
            files += [("own_regions", path) for path in sorted(self.own_regions.glob("*.*"))]
        files += [("triple_aim", path) for path in sorted(engine.rglob("*.[ph]*")) if path.suffix in (".py", ".html")]
        digest = hashlib.sha256(str(self.settings.division_year).encode())
        for folder, path in files:
            digest.update(f"{folder}/{path.name}\0".encode() + path.read_bytes())
        return digest.hexdigest()

    def _from_config(self, path: Path) -> Path:
        return (self.config.parent / path).resolve()


def library_versions() -> dict[str, str]:
    """The installed versions of the libraries that decide what is computed and written."""
    return {name: version(name) for name in LIBRARIES}


def find_root(start: Path | None = None) -> Path:
    """The nearest folder upwards that holds the content, else the checkout this package was installed from."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if all((folder / name).is_dir() for name in CONTENT_FOLDERS):
            return folder
    raise ProjectError(
        "there is no project here",
        str(here),
        f"go to a folder that holds {', '.join(CONTENT_FOLDERS)}, or give --config",
    )


def load_project(config: Path | None = None) -> Project:
    """The project as ``--config``, ``TRIPLE_AIM_CONFIG`` or the shipped samples say, in that order."""
    named = config or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    root = find_root()
    path = (named or root / "data_samples" / "monitor.toml").resolve()
    if not path.is_file():
        raise ProjectError("the settings file does not exist", str(path), f"check --config or {CONFIG_VARIABLE}")

    class FromFile(Settings):  # the file is only known at run time, pydantic-settings wants it on the class
        model_config = SettingsConfigDict(toml_file=path)

    try:
        settings = FromFile()  # type: ignore[call-arg]
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ProjectError("the settings are not valid", str(path), faults) from error
    except (tomllib.TOMLDecodeError, UnicodeError) as error:
        raise ProjectError("the settings are not TOML", str(path), str(error)) from error
    project = Project(root=root, config=path, settings=settings)
    wanting = [key for key in ("spark_remote", "shared_storage") if getattr(settings, key) is None]
    if settings.engine == "spark" and wanting:
        raise ProjectError(
            f'engine = "spark" needs {" and ".join(wanting)}',
            str(path),
            "set where the cluster listens, sc://host:15002, and a folder that it shares with this machine",
        )
    for private in (project.deliveries, project.work, *filter(None, [project.shared_storage])):
        if private.is_relative_to(project.publication) or project.publication.is_relative_to(private):
            raise ProjectError(
                "publication is open to readers, deliveries, work and shared_storage are not",
                str(path),
                "give publication a folder of its own, neither inside the others nor around them",
            )
    return project
