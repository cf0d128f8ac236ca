"""Do missing and wrong settings stop the start with their exact names, and do secrets stay out of sight?"""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.bootstrap import build_connector
from connector.errors import ConfigurationError
from connector.setting_list import SETTINGS
from connector.settings import read_settings, read_some

GOOD = {
    "REDIS_URL": "redis://:hunter2@127.0.0.1:6379/0",
    "PUBLIC_URL": "https://sms.example.com/",
    "SECRET_KEYS": f"{'n' * 32}, {'o' * 32}",
    "TWILIO_ACCOUNT_SID": "AC1",
    "TWILIO_AUTH_TOKENS": "new,old",
    "TWILIO_FROM": "+12025550100",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_good_settings_are_read_with_defaults_and_lists_newest_first(environment: pytest.MonkeyPatch) -> None:
    settings = read_settings()
    assert settings.secret_keys == ("n" * 32, "o" * 32)
    assert settings.public_url == "https://sms.example.com"
    assert settings.hubspot_api_version == "2026-09"
    assert settings.redis_verify_tls is True


@pytest.mark.parametrize("name", ["REDIS_URL", "PUBLIC_URL", "SECRET_KEYS"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_setting_is_named_with_an_example(
    environment: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    if value is None:
        environment.delenv(name)
    else:
        environment.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^{name}: is (missing|empty); example: {name}="):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PUBLIC_URL", "sms.example.com", "not a URL"),
        ("PORT", "eighty", "PORT: Not a valid integer"),
        ("SEND_RATE", "0", "must be above zero"),
        ("LOG_FORMAT", "xml", "must be json or text"),
        ("TWILIO_AUTH_TOKENS", "", "TWILIO_AUTH_TOKENS is missing, but GATEWAY is twilio"),
    ],
)
def test_a_wrong_setting_is_named(environment: pytest.MonkeyPatch, name: str, value: str, told: str) -> None:
    environment.setenv(name, value)
    with pytest.raises(ConfigurationError, match=told):
        read_settings()


def test_a_gateway_nobody_configured_stops_the_start_with_those_that_are(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GATEWAY", "pigeon")
    with pytest.raises(ConfigurationError, match=r"GATEWAY: pigeon is no gateway; it may be aws-sms, .*, twilio"):
        read_settings()


def test_a_gateway_whose_settings_contradict_each_other_stops_the_start(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TWILIO_FROM", "")
    with pytest.raises(ConfigurationError, match="TWILIO_FROM"):
        build_connector(read_settings())


def test_all_mistakes_are_told_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PORT", "eighty")
    environment.setenv("PUBLIC_URL", "nowhere")
    environment.delenv("SECRET_KEYS")
    with pytest.raises(ConfigurationError) as told:
        read_settings()
    assert [line.partition(":")[0] for line in str(told.value).splitlines()] == ["PUBLIC_URL", "SECRET_KEYS", "PORT"]


def test_secrets_are_not_shown_in_a_repr(environment: pytest.MonkeyPatch) -> None:
    shown = repr(read_settings())
    assert "hunter2" not in shown
    assert "n" * 32 not in shown
    assert "new" not in shown


def test_the_secrets_of_channels_are_collected_and_not_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CHANNEL_BILLING_SLACK", "https://hooks.example.com/T0/B0/xyz")
    environment.setenv("CHANNELS_OTHERWISE", "no")
    settings = read_settings()
    assert settings.channel_secrets == {"CHANNEL_BILLING_SLACK": "https://hooks.example.com/T0/B0/xyz"}
    assert "hooks.example.com" not in repr(settings)


def test_a_env_file_is_read_in_development(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("SEND_RATE", "5")
    (tmp_path / ".env").write_text("PORT=4321\nSEND_RATE=7\n")
    settings = read_settings()
    assert (settings.port, settings.send_rate) == (4321, 5.0)


def test_a_command_that_needs_little_reads_little(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SECRET_KEYS")
    environment.setenv("DATABASE_URL", "sqlite:///x.sqlite3")
    assert read_some("DATABASE_URL") == {"database_url": "sqlite:///x.sqlite3"}
