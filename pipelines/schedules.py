"""When the nightly job runs by itself."""

import dagster as dg

from pipelines.jobs import over
from triple_aim.definitions import Programme
from triple_aim.periods import FIRST_PERIOD
from triple_aim.release import standing_release


def nightly_schedule(programme: Programme, job: object) -> dg.ScheduleDefinition:
    """Every night over all years, unless the current release is what a run would make again."""

    @dg.schedule(
        job=job,  # type: ignore[arg-type]
        cron_schedule="30 2 * * *",
        execution_timezone="Europe/Amsterdam",
        name="every_night",
        description="All years at 02:30 Amsterdam time.",
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if release := standing_release(programme.project, programme.contracts.values()):
            return dg.SkipReason(f"nothing was delivered or changed: current is still release {release.name}")
        return dg.RunRequest(tags=over(FIRST_PERIOD, context.scheduled_execution_time.year))

    return every_night
