"""Checked models of what epidemiologists and data stewards edit: contracts, specs, code lists, regions, settings.

Not here: delivered data, or computing an indicator (``triple_aim.indicators``).
"""

from triple_aim.definitions.contracts import (
    Column,
    Contract,
    CsvFormat,
    ExcelFormat,
    Files,
    Mart,
    MartColumn,
    Name,
    ParquetFormat,
    PeriodFromColumn,
    Publication,
    Rounding,
    Rule,
    RunOff,
    SpssFormat,
    Threshold,
    load_contracts,
    load_publication,
)
from triple_aim.definitions.measures import Measure, answers
from triple_aim.definitions.programme import Programme, load_programme
from triple_aim.definitions.regions import Regions
from triple_aim.definitions.scaffold import scaffold_extract, scaffold_indicator
from triple_aim.definitions.settings import CONFIG_VARIABLE, Project, library_versions, load_project
from triple_aim.definitions.spec_files import refuse_unwritten_texts
from triple_aim.definitions.specs import GROUPED, AgeRange, Compute, Healthy, Spec
from triple_aim.definitions.standards import Tables
from triple_aim.definitions.yaml_reader import Content, line_of, read_yaml

__all__ = [
    "CONFIG_VARIABLE",
    "GROUPED",
    "AgeRange",
    "Column",
    "Compute",
    "Content",
    "Contract",
    "CsvFormat",
    "ExcelFormat",
    "Files",
    "Healthy",
    "Mart",
    "MartColumn",
    "Measure",
    "Name",
    "ParquetFormat",
    "PeriodFromColumn",
    "Programme",
    "Project",
    "Publication",
    "Regions",
    "Rounding",
    "Rule",
    "RunOff",
    "Spec",
    "SpssFormat",
    "Tables",
    "Threshold",
    "answers",
    "library_versions",
    "line_of",
    "load_contracts",
    "load_programme",
    "load_project",
    "load_publication",
    "read_yaml",
    "refuse_unwritten_texts",
    "scaffold_extract",
    "scaffold_indicator",
]
