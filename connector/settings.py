"""Which settings does the program read, once, and what is wrong with them?

Everything comes from the environment (in development also from `.env`). Each setting is one entry of
`connector.setting_list`; only the secrets of channels, which admins name themselves, are not known beforehand.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from environs import Env, EnvValidationError
from marshmallow import ValidationError

from connector.adapters.sms.catalogue import gateway_plugins, is_configured, missing_settings
from connector.errors import ConfigurationError
from connector.ports.gateway_plugin import GatewayPlugin
from connector.setting_list import SETTINGS, Setting, read_text

CHANNEL_PREFIX = "CHANNEL_"
"""What the names of the variables that hold the secrets of channels begin with."""


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
    hubspot_journal: bool
    salesforce_client_id: str
    salesforce_client_secrets: tuple[str, ...]
    salesforce_login_url: str
    salesforce_api_url: str
    salesforce_pubsub_url: str
    install_open: bool
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


def gateway_settings(plugin: GatewayPlugin) -> tuple[Setting, ...]:
    """Give the settings of one gateway as this module reads them; the program starts without any of them."""
    return tuple(
        Setting(each.name, each.meaning, each.example, read_text, each.default, is_secret=each.is_secret)
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
