"""What starts a run besides the clock: a file that is new or changed in the deliveries folder."""

import dagster as dg

from pipelines.jobs import over
from triple_aim.definitions import Programme
from triple_aim.deliveries import Arrivals, look_for_arrivals
from triple_aim.periods import runs_of


def deliveries_sensor(programme: Programme, job: object) -> dg.SensorDefinition:
    @dg.sensor(
        job=job,  # type: ignore[arg-type]
        name="new_deliveries",
        minimum_interval_seconds=300,
        description="Runs the years of which a delivery is new or changed, once it stopped changing.",
    )
    def new_deliveries(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        arrivals = look_for_arrivals(programme.project, programme.contracts.values(), Arrivals.parse(context.cursor))
        requests = [
            dg.RunRequest(run_key=f"{first}-{last}-{arrivals.key}", tags=over(first, last))
            for first, last in runs_of(sorted(arrivals.periods))
        ]
        return dg.SensorResult(run_requests=requests, cursor=arrivals.text)

    return new_deliveries
