"""How does the whole thing run on one machine, with a pretend world around it?

Nothing here is special to the demo but the world: the same web, worker and clock processes run as in production, on
SQLite and an embedded Redis, and talk to the sandbox as they would to HubSpot, Salesforce and Twilio.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import httpx
from rq import Worker

from connector.adapters.redis_server import EmbeddedRedis, make_redis
from connector.entrypoints.stopping import StopSignal
from connector.errors import ConfigurationError
from connector.sandbox.demo import HUBSPOT, ORG_ADMIN, ORG_ID, PORTAL_ID, SALESFORCE, Demo, build_demo

_START_SECONDS = 60.0  # a first start compiles bytecode on a slow machine
_STOP_SECONDS = 15.0
_ANSWER_SECONDS = 2.0  # our own loopback address
_INSTALL_SECONDS = 20.0  # a way there and back, and the questions an organisation is asked
_FRIDAY = 4  # of `datetime.weekday`
_LOGO = "SMS connector demo"


@click.command()
@click.option("--port", type=int, default=8080, show_default=True, help="Port of the page; another when it is taken.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
@click.option("--data", type=click.Path(path_type=Path), default=".demo", show_default=True, help="Made anew.")
def demo(port: int, browser: bool, data: Path) -> None:
    """Run everything on this machine: pretend CRM and phones in a browser, the real connector behind them."""
    stop = StopSignal()
    with running_demo(port=port, data=data, say=click.echo) as world:
        click.echo(f"\n{_LOGO}: {world.page.url}\nCtrl+C stops it. Logs are in {data}/logs.\n")
        if browser:
            webbrowser.open(world.page.url)
        stop.wait()
        click.echo("stopping")


@contextmanager
def running_demo(
    *, port: int = 0, data: Path, say: Callable[[str], None], settings: Mapping[str, str] | None = None
) -> Iterator[Demo]:
    """Start the world and the connector's processes; stop them all on the way out.

    Args:
        port: of the page; 0 for any free one.
        data: folder for ledger, Redis, clock and logs; emptied first.
        say: gets a line per step.
        settings: environment variables that win over the demo's own.
    """
    shutil.rmtree(data, ignore_errors=True)
    (data / "logs").mkdir(parents=True)
    connector_url = f"http://127.0.0.1:{_free_port(0)}"
    with ExitStack() as stack:
        say("==> Starting Redis (embedded)")
        redis = stack.enter_context(EmbeddedRedis(data / "redis"))
        say("==> Starting the pretend HubSpot, Salesforce, Twilio and phones")
        clock_path = (data / "clock").resolve()
        _begin_in_the_day(clock_path)
        world = build_demo(connector_url=connector_url, clock_path=clock_path, page_port=_free_port(port))
        stack.enter_context(world)
        environment = _environment(world, redis.url, data.resolve(), clock_path) | dict(settings or {})
        write_environment(data / "env", environment)
        say("==> Preparing the ledger")
        _run(environment, "migrate")
        _run(environment, "check")
        say("==> Starting web, worker and clock")
        for command in (
            ("web", "--host", "127.0.0.1", "--port", connector_url.rsplit(":", 1)[1]),
            ("worker",),
            ("clock",),
        ):
            stack.enter_context(_process(environment, data / "logs" / f"{command[0]}.log", *command))
        say("==> Waiting until they are ready")
        _wait_until(lambda: _answers(f"{connector_url}/readyz"))
        say("==> Installing the app in the HubSpot portal and the Salesforce organisation")
        _install_in_hubspot(world, environment)
        _install_in_salesforce(world, environment)
        _wait_until(lambda: _has_workers(redis.url))
        yield world


def _install_in_hubspot(world: Demo, environment: Mapping[str, str]) -> None:
    """Go an admin's way: be asked in the browser, choose the portal, allow the app, choose settings."""
    with _browser() as browser:
        asked = browser.get(f"{world.connector_url}/install/{HUBSPOT}")
        answer = browser.post(asked.url, data={"portal": str(PORTAL_ID), "decision": "allow"})
    _demand_installed(answer, "HubSpot")
    _run(environment, "account", "set", "--external-id", str(PORTAL_ID), *_owners(world))


