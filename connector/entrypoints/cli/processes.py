"""How are the long-running processes started?"""

from __future__ import annotations

from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from connector.adapters.store.migrate import require_current
from connector.adapters.store.unit_of_work import make_engine
from connector.bootstrap import build_connector, lanes, own_lanes
from connector.entrypoints.clock import run_clock
from connector.entrypoints.log_setup import set_up_logging
from connector.entrypoints.stopping import StopSignal
from connector.entrypoints.web.app import create_app
from connector.entrypoints.worker import WorkerOptions, run_worker
from connector.errors import ConfigurationError
from connector.settings import Settings, read_settings

_WEB_WORKERS_ON_POSTGRESQL = 2  # one process per core of a small dyno; SQLite has one writer, so one process


def ready_settings() -> Settings:
    """Read settings, set up logs, and refuse a database that lacks a migration."""
    settings = read_settings()
    set_up_logging(settings)
    engine = make_engine(settings.database_url)
    try:
        require_current(engine)
    finally:
        engine.dispose()
    return settings


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn is not typed
    """gunicorn over our application, configured by our settings and nothing else."""

    def __init__(self, settings: Settings, bind: str) -> None:
        self._settings, self._bind = settings, bind
        super().__init__()

    def load_config(self) -> None:
        is_sqlite = self._settings.database_url.startswith("sqlite")
        options: dict[str, Any] = {
            "bind": self._bind,
            "workers": 1 if is_sqlite else _WEB_WORKERS_ON_POSTGRESQL,
            "worker_class": "gthread",
            "threads": self._settings.web_threads,
            "keepalive": 75,  # longer than the idle time-out of load balancers, which then close first
            "graceful_timeout": 20,  # platforms kill 30 s after SIGTERM
            "control_socket_disable": True,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application in the worker process: threads and connections do not survive a fork."""
        return create_app(build_connector(self._settings))


@click.command()
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104 - behind a router
@click.option("--port", type=int, help="Port to listen on; PORT when left out.")
def web(host: str, port: int | None) -> None:
    """Answer webhooks, callbacks and cards."""
    settings = ready_settings()
    _Server(settings, f"{host}:{port or settings.port}").run()


@click.command()
@click.option("--processes", type=int, help="Worker processes; WORKER_PROCESSES when left out.")
def worker(processes: int | None) -> None:
    """Understand events, advance journeys, send, hear back, write back."""
    settings = ready_settings()
    options = WorkerOptions(
        settings.redis_url,
        lanes(settings),
        verify_tls=settings.redis_verify_tls,
        prepare="connector.entrypoints.jobs.prepare",
        on_stop="connector.entrypoints.jobs.stop",
    )
    run_worker(options, processes or settings.worker_processes)


@click.command()
def smpp() -> None:
    """Hold the binds of the SMPP gateway, and send and hear through them; run exactly one where SMPP_HOSTS is set."""
    settings = ready_settings()
    if not settings.gateway_values.get("SMPP_HOSTS"):
        raise ConfigurationError("SMPP_HOSTS is empty; example: SMPP_HOSTS=smpp.example.com:2775")
    options = WorkerOptions(
        settings.redis_url,
        own_lanes("smpp"),
        verify_tls=settings.redis_verify_tls,
        prepare="connector.entrypoints.jobs.prepare_smpp",
        on_stop="connector.entrypoints.jobs.stop",
    )
    run_worker(options, 1)


@click.command()
def clock() -> None:
    """Wake rows whose time has come."""
    stop = StopSignal()
    connector = build_connector(ready_settings())
    run_clock(connector.alarm.ring, stop.wait)
