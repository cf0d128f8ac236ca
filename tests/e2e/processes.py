"""How do the connector's own programs run in a test: started as an operator would, stopped by their own id?"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]

_STOP_SECONDS = 25.0  # the server lets requests end for up to twenty


class Process:
    """One of the connector's processes; what it says goes to a file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command, env=with_bytecode(environment), cwd=ROOT, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> int:
        """Ask it to stop as a platform does, and give its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()


def smsctl(*arguments: str) -> list[str]:
    """Give the command line of `smsctl` in this interpreter."""
    return [sys.executable, "-m", "connector.entrypoints.cli", *arguments]


def run_smsctl(environment: Mapping[str, str], *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run an `smsctl` command to its end, in a working directory that may hold no `.env`."""
    return subprocess.run(
        smsctl(*arguments),
        env=with_bytecode(environment) | {"PYTHONPATH": str(ROOT)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def with_bytecode(environment: Mapping[str, str]) -> dict[str, str]:
    """Let interpreters keep what they compile, aside from the sources: compiling anew is most of a start."""
    kept = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(ROOT / ".pytest_cache" / "bytecode")}


def free_port() -> int:
    """Let the kernel choose a port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
