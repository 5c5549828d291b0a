"""JSON Schemas of the content, made from the models that read it, so that an editor knows what a file may hold.

Not here: the models (``contracts``, ``specs``). What a model checks across fields stays with the model; ``triple-aim
check`` tells it.
"""

from __future__ import annotations

import json

from triple_aim.definitions.contracts import Contract, Publication
from triple_aim.definitions.settings import Project
from triple_aim.definitions.specs import Spec
from triple_aim.definitions.yaml_reader import Content
from triple_aim.files import replace_file

SCHEMAS: dict[str, type[Content]] = {
    "contracts/_schema.json": Contract,
    "contracts/_publication_schema.json": Publication,
    "indicator_specs/_schema.json": Spec,
}


def schema_text(model: type[Content]) -> str:
    """The schema of one model, as it is committed."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def write_schemas(project: Project) -> list[str]:
    """Write every schema beside its content; the files written."""
    for name, model in SCHEMAS.items():
        replace_file(project.root / name, schema_text(model).encode())
    return list(SCHEMAS)
