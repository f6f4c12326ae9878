"""Runs in the guest: the cases of a plan, one after another, a line of JSON for each.

    python -m tests.guest.recovery.inside

/run/job/plan has {"kernel": NAME, "cases": [[CASE, FPS], …]}, a pair for each run; results go to
/run/job/results, and before each case a line {"begin": CASE}, so that a guest that is lost tells
with what.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from framebus.names import CameraNames, runtime_dir
from framebus.trusted_files import create_runtime_dir

from tests.guest.machine import JOB_IN_GUEST
from tests.guest.recovery.measure import measure
from tests.guest.recovery.results import END_CASE, Result
from tests.guest.recovery.stage import Stage
from tests.guest.recovery.table import cases

PLAN, RESULTS, LOG = "plan", "results", "log"


def main() -> int:
    """Run the plan; the exit status says nothing of the cases."""
    job = Path(JOB_IN_GUEST)
    plan = json.loads((job / PLAN).read_text())
    with (job / RESULTS).open("w") as results:

        def tell(line: str) -> None:
            results.write(line + "\n")
            results.flush()

        os.environ["FRAMEBUS_RUNTIME_DIR"] = "/run/framebus"
        os.environ["FRAMEBUS_STATE_DIR"] = "/run/framebus-state"
        log = job / LOG
        log.touch()
        stage = Stage(CameraNames(create_runtime_dir(runtime_dir())), log)
        for name, fps in plan["cases"]:
            (case,) = (case.at(fps) for case in cases([name]))
            tell(json.dumps({"begin": name}))
            result = measure(stage, case, kernel=plan["kernel"])
            tell(result.line())
            if result.ten_s is None:
                stage.tear_down()
        stage.close()
        problems = ["left over"] if stage.left else []
        end = Result(case=END_CASE, kernel=plan["kernel"], problems=problems, left=stage.left)
        tell(end.line())
    return 0


if __name__ == "__main__":
    sys.exit(main())
