"""Does `smsctl simulate` play a journey for people and for programs, and say in a line what is wrong?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from connector.entrypoints.cli import cli
from connector.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
AT = ("--at", "2026-11-23T11:00+00:00")


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPPINGS_DIR", str(ROOT / "mappings"))
    monkeypatch.setenv("TEMPLATES_DIR", str(ROOT / "templates"))


def run(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "140"}).invoke(cli, ["simulate", *arguments])
    if isinstance(result.exception, ConfigurationError):
        return str(result.exception)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_people_read_what_happens_minute_by_minute() -> None:
    told = run("one-time-code", *AT, "--reply", "after 2 minutes: {{ code }}")
    assert "Monday, 2026-11-23 (Europe/London)" in told
    assert "11:02:00  reply" in told
    assert "Ended: right code. 1 text, 1 segment, 0.0083 USD." in told


def test_programs_get_json() -> None:
    told = json.loads(run("one-time-code", *AT, "--json"))
    assert (told["outcome"], len(told["texts"])) == ("ended: no right code in time", 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("one-time-cod",), "there is no journey one-time-cod: did you mean"),
        (("one-time-code", "--at", "soon"), "--at: `soon` is no time"),
        (
            ("one-time-code", "--at", "9999-12-31T23:00+00:00"),
            "--at: `9999-12-31T23:00+00:00` is not between the years",
        ),
        (("one-time-code", "--for", "ever"), "--for: "),
        (("one-time-code", "--reply", "after 2 fortnights: hi"), "--reply after 2 fortnights: hi: "),
    ],
)
def test_what_is_wrong_is_said_in_a_line(arguments: tuple[str, ...], told: str) -> None:
    said = run(*arguments)
    assert told in said
    assert "\n" not in said
