"""Does the bench still run? What it measures is for people to read; no test waits for a figure."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bench import __main__ as bench
from bench import backtest, sending, webhooks
from bench.floor_server import Writer, application
from bench.load import own_maximum
from bench.report import Figure, as_json, percentile, show
from bench.texts import connector_of, prepare_ledger
from bench.world import World
from connector.entrypoints.web.app import create_app

T = TypeVar("T")


@pytest.fixture
def world(tmp_path: Path, redis_url: str) -> World:
    return World(tmp_path, redis_url)


def here(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in this process: a new one would take a second to import everything."""
    return function(*arguments)


def test_the_send_bench_sends_through_the_connector_and_the_floor(world: World) -> None:
    figures = sending.measure(world, count=5, rounds=1, history=20, run=here)
    assert [figure.name for figure in figures] == [
        "texts per second, one worker",
        "CPU per text",
        "the same, 20 texts in the ledger",
    ]
    assert all(figure.value > 0 and figure.floor for figure in figures)


def test_the_backtest_bench_enrolls_and_reads(world: World) -> None:
    figures = backtest.measure(world, events=12, run=here)
    assert [figure.name for figure in figures] == [
        "events per minute, backtested",
        "the same, compared with what is published",
    ]
    assert all(figure.value > 0 for figure in figures)


def test_the_webhooks_of_the_bench_are_accepted(world: World) -> None:
    environment = world.environment("ingest")
    prepare_ledger(environment)
    head, _, body = webhooks.many(1)[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines()[1:])
    with connector_of(environment) as connector:
        answer = create_app(connector).test_client().post("/webhooks/hubspot", data=body, headers=headers)
    assert answer.get_json() == {"new": 1, "known": 0, "foreign": 0}


@pytest.mark.parametrize("together", [1, 200])
def test_the_floor_of_ingest_stores_what_it_is_sent(tmp_path: Path, together: int) -> None:
    path = str(tmp_path / "floor.sqlite3")
    environ = {"wsgi.input": io.BytesIO(b"[1]"), "CONTENT_LENGTH": "3"}
    statuses: list[str] = []
    writer = Writer(path, together)
    answer = application(writer)(environ, lambda status, _headers: statuses.append(status))
    writer.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT body FROM event").fetchall() == [(b"[1]",)]
    assert (statuses, list(answer)) == (["200 OK"], [b"{}"])


def test_the_load_generator_measures_every_request() -> None:
    assert own_maximum(webhooks.many(50), connections=4) > 0


def test_a_figure_is_met_by_its_ratio_or_by_itself() -> None:
    assert Figure("send", "CPU", 2.0, "ms", 1.0, aim="≤ 2.5").is_met
    assert not Figure("ingest", "events", 1.0, "/s", 2.0, aim="≥ 0.6").is_met
    assert Figure("crm", "calls", 0.05, "", aim="≤ 0.1").is_met
    assert Figure("latency", "p50", 30.0, "ms").is_met is None


def test_figures_are_shown_to_people_and_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    figure = Figure("send", "CPU per text", 1.2345, "ms", 0.5, "bare httpx", "≤ 2.5", "a note")
    show([figure])
    shown = capsys.readouterr().out
    assert "1.23 ms" in shown
    assert "met" in shown
    assert "bare httpx" in shown
    (told,) = json.loads(as_json([figure]))
    assert (told["name"], told["ratio"], told["is_met"]) == ("CPU per text", 2.469, True)


def test_percentiles_are_among_what_was_measured() -> None:
    assert percentile([7.0], 99) == 7.0
    assert percentile(list(range(101)), 50) == 50
    assert percentile(list(range(101)), 99) == 99


def test_an_unknown_part_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--only", "sned"])
    assert "no such part: sned" in capsys.readouterr().err
