"""The sensor that starts a run for a new or changed file in the deliveries folder.

Not here: the comparison of files (``triple_aim.deliveries``), or runs by the clock (``schedules``).
"""

import dagster as dg

from pipelines.jobs import year_range_tags
from triple_aim.definitions import Programme
from triple_aim.deliveries import Arrivals, look_for_arrivals
from triple_aim.periods import consecutive_ranges


def deliveries_sensor(programme: Programme, job: object) -> dg.SensorDefinition:
    @dg.sensor(
        job=job,  # type: ignore[arg-type]
        name="new_deliveries",
        minimum_interval_seconds=300,
        description="Runs the years of new or changed deliveries, once their files no longer change.",
    )
    def new_deliveries(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        arrivals = look_for_arrivals(programme.project, programme.contracts.values(), Arrivals.parse(context.cursor))
        requests = [
            dg.RunRequest(run_key=f"{first}-{last}-{arrivals.key}", tags=year_range_tags(first, last))
            for first, last in consecutive_ranges(sorted(arrivals.periods))
        ]
        return dg.SensorResult(run_requests=requests, cursor=arrivals.text)

    return new_deliveries
