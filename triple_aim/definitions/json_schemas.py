"""JSON Schemas of the content, generated from its models, for completion and checks in an editor.

Not here: the models (``contracts``, ``specs``). Only ``triple-aim check`` reports what a model checks across fields.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from triple_aim.definitions.contracts import Contract, Publication
from triple_aim.definitions.settings import Project
from triple_aim.definitions.shared_texts import Cautions, Sources
from triple_aim.definitions.spec_files import CompareDefaults, Defaults, ExpectDefaults, FieldDefaults
from triple_aim.definitions.specs import Spec
from triple_aim.files import replace_file

SCHEMAS: dict[str, type[BaseModel]] = {
    "contracts/_schema.json": Contract,
    "contracts/_publication_schema.json": Publication,
    "indicator_specs/_schema.json": Spec,
    "indicator_specs/_defaults_schema.json": Defaults,
    "indicator_specs/_cautions_schema.json": Cautions,
    "indicator_specs/_sources_schema.json": Sources,
}


def schema_text(model: type[BaseModel]) -> str:
    """The schema of one model, as the committed file contains it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
    if model is Spec:
        _make_defaults_optional(schema)
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _make_defaults_optional(schema: dict[str, Any]) -> None:
    """Omit the aim, which is the folder; require no field that has a default in ``defaults.yaml``."""
    del schema["properties"]["aim"]
    left_out: dict[str, set[str]] = {
        "Spec": {"aim", *FieldDefaults.model_fields} - {"expect"},  # its range is always the spec's own
        "Compare": set(CompareDefaults.model_fields),
        "Expect": set(ExpectDefaults.model_fields),
    }
    for name, fields in left_out.items():
        part = schema["$defs"].get(name, schema)
        part["required"] = [field for field in part["required"] if field not in fields]


def write_schemas(project: Project) -> list[str]:
    """Write every schema next to its content; return the names of the files."""
    for name, model in SCHEMAS.items():
        replace_file(project.root / name, schema_text(model).encode())
    return list(SCHEMAS)
