"""Floor 2: one asset a file of ``sql/person``, ``person/<name>``, partitioned by year; one step.

Its tables hold rows of persons: events say how many, never which, and nothing above the cubes may read them.
"""

import dagster as dg

from assets.resources import by_year
from triple_aim.definitions import Programme


def person_assets(programme: Programme) -> list[dg.AssetsDefinition]:
    return [by_year("person", programme.persons.values())]
