"""An import-linter contract: a room is entered by its door, the package's ``__init__``."""

from __future__ import annotations

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class Doors(Contract):
    """No module outside a room imports a module inside it, except the modules listed as ``open_modules``."""

    type_name = "doors"

    rooms = fields.ListField(subfield=fields.StringField())
    open_modules = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        found = sorted(
            (importer, module)
            for room in self.rooms
            for module in graph.find_descendants(room) - self._open(graph)
            for importer in graph.find_modules_that_directly_import(module)
            if not f"{importer}.".startswith(f"{room}.")
        )
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, module in check.metadata["found"]:
            output.print_error(f"{importer} imports {module}: import it from the door of its room")

    def _open(self, graph: ImportGraph) -> set[Any]:
        named: list[str] = self.open_modules or []  # type: ignore[assignment]
        return {*named, *(module for name in named for module in graph.find_descendants(name))}
