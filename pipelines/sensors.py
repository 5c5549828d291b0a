"""What starts a run besides the clock: a file that is new or changed in the deliveries folder."""

import datetime
import hashlib
import json
import re

import dagster as dg

from pipelines.jobs import over
from triple_aim.definitions import PeriodFromFile, Programme
from triple_aim.deliveries import discover
from triple_aim.periods import FIRST_PERIOD, runs_of


def deliveries_sensor(programme: Programme, job: object) -> dg.SensorDefinition:
    @dg.sensor(
        job=job,  # type: ignore[arg-type]
        name="new_deliveries",
        minimum_interval_seconds=300,
        description="Runs the years of which a delivery is new or changed, once it stopped changing.",
    )
    def new_deliveries(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        # A file is run when it looked the same at two ticks: before that it may still be arriving.
        before: dict[str, dict[str, list[float]]] = json.loads(context.cursor or '{"seen": {}, "run": {}}')
        seen: dict[str, list[float]] = {}
        ran: dict[str, list[float]] = {}
        years: set[int] = set()
        for contract in programme.contracts.values():
            for found in discover(programme.project.deliveries, contract):
                now = seen[found.name] = [found.size, found.modified]
                if now != before["seen"].get(found.name):
                    ran |= {found.name: before["run"][found.name]} if found.name in before["run"] else {}
                    continue
                ran[found.name] = now
                if now == before["run"].get(found.name):
                    continue
                if isinstance(contract.period, PeriodFromFile):
                    match = re.search(contract.period.file_name, found.name)
                    years |= {int(match["period"])} if match else set()
                else:  # only the content tells which years it holds
                    years |= set(range(FIRST_PERIOD, datetime.date.today().year + 1))
        cursor = json.dumps({"seen": seen, "run": ran}, sort_keys=True)
        # The key must be the same in every process, or a restarted daemon would run the same files twice.
        key = hashlib.sha256(cursor.encode()).hexdigest()[:16]
        requests = [
            dg.RunRequest(run_key=f"{first}-{last}-{key}", tags=over(first, last))
            for first, last in runs_of(sorted(years))
        ]
        return dg.SensorResult(run_requests=requests, cursor=cursor)

    return new_deliveries
