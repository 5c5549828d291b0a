"""The schedule of the nightly job.

Not here: runs that a new delivery starts (``sensors``).
"""

import dagster as dg

from pipelines.jobs import year_range_tags
from triple_aim.definitions import Programme
from triple_aim.periods import FIRST_PERIOD
from triple_aim.release import up_to_date_release


def nightly_schedule(programme: Programme, job: object) -> dg.ScheduleDefinition:
    """A run of all years every night, unless it would publish the current release again."""

    @dg.schedule(
        job=job,  # type: ignore[arg-type]
        cron_schedule="30 2 * * *",
        execution_timezone="Europe/Amsterdam",
        name="every_night",
        description="Runs all years every night at 02:30, Amsterdam time.",
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if release := up_to_date_release(programme.project, programme.contracts.values()):
            return dg.SkipReason(f"nothing was delivered or changed: current is still release {release.name}")
        return dg.RunRequest(tags=year_range_tags(FIRST_PERIOD, context.scheduled_execution_time.year))

    return every_night
