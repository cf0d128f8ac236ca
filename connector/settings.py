"""Which settings does the program read, once, and what is wrong with them?

Everything comes from the environment (in development also from `.env`). Each setting is one entry of `SETTINGS`, from
which the settings reference, `app.json` and the error messages are made; only the secrets of channels, which admins
name themselves, are not known beforehand.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow import ValidationError

from connector.adapters.sms.catalogue import gateway_plugins, is_configured, missing_settings
from connector.errors import ConfigurationError
from connector.ports.gateway import GatewayPlugin

CHANNEL_PREFIX = "CHANNEL_"
"""What the names of the variables that hold the secrets of channels begin with."""


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


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, read once; field names are the variables' names in lower case."""

    database_url: str
    redis_url: str
    redis_verify_tls: bool
    public_url: str
    link_url: str
    secret_keys: tuple[str, ...]
    mappings_dir: Path
    templates_dir: Path
    hubspot_client_id: str
    hubspot_client_secrets: tuple[str, ...]
    hubspot_api_url: str
    hubspot_api_version: str
    smtp_url: str
    allow_loopback_urls: bool
    gateway: str
    send_rate: float
    send_concurrency: int
    worker_processes: int
    web_threads: int
    start_page_password: str
    port: int
    log_format: str
    clock_offset_file: Path | None
    channel_secrets: Mapping[str, str] = field(default_factory=dict)
    gateway_values: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show names and values, secrets and credentials in URLs left out (P10)."""
        hidden = {setting.name.lower() for setting in SETTINGS if setting.is_secret}
        hidden |= {"channel_secrets", "gateway_values"}
        shown = (f"{f.name}={'…' if f.name in hidden else getattr(self, f.name)!r}" for f in fields(self))
        return f"Settings({', '.join(shown)})"


def _text(env: Env, name: str, default: Any) -> str:
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
        _text,
        default="sqlite:///connector.sqlite3",
        is_secret=True,
    ),
    Setting(
        "REDIS_URL",
        "The Redis that carries nudges and rate limits.",
        "redis://localhost:6379/0",
        _text,
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
    Setting("HUBSPOT_CLIENT_ID", "Client id of the HubSpot app.", "1b2c3d4e-…", _text, ""),
    Setting(
        "HUBSPOT_CLIENT_SECRETS",
        "Client secrets of the HubSpot app, comma-separated, newest first; empty switches HubSpot's webhooks off.",
        "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
        _list,
        (),
        is_secret=True,
    ),
    Setting("HUBSPOT_API_URL", "HubSpot's API.", "https://api.hubapi.com", _url, "https://api.hubapi.com"),
    Setting("HUBSPOT_API_VERSION", "Dated version of HubSpot's API.", "2026-09", _text, "2026-09"),
    Setting(
        "SMTP_URL",
        "The mail server for channels of kind `email`: `smtps://` or `smtp://`, with user and password.",
        "smtps://user:password@mail.example.com:465",
        _text,
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
        _text,
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
        _text,
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


def gateway_settings(plugin: GatewayPlugin) -> tuple[Setting, ...]:
    """Give the settings of one gateway as this module reads them; the program starts without any of them."""
    return tuple(
        Setting(each.name, each.meaning, each.example, _text, each.default, is_secret=each.is_secret)
        for each in plugin.settings
    )


def read_settings() -> Settings:
    """Read all settings from the environment, and from a `.env` file in the working directory.

    Raises:
        ConfigurationError: lists everything that is missing or wrong, by exact name, with an example each.
    """
    values, wrong = _read_all(SETTINGS)
    problems = _described(SETTINGS, wrong)
    gateways = _gateway_values()
    problems = problems or _contradictions(values["gateway"], gateways)
    if problems:
        raise ConfigurationError("\n".join(problems))
    return Settings(**values, channel_secrets=_channel_secrets(), gateway_values=gateways)


def gateway_secrets(settings: Settings) -> tuple[str, ...]:
    """Give every secret of every gateway, those of lists one by one, so that logs can strike them out."""
    named = [each.name for plugin in gateway_plugins().values() for each in plugin.settings if each.is_secret]
    found = [settings.gateway_values.get(name, "") for name in named]
    return tuple(secret.strip() for value in found for secret in {value, *value.split(",")} if secret.strip())


def _gateway_values() -> dict[str, str]:
    """Read what every known gateway may be set up with, by the names of the variables."""
    env = Env()
    env.read_env(".env", recurse=False)
    chosen = [setting for plugin in gateway_plugins().values() for setting in plugin.settings]
    return {each.name: str(env.str(each.name, each.default) or each.default).strip() for each in chosen}


def _channel_secrets() -> dict[str, str]:
    """Collect what `mappings/channels.yaml` may name: every variable that begins with CHANNEL_."""
    return {name: value for name, value in os.environ.items() if name.startswith(CHANNEL_PREFIX)}


def read_some(*names: str) -> dict[str, Any]:
    """Read only the named settings, for commands that need no more; keys are in lower case.

    Raises:
        ConfigurationError: one of them is missing or wrong.
    """
    chosen = tuple(setting for setting in SETTINGS if setting.name in names)
    values, wrong = _read_all(chosen)
    problems = _described(chosen, wrong)
    if problems:
        raise ConfigurationError("\n".join(problems))
    return values


def _read_all(settings: Sequence[Setting]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Read settings; give the values, and the messages about wrong ones by name."""
    env = Env(eager=False)
    env.read_env(".env", recurse=False)
    values = {setting.name.lower(): _read(env, setting) for setting in settings}
    try:
        env.seal()
    except EnvValidationError as error:
        return values, dict(error.error_messages)  # type: ignore[arg-type] # in deferred mode it is a mapping
    return values, {}


def _described(settings: Sequence[Setting], wrong: Mapping[str, Any]) -> list[str]:
    return [
        f"{setting.name}: {_problem(wrong[setting.name])}; example: {setting.name}={setting.example}"
        for setting in settings
        if setting.name in wrong
    ]


def _read(env: Env, setting: Setting) -> Any:
    if setting.is_required:
        env.str(setting.name, validate=_is_given)
    return setting.read(env, setting.name, setting.default)


def _is_given(text: str) -> None:
    if not text.strip():
        raise ValidationError("is empty")


def _problem(messages: Any) -> str:
    found = messages if isinstance(messages, list) else [messages]
    text = str(found[0])
    return "is missing" if "not set" in text else text


def _contradictions(usual: str, gateways: Mapping[str, str]) -> list[str]:
    """Find settings that are fine alone but not together."""
    plugins = gateway_plugins()
    if usual not in plugins:
        return [f"GATEWAY: {usual} is no gateway; it may be {', '.join(sorted(plugins))}"]
    problems = []
    for plugin in plugins.values():
        missing = missing_settings(plugin, gateways)
        if missing and (plugin.slug == usual or is_configured(plugin, gateways)):
            reason = f"GATEWAY is {usual}" if plugin.slug == usual else f"{plugin.slug} is switched on"
            are = "is" if len(missing) == 1 else "are"
            problems.append(
                f"{' and '.join(missing)} {are} missing, but {reason}; set them"
                + (", or GATEWAY=null to log texts instead of sending them" if plugin.slug == usual else "")
            )
    return problems
