"""Can the demo be told things from another shell?"""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from connector.entrypoints.cli.demo_command import write_environment


def test_the_demos_settings_can_be_read_by_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "ed")
    path = tmp_path / "env"
    write_environment(path, {"EDITOR": "ed", "REDIS_URL": "unix:///a path/with 'quotes'", "GATEWAY": "twilio"})
    told = subprocess.run(
        ["sh", "-c", f'. {path}; printf "%s|%s" "$REDIS_URL" "$GATEWAY"'], capture_output=True, text=True, check=True
    )
    assert told.stdout == "unix:///a path/with 'quotes'|twilio"
    assert "EDITOR" not in path.read_text(encoding="utf-8")


def test_the_demos_keys_are_for_its_owner_only(tmp_path: Path) -> None:
    write_environment(tmp_path / "env", {"SECRET_KEYS": "s" * 32})
    assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600
