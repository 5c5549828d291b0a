"""The benchmark question as a dbt project on DuckDB: one model each for staging, persons and costs."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from dbt.cli.main import dbtRunner

insured, claims, year, out = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    os.environ["FLOOR_FOLDER"] = folder  # the profile puts its database here
    project = Path(shutil.copytree(Path(__file__).resolve().parent / "dbt", Path(folder) / "dbt"))
    values = f"{{insured: '{insured}', claims: '{claims}', year: {int(year)}, out: '{out}'}}"
    arguments = ["run", "--project-dir", str(project), "--profiles-dir", str(project), "--vars", values]
    result = dbtRunner().invoke([*arguments, "--no-send-anonymous-usage-stats", "--quiet"])
sys.exit(0 if result.success else 1)
