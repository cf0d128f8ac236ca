"""Which settings are there, how is each one read, and what does it mean?

The settings reference, `app.json` and the error messages are made of these entries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env
from marshmallow import ValidationError


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable.

    Attributes:
        meaning: one sentence for operators.
        example: a value that would do.
        default: used when the variable is absent; None when it is required or when absence has a meaning.
        is_required: the program does not start without it.
        is_secret: never printed.
        read: how `environs` reads it; gives any value when it is wrong, the error comes at the end.
    """

    name: str
    meaning: str
    example: str
    read: Callable[[Env, str, Any], Any]
    default: Any = None
    is_required: bool = False
    is_secret: bool = False


def read_text(env: Env, name: str, default: Any) -> str:
    """Read a text, without blanks around it."""
    return str(env.str(name, default) or "").strip()


def _bool(env: Env, name: str, default: Any) -> bool:
    return bool(env.bool(name, default))


def _list(env: Env, name: str, default: Any) -> tuple[str, ...]:
    return tuple(item.strip() for item in env.list(name, default) or () if item.strip())


def _path(env: Env, name: str, default: Any) -> Path:
    return Path(env.str(name, default) or default)


def _optional_path(env: Env, name: str, default: Any) -> Path | None:
    text = env.str(name, default)
    return Path(text) if text else None


def _url(env: Env, name: str, default: Any) -> str:
    return str(env.str(name, default, validate=_is_url) or "").rstrip("/")


def _is_url(text: str) -> None:
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.netloc):
        raise ValidationError("not a URL with http:// or https:// and a host")


def _positive(env: Env, name: str, default: Any) -> int:
    return int(env.int(name, default, validate=_is_positive) or default)


def _rate(env: Env, name: str, default: Any) -> float:
    return float(env.float(name, default, validate=_is_positive) or default)


def _is_positive(number: float) -> None:
    if number <= 0:
        raise ValidationError("must be above zero")


def _log_format(env: Env, name: str, default: Any) -> str:
    return str(env.str(name, default, validate=_is_log_format))


