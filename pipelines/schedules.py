"""When the nightly job runs by itself."""

import dagster as dg

from pipelines.jobs import over
from triple_aim.periods import FIRST_PERIOD


def nightly_schedule(job: object) -> dg.ScheduleDefinition:
    """Every night over all years; what did not change costs next to nothing."""

    @dg.schedule(
        job=job,  # type: ignore[arg-type]
        cron_schedule="30 2 * * *",
        execution_timezone="Europe/Amsterdam",
        name="every_night",
        description="All years at 02:30 Amsterdam time.",
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(tags=over(FIRST_PERIOD, context.scheduled_execution_time.year))

    return every_night
