"""Do the card and the settings page hold their types and pass their own tests?"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.marketplace.hubspot.project import PROJECT

_INSTALLED = PROJECT / "node_modules/.package-lock.json"
_LOCK = PROJECT / "package-lock.json"
_OLDEST_NODE = 20  # what vitest 4 and HubSpot's CLI want

# Seconds. CI machines are slow and shared; an installation and both scripts end before the mark below does.
_TO_INSTALL, _TO_RUN, _IN_ALL = 300, 250, 900


def _run(*command: str, timeout: float) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CI": "1", "NO_COLOR": "1", "npm_config_loglevel": "error"}
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here: the card's types and tests are not checked")
    return found


def _is_installed() -> bool:
    """Tell whether what is installed is what the lock says now."""
    return _INSTALLED.exists() and _INSTALLED.stat().st_mtime >= _LOCK.stat().st_mtime


@pytest.fixture(scope="module")
def npm() -> str:
    """npm, with the locked packages installed."""
    found = _tool("npm")
    version = _run(_tool("node"), "--version", timeout=20).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0] or 0) < _OLDEST_NODE:
        pytest.skip(f"node {version} is older than {_OLDEST_NODE}: the card's types and tests are not checked")
    if not _is_installed():
        _install(found)
    return found


def _install(npm: str) -> None:
    try:
        installed = _run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", timeout=_TO_INSTALL)
    except subprocess.TimeoutExpired:
        pytest.skip("the registry is too slow to install the card's packages: its types and tests are not checked")
    if installed.returncode != 0:
        pytest.skip("npm cannot install the card's packages here: its types and tests are not checked")


def test_a_registry_that_is_too_slow_is_a_skip_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(command: tuple[str, ...], **options: Any) -> None:
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", slow)
    with pytest.raises(pytest.skip.Exception, match="too slow to install the card's packages"):
        _install("npm")


@pytest.mark.timeout(_IN_ALL)  # a first run installs forty megabytes
def test_the_card_and_the_settings_page_hold_their_types_and_pass_their_tests(npm: str) -> None:
    for script in ("typecheck", "test"):
        done = _run(npm, "run", "--silent", script, timeout=_TO_RUN)
        assert done.returncode == 0, f"npm run {script}\n{done.stdout[-4000:]}\n{done.stderr[-2000:]}"


def test_nothing_that_npm_installs_is_kept_in_the_repository() -> None:
    ignored = (Path(PROJECT).parents[1] / ".gitignore").read_text(encoding="utf-8").split()
    assert "node_modules/" in ignored
