"""JSON Schemas of the content, made from the models that read it, so that an editor knows what a file may hold.

Not here: the models (``contracts``, ``specs``). What a model checks across fields stays with the model; ``triple-aim
check`` tells it.
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
    """The schema of one model, as it is committed."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
    if model is Spec:
        _leave_out_what_is_given(schema)
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _leave_out_what_is_given(schema: dict[str, Any]) -> None:
    """The folder gives a spec its aim, and ``defaults.yaml`` whatever has a default there."""
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
    """Write every schema beside its content; the files written."""
    for name, model in SCHEMAS.items():
        replace_file(project.root / name, schema_text(model).encode())
    return list(SCHEMAS)
