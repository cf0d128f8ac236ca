"""How does a worker die at a chosen line, once, as by a power cut?

Armed from the test by a file named after the point; whichever worker process gets there first takes the file away and
kills itself. Used as the `prepare` function of worker processes.
"""

from __future__ import annotations

import functools
import os
import pkgutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connector.entrypoints import jobs
from tests.e2e.rig import Rig

_BEFORE, _AFTER = "before", "after"

POINTS = {
    "nudge taken, drain not begun": ("connector.adapters.lane_worker:LaneWorker.execute_job", _BEFORE),
    "events claimed": ("connector.services.events:EventReader._understand", _BEFORE),
    "events recorded, not committed": ("connector.services.event_recording:EventRecorder.record", _AFTER),
    "enrollment decided, not committed": ("connector.services.enrollment_stepping:EnrollmentStepper.step", _AFTER),
    "message claimed, request not sent": ("connector.adapters.sms.twilio:TwilioGateway.send", _BEFORE),
    "message taken by the gateway, answer not recorded": ("connector.adapters.sms.twilio:TwilioGateway.send", _AFTER),
    "answers recorded": ("connector.services.outcomes:OutcomeRecorder.record", _AFTER),
    "callback understood, not committed": ("connector.services.receipts:ReceiptReader._understand", _AFTER),
    "CRM record about to be created": ("connector.adapters.crm.hubspot.adapter:HubSpotCRM.create", _BEFORE),
    "CRM record created, not noted": ("connector.adapters.crm.hubspot.adapter:HubSpotCRM.create", _AFTER),
    "CRM record updated, not noted": ("connector.adapters.crm.hubspot.adapter:HubSpotCRM.update", _AFTER),
}
"""Where a worker can be told to die: a method, and whether before it begins or when it is about to return."""


def arm(rig: Rig, point: str) -> Path:
    """Have the next worker process that comes to this point die there; give the file that is gone once it has."""
    path = _armed(rig.environment["CRASHES_DIR"], point)
    path.touch()
    return path


def prepare() -> None:
    """Make every point deadly while it is armed, then prepare the process as in production."""
    for point, (name, when) in POINTS.items():
        path = _armed(os.environ["CRASHES_DIR"], point)
        owner_name, _, method = name.rpartition(".")
        owner = pkgutil.resolve_name(owner_name)
        setattr(owner, method, _deadly(getattr(owner, method), path, when))
    jobs.prepare()


def _deadly(method: Callable[..., Any], path: Path, when: str) -> Callable[..., Any]:
    @functools.wraps(method)
    def dying(*args: Any, **kwargs: Any) -> Any:
        if when == _BEFORE:
            _die_if_armed(path)
        result = method(*args, **kwargs)
        if when == _AFTER:
            _die_if_armed(path)
        return result

    return dying


def _die_if_armed(path: Path) -> None:
    if not path.exists():  # the usual case costs one look
        return
    try:
        path.unlink()
    except FileNotFoundError:
        return  # another process has died here
    os.kill(os.getpid(), signal.SIGKILL)


def _armed(directory: str, point: str) -> Path:
    return Path(directory) / f"die-when-{point.replace(' ', '-').replace(',', '')}"
