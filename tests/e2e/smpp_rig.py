"""What stands in an end-to-end test of an installation that sends over SMPP?"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path

from connector.sandbox.gateways.smpp_server import PASSWORD, SYSTEM_ID, SMPPServer
from connector.sandbox.gateways.smpp_wire import Message
from connector.sandbox.twilio.sandbox import SENDER
from tests.e2e.processes import ROOT, free_port, smsctl
from tests.e2e.rig import Rig, Taken
from tests.waiting import eventually

_RULES = """
routes:
  standard: twilio  # journeys that ship name it
  transactional: {gateways: [smpp], prefer: in_order}
  otp: {gateways: [smpp], prefer: in_order}

# An SMPP gateway cannot be asked what became of a text whose answer got lost: a person decides soon.
retries:
  transactional: {unknown_after: 10 minutes}
"""


class SMPPRig(Rig):
    """An SMSC, and `smsctl smpp` beside the other processes; `smsc` is the SMSC."""

    def start(self) -> None:
        """Start the SMSC and everything, and wait for the bind."""
        self.smsc.start()
        super().start()
        self.start_process("smpp")
        self.wait_until_bound()

    def stop(self) -> None:
        """Stop everything, the SMSC last."""
        super().stop()
        self.smsc.stop()

    def _environment(self, database_url: str) -> dict[str, str]:
        mappings = self.directory / "mappings"
        shutil.copytree(ROOT / "mappings", mappings)
        (mappings / "gateways.yaml").write_text(_RULES, encoding="utf-8")
        self.smsc = SMPPServer()
        self.smsc.port = free_port()
        return {
            **super()._environment(database_url),
            "MAPPINGS_DIR": str(mappings),
            "GATEWAY": "smpp",
            "SMPP_HOSTS": self.smsc.address,
            "SMPP_SYSTEM_ID": SYSTEM_ID,
            "SMPP_PASSWORD": PASSWORD,
            "SMPP_FROM": SENDER,
        }

    def command(self, name: str) -> list[str]:
        """Give the command of a process."""
        return smsctl("smpp") if name == "smpp" else super().command(name)

    def begin_test(self) -> None:
        """Forget what earlier tests left at the SMSC, too; its process runs."""
        if "smpp" not in self.processes:
            self.start_process("smpp")
        self.wait_until_bound()
        self.smsc.automatic = "both"
        self.smsc.messages.clear()
        self.smsc.calls.clear()
        super().begin_test()

    # -- the process

    def wait_until_bound(self) -> None:
        """Wait until the process holds its bind."""
        eventually(lambda: self.smsc.bound == 1, "smsctl smpp is bound", 40)

    def kill_smpp(self) -> None:
        """Kill the process and those it has started, as when a machine loses its power."""
        started = self._started()
        self.processes.pop("smpp").kill()
        self._kill(started)

    def kill_bound_process(self) -> None:
        """Kill only what the process has started, such as the one that holds the bind."""
        self._kill(self._started())

    def _kill(self, pids: list[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # one that only helps ends with its parent
                os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.smsc.bound == 0, "the link is gone")

    def _started(self) -> list[int]:
        pid = self.processes["smpp"].pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]

    # -- the phones

    def taken(self, number: str) -> list[Taken]:
        """Every text to a number that the SMSC took, by the id of its first part."""
        firsts = [each.id for each in self.at_smsc(number) if not each.header or each.header[-1] == 1]
        return [Taken(id_, body) for id_, body in zip(firsts, self.shown(number), strict=True)]

    def at_smsc(self, number: str) -> list[Message]:
        """What the SMSC holds for a number, part by part, oldest first."""
        return [each for each in self.smsc.messages if each.destination == number.removeprefix("+")]

    def shown(self, number: str) -> list[str]:
        """What a phone shows: whatever the SMSC took."""
        return self.smsc.texts(number.removeprefix("+"))

    def reply(self, number: str, text: str, gateway: str) -> None:
        """Let a person write to our number at the SMSC; it is told that the text is stored."""
        assert gateway == "smpp", gateway
        assert self.smsc.reply(number.removeprefix("+"), SENDER.removeprefix("+"), text) == [0]
