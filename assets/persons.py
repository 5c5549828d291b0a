"""Floor 2: an asset ``person/<name>`` per file of ``sql/person``, partitioned by year; all in one step.

The tables contain rows of persons: events report only their number, and no floor above the cubes reads them.
"""

import dagster as dg

from assets.resources import by_year
from triple_aim.definitions import Programme


def person_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    return [by_year("person", programme.persons.values())]
