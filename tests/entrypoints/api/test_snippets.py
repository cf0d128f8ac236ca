"""Do the programs that the documentation shows work as they stand, against a running app?"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from flask import Flask
from werkzeug.serving import make_server

from connector.bootstrap import Connector
from connector.domain.message import MessageState
from tests.docs.markdown import ROOT, fences
from tests.entrypoints.api.conftest import Program
from tests.entrypoints.api.test_callbacks import deliver

PAGE = ROOT / "docs/how-to/send-from-a-program.md"
SNIPPETS = {fence.title: fence.text for fence in fences(PAGE) if fence.title}
RUNTIMES: Mapping[str, list[str]] = {
    "sh": ["sh"],
    "py": [sys.executable],
    "mjs": ["node"],
    "go": ["go"],
}
_PATIENCE_SECONDS = 30  # as long as the snippets wait themselves
_COMPILE_SECONDS = 100  # Go compiles its standard library the first time


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    """The address of a running app."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def command(name: str, folder: Path) -> list[str]:
    """Lay a snippet out in a folder and give what runs it; skip where there is no such runtime."""
    runtime = RUNTIMES[name.rpartition(".")[2]]
    needed = "curl" if runtime == ["sh"] else runtime[0]
    if shutil.which(needed) is None:
        pytest.skip(f"there is no {needed} here")
    source = folder / name
    source.write_text(SNIPPETS[name], encoding="utf-8")
    if needed != "go":
        return [*runtime, str(source)]
    program = source.with_suffix("")
    built = ["go", "build", "-o", str(program), str(source)]
    subprocess.run(built, env=environment(), check=True, timeout=_COMPILE_SECONDS)
    return [str(program)]


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "GOCACHE", "GOFLAGS") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"} | more


def run(name: str, folder: Path, url: str, secret: str) -> str:
    done = subprocess.run(
        command(name, folder),
        env=environment(SMS_URL=url, SMS_API_KEY=secret),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["send.sh", "send.py", "send.mjs", "send.go"])
def test_a_program_sends_one_text_however_often_it_runs(
    name: str, url: str, program: Program, connector: Connector, tmp_path: Path
) -> None:
    for _ in range(2):
        assert "queued" in run(name, tmp_path, url, program.secret)
    (text,) = program.get("/messages")["messages"]
    assert (text["body"], text["idempotency_key"]) == ("Your table is ready", "booking-4711")


@pytest.mark.parametrize("name", ["send.sh", "send.py", "send.mjs", "send.go"])
def test_a_program_without_a_key_fails_loudly(name: str, url: str, program: Program, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run(name, tmp_path, url, "smsk_wrong")
    assert program.get("/messages")["messages"] == []


def test_many_are_sent_and_the_wrong_number_is_told(url: str, program: Program, tmp_path: Path) -> None:
    lines = run("many.py", tmp_path, url, program.secret).splitlines()
    assert lines[:2] == ["4711 queued", "4712 queued"]
    assert lines[2].startswith("4713 422")


@contextmanager
def hearing(name: str, folder: Path, secret: str) -> Iterator[tuple[IO[str], int]]:
    """Run a program that hears callbacks; give what it prints and its port."""
    started = command(name, folder)
    if name.endswith(".py"):
        started = [sys.executable, "-c", _SERVE]
    settings = environment(SMS_CALLBACK_SECRET=secret, PORT="0")
    with subprocess.Popen(started, cwd=folder, env=settings, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout, int(process.stdout.readline().split()[1])
        finally:
            process.kill()


_SERVE = """
import hear, logging
from werkzeug.serving import make_server
logging.getLogger("werkzeug").disabled = True
server = make_server("127.0.0.1", 0, hear.app)
print("listening", server.server_port, flush=True)
server.serve_forever()
"""


@pytest.mark.parametrize("name", ["hear.py", "hear.mjs", "hear.go"])
def test_a_program_hears_of_its_text_and_believes_nobody_else(
    name: str, program: Program, connector: Connector, tmp_path: Path
) -> None:
    secret = connector.callback_secrets.shown("account-1")[0].secret
    with hearing(name, tmp_path, secret) as (printed, port):
        sent = program.send(callback_url=f"http://127.0.0.1:{port}/sms", idempotency_key="booking-4711")
        deliver(connector, sent["id"], MessageState.DELIVERED)
        heard = printed.readline()
        assert "message.delivered" in heard
        assert "booking-4711" in heard
        connector.callback_secrets.rotate("account-1", at_once=True)
        other = program.send(callback_url=f"http://127.0.0.1:{port}/sms")
        deliver(connector, other["id"], MessageState.DELIVERED)
    with connector.ledger.begin(write=False) as uow:
        rows = uow.effects.by_keys("account-1", [f"callback:{other['id']}:delivered:0"])
    assert [each.error for each in rows.values()] == ["it answered HTTP 401"]


def test_every_snippet_is_run() -> None:
    assert SNIPPETS.keys() == {f"{what}.{ending}" for what in ("send", "hear") for ending in ("py", "mjs", "go")} | {
        "send.sh",
        "many.py",
    }