def _is_log_format(text: str) -> None:
    if text not in {"json", "text"}:
        raise ValidationError("must be json or text")


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "DATABASE_URL",
        "Where the ledger is kept: PostgreSQL in production, SQLite on one machine.",
        "postgresql://user:password@host/name",
        read_text,
        default="sqlite:///connector.sqlite3",
        is_secret=True,
    ),
    Setting(
        "REDIS_URL",
        "The Redis that carries nudges and rate limits.",
        "redis://localhost:6379/0",
        read_text,
        is_required=True,
        is_secret=True,
    ),
    Setting(
        "REDIS_VERIFY_TLS",
        "Whether a `rediss://` server must show a trusted certificate; Heroku's signs its own.",
        "false",
        _bool,
        default=True,
    ),
    Setting(
        "PUBLIC_URL",
        "The address under which HubSpot and the gateways reach this app; signatures are checked over it.",
        "https://sms.example.com",
        _url,
        is_required=True,
    ),
    Setting(
        "LINK_URL",
        "The address that short links begin with, if a shorter one leads to this app too; else PUBLIC_URL.",
        "https://go.example.com",
        _url,
        "",
    ),
    Setting(
        "SECRET_KEYS",
        "Secrets that encrypt tokens and message bodies, comma-separated, newest first, 32 or more characters each.",
        "the output of: openssl rand -hex 32",
        _list,
        is_required=True,
        is_secret=True,
    ),
    Setting("MAPPINGS_DIR", "Folder of journeys, events, keywords and compliance.", "mappings", _path, "mappings"),
    Setting("TEMPLATES_DIR", "Folder of SMS templates.", "templates", _path, "templates"),
    Setting("HUBSPOT_CLIENT_ID", "Client id of the HubSpot app.", "1b2c3d4e-…", read_text, ""),
    Setting(
        "HUBSPOT_CLIENT_SECRETS",
        "Client secrets of the HubSpot app, comma-separated, newest first; empty switches HubSpot's webhooks off.",
        "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
        _list,
        (),
        is_secret=True,
    ),
    Setting("HUBSPOT_API_URL", "HubSpot's API.", "https://api.hubapi.com", _url, "https://api.hubapi.com"),
    Setting("HUBSPOT_API_VERSION", "Dated version of HubSpot's API.", "2026-09", read_text, "2026-09"),
    Setting(
        "HUBSPOT_JOURNAL",
        "Whether HubSpot's webhooks journal is read as well; the app needs its `developer.webhooks_journal` scopes.",
        "true",
        _bool,
        default=False,
    ),
    Setting("SALESFORCE_CLIENT_ID", "Consumer key of the External Client App.", "3MVG9…", read_text, ""),
    Setting(
        "SALESFORCE_CLIENT_SECRETS",
        "Consumer secrets of the External Client App, newest first, separated by commas.",
        "6D2F…",
        _list,
        "",
        is_secret=True,
    ),
    Setting(
        "SALESFORCE_LOGIN_URL",
        "The login page to install from when a visitor names none: `https://test.salesforce.com` is for sandboxes.",
        "https://login.salesforce.com",
        _url,
        "https://login.salesforce.com",
    ),
    Setting(
        "SALESFORCE_API_URL",
        "Development only: a double that stands for every organisation's own address.",
        "http://127.0.0.1:4020",
        _url,
        "",
    ),
    Setting(
        "SALESFORCE_PUBSUB_URL",
        "Salesforce's Pub/Sub API, for accounts that stream changes; `http://` only for a double on this machine.",
        "https://api.pubsub.salesforce.com:7443",
        _url,
        "https://api.pubsub.salesforce.com:7443",
    ),
    Setting(
        "INSTALL_OPEN",
        "Whether any portal or organisation may install itself, as from a marketplace; else only those that are "
        "accounts already, and those the operator installs with START_PAGE_PASSWORD.",
        "true",
        _bool,
        default=False,
    ),
    Setting(
        "SMTP_URL",
        "The mail server for channels of kind `email`: `smtps://` or `smtp://`, with user and password.",
        "smtps://user:password@mail.example.com:465",
        read_text,
        "",
        is_secret=True,
    ),
    Setting(
        "ALLOW_LOOPBACK_URLS",
        "Development only: channels may call `http://` and addresses of this very machine.",
        "true",
        _bool,
        default=False,
    ),
    Setting(
        "GATEWAY",
        "Gateway of texts whose purpose has no route in `mappings/gateways.yaml`; `null` logs instead of sending.",
        "twilio",
        read_text,
        "twilio",
    ),
    Setting(
        "SEND_RATE",
        "Texts per second through a gateway that `mappings/gateways.yaml` gives no rate, over all workers.",
        "80",
        _rate,
        100.0,
    ),
    Setting(
        "SEND_CONCURRENCY",
        "Requests in flight to such a gateway per worker process.",
        "50",
        _positive,
        50,
    ),
    Setting("WORKER_PROCESSES", "Worker processes that one `smsctl worker` starts.", "2", _positive, 2),
    Setting("WEB_THREADS", "Threads that answer requests in one web process.", "8", _positive, 8),
    Setting(
        "START_PAGE_PASSWORD",
        "Password of the start page, with any user name; while it is empty the page is shown on this machine only.",
        "the output of: openssl rand -base64 24",
        read_text,
        "",
        is_secret=True,
    ),
    Setting("PORT", "Port that `smsctl web` listens on.", "8000", _positive, 8000),
    Setting("LOG_FORMAT", "`json` for machines, `text` for people.", "json", _log_format, "json"),
    Setting(
        "CLOCK_OFFSET_FILE",
        "Development only: a file with seconds to add to the time, so that days can be made to pass.",
        ".demo/clock",
        _optional_path,
        "",
    ),
)
