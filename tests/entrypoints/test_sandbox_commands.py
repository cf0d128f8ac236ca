"""Does an emulator that is started alone say how the connector is pointed at it?"""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from connector.entrypoints.cli import cli, sandbox
from connector.sandbox.salesforce.running import RunningSalesforce


class StoppedAtOnce:
    """A stop signal that has come already."""

    def wait(self) -> None:
        """Return at once."""


@pytest.fixture(autouse=True)
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "StopSignal", StoppedAtOnce)


def test_a_pretend_salesforce_prints_its_settings_and_the_page_that_installs_it() -> None:
    told = CliRunner().invoke(cli, ["sandbox", "salesforce", "--port", "0", "--client-secret", "hush"])
    assert told.exit_code == 0, told.output
    *settings, page = told.output.splitlines()
    values = dict(line.split("=", 1) for line in settings)
    assert values["SALESFORCE_API_URL"] == values["SALESFORCE_LOGIN_URL"]
    assert values["SALESFORCE_API_URL"].startswith("http://127.0.0.1:")
    assert (values["SALESFORCE_CLIENT_ID"], values["SALESFORCE_CLIENT_SECRETS"]) == ("sandbox-client", "hush")
    assert page == "then open PUBLIC_URL/install/salesforce?host=northgate.my.salesforce.com"


def test_a_pretend_salesforce_stops_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = list[str]()
    stop = RunningSalesforce.stop

    def note(running: RunningSalesforce) -> None:
        stop(running)
        stopped.append(running.org_id)

    monkeypatch.setattr(RunningSalesforce, "stop", note)
    CliRunner().invoke(cli, ["sandbox", "salesforce", "--port", "0"])
    assert stopped == ["00D000000000001EAA"]