def _install_in_salesforce(world: Demo, environment: Mapping[str, str]) -> None:
    """Go an admin's way: allow the app in the browser, choose settings, make outbound messages and the card's key."""
    with _browser() as browser:
        answer = browser.get(f"{world.connector_url}/install/{SALESFORCE}", params={"host": ""})
    _demand_installed(answer, "Salesforce")
    named = ("--crm", SALESFORCE, "--external-id", ORG_ID)
    _run(environment, "account", "set", *named, *_owners(world), "--set", "invoice_object=Invoice__c")
    _run(environment, "salesforce", "setup", "--account", ORG_ID, "--user", ORG_ADMIN)
    made = _run(environment, "api-key", "add", "--account", ORG_ID, "--name", "record card", "--scope", "card")
    world.card_keys[SALESFORCE] = made.splitlines()[0]


def _browser() -> httpx.Client:
    return httpx.Client(timeout=_INSTALL_SECONDS, trust_env=False, follow_redirects=True)


def _demand_installed(answer: httpx.Response, crm: str) -> None:
    if not answer.is_success:
        raise ConfigurationError(f"the app could not be installed in the pretend {crm}; see the demo's logs")


def _begin_in_the_day(clock_path: Path) -> None:
    """Push the demo's clock to the next working day's 16:30 UTC: day at both the London and the New York phone.

    Texts are held at night; a demo opened in the evening would otherwise show nothing but held texts.
    """
    now = datetime.now(UTC)
    start = now.replace(hour=16, minute=30, second=0, microsecond=0)
    while start < now or start.weekday() > _FRIDAY:
        start += timedelta(days=1)
    clock_path.write_text(f"{(start - now).total_seconds():.6f}", encoding="ascii")


def _environment(world: Demo, redis_url: str, data: Path, clock_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        **world.settings,
        "DATABASE_URL": f"sqlite:///{data}/ledger.sqlite3",
        "REDIS_URL": redis_url,
        "SECRET_KEYS": secrets.token_hex(32),
        "CLOCK_OFFSET_FILE": str(clock_path),
        "LOG_FORMAT": "text",
        "GATEWAY": "twilio",
        "INSTALL_OPEN": "true",  # portal and organisation install themselves, as from a marketplace
    }


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write down what is set for the demo only, so that `. .demo/env` in a shell makes every command mean the demo."""
    ours = {name: value for name, value in sorted(environment.items()) if os.environ.get(name) != value}
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in ours.items()), encoding="utf-8")


def _owners(world: Demo) -> list[str]:
    """Give the account options that say where owners get SMS: their phones on the page."""
    return [
        "--name",
        "Northgate",
        "--region",
        "US",
        *(f"--owner-phone={email}={number}" for email, number in world.owner_phones.items()),
    ]


def _run(environment: Mapping[str, str], *arguments: str) -> str:
    """Run one of our commands; give what it printed."""
    done = subprocess.run(_smsctl(*arguments), env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if done.returncode:
        raise ConfigurationError(f"smsctl {arguments[0]} failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


@contextmanager
def _process(environment: Mapping[str, str], log: Path, *arguments: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(_smsctl(*arguments), env=environment, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603 - our own program
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _smsctl(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "connector.entrypoints.cli", *arguments]


def _wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + _START_SECONDS
    while not is_so():
        if time.monotonic() > ends:
            raise ConfigurationError("the connector did not get ready in time; its logs are in the demo's folder")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=_ANSWER_SECONDS, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _has_workers(redis_url: str) -> bool:
    """Tell whether a worker listens: a text should not wait for one to start."""
    with make_redis(redis_url) as client:
        return bool(Worker.count(client))


def _free_port(wanted: int) -> int:
    """Give the wanted port of the loopback interface, or any free one when it is taken."""
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigurationError("no free port on the loopback interface")
