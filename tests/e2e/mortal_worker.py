"""Which workers can be told to die?

`smsctl worker` as it is, but for the points of `crashes` and no pause after a row of deaths.
"""

from __future__ import annotations

from connector.bootstrap import lanes
from connector.entrypoints import worker
from connector.entrypoints.worker import WorkerOptions, run_worker
from connector.settings import read_settings

PROCESSES = 2  # so that one that dies leaves another that must not take its work for its own


def main() -> None:
    """Run until asked to stop."""
    worker._SOUND_AFTER_SECONDS = 0.0  # a row of deaths is what the tests want, not a fault to wait out
    settings = read_settings()
    options = WorkerOptions(settings.redis_url, lanes(settings), prepare="tests.e2e.crashes.prepare")
    run_worker(options, PROCESSES)


if __name__ == "__main__":
    main()
