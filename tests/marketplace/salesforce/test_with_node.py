"""Do the components pass their own tests, and is the Apex Apex? Skipped by name without Node, npm or a registry."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.marketplace.salesforce.metadata_schema import metadata_schema
from tests.marketplace.salesforce.package import CLASSES, COMPONENTS, PLACEHOLDERS, ROOT, metadata_files, read

_OLDEST = 20  # of Node, for Jest and the parser
_OLDEST_FOR_SF = 22  # of Node, for the Salesforce command line

# Seconds. CI machines are slow and shared. A test may wait for the installation of another process, then install by
# itself, then run: 300 + 300 + 250 end before the mark does.
_TO_INSTALL, _TO_RUN, _IN_ALL = 300, 250, 900

pytestmark = [pytest.mark.slow, pytest.mark.timeout(_IN_ALL)]  # the first run installs five hundred packages


@pytest.fixture(scope="module")
def node() -> str:
    """Node, new enough."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        pytest.skip("no Node found: install Node 20 or later with npm")
    if _version(found) < _OLDEST:
        pytest.skip(f"Node {_OLDEST} or later is needed")
    return found


@pytest.fixture(scope="module")
def installed(node: str) -> Path:
    """The packages of the lock file, installed once, whichever process comes first."""
    packages = ROOT / "node_modules"
    marker = packages / ".installed"
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    with _alone():
        if not marker.is_file() or marker.read_text(encoding="utf-8") != lock:
            _install()
            marker.write_text(lock, encoding="utf-8")
    return packages


def _install() -> None:
    fast = ("--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000")
    try:
        done = _run("npm", "ci", *fast, timeout=_TO_INSTALL)
    except subprocess.TimeoutExpired:
        pytest.skip("npm could not install the packages of the lock file in time: the registry is too slow")
    if done.returncode:
        pytest.skip("npm could not install the packages of the lock file: is a registry within reach?")


@contextmanager
def _alone() -> Iterator[None]:
    with (ROOT / ".npm-install.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _version(node: str) -> int:
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"v(\d+)", told)
    return int(found[1]) if found else 0


def _run(*words: str, timeout: float = _TO_RUN) -> subprocess.CompletedProcess[str]:
    quiet = {"CI": "true", "SF_DISABLE_TELEMETRY": "true", "SF_AUTOUPDATE_DISABLE": "true"}
    return subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout, env={**os.environ, **quiet}
    )


def test_a_registry_that_is_too_slow_is_a_skip_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(command: tuple[str, ...], **options: Any) -> None:
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(subprocess, "run", slow)
    with pytest.raises(pytest.skip.Exception, match="the registry is too slow"):
        _install()


def test_the_components_pass_their_tests(installed: Path, tmp_path: Path) -> None:
    report = tmp_path / "jest.json"
    command = installed / ".bin/sfdx-lwc-jest"
    done = _run(str(command), "--skipApiVersionCheck", "--", "--json", f"--outputFile={report}")
    assert report.is_file(), done.stderr
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["success"], done.stderr
    suites = {Path(each["name"]).parts[-3] for each in told["testResults"]}
    assert suites == {folder.name for folder in COMPONENTS.iterdir()}
    assert told["numPassedTests"] == told["numTotalTests"]


def test_every_class_is_apex(node: str, installed: Path) -> None:
    done = _run(node, "scripts/check-apex.mjs")
    assert done.returncode == 0, done.stdout
    assert f"{len(list(CLASSES.glob('*.cls')))} classes, 0 mistakes" in done.stdout


def test_a_slip_in_a_class_is_noticed(node: str, installed: Path, tmp_path: Path) -> None:
    (tmp_path / "Slip.cls").write_text("public class Slip {\n  void send( { }\n}\n", encoding="utf-8")
    done = _run(node, "scripts/check-apex.mjs", str(tmp_path))
    assert done.returncode == 1
    assert "Slip.cls:2:" in done.stdout


_LATER = ("post-install", "policies", "dev-hub")
_GIVEN = [word for name, value in PLACEHOLDERS.items() for word in ("--set", f"{name}={value}")]


def test_everything_for_after_the_install_is_rendered_for_an_organisation(node: str, tmp_path: Path) -> None:
    done = _run(node, "scripts/render.mjs", "--out", str(tmp_path / "out"), *_GIVEN, *_LATER)
    assert done.returncode == 0, done.stderr
    written = sorted((tmp_path / "out").rglob("*-meta.xml"))
    assert len(written) == len([path for path in metadata_files() if "force-app" not in path.parts])
    assert "Invoice__c.workflow-meta.xml" in {path.name for path in written}
    for path in written:
        assert "{{" not in path.read_text(encoding="utf-8")
        assert metadata_schema().mistakes(read(path)) == []


def test_a_template_without_its_values_is_left_out_and_named(node: str, tmp_path: Path) -> None:
    done = _run(node, "scripts/render.mjs", "--out", str(tmp_path / "out"))
    assert "SMS_Invoice_Status_Changed.flow-meta.xml.template: left out, without --set invoice_object" in done.stdout
    written = {path.name for path in (tmp_path / "out").rglob("*-meta.xml")}
    assert "SMS_Lead_Changed.flow-meta.xml" in written
    assert not [name for name in written if "workflow" in name]


def test_names_of_an_installed_package_get_its_namespace_and_an_organisations_own_do_not(
    node: str, tmp_path: Path
) -> None:
    done = _run(node, "scripts/render.mjs", "--out", str(tmp_path / "out"), "--namespace", "acme", *_GIVEN, *_LATER)
    assert done.returncode == 0, done.stderr
    told = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("*-meta.xml")}
    changed = told["SMS_Contact_Changed.flow-meta.xml"]
    assert "ISCHANGED({!$Record.acme__SMS_Opt_Out__c})" in changed
    assert "$Setup.acme__SMS_Settings__c.acme__Flows_Off__c" in changed
    assert "<actionName>Contact.SMS_Contact_Changed</actionName>" in changed
    assert "ISCHANGED({!$Record.Status__c})" in told["SMS_Invoice_Status_Changed.flow-meta.xml"]
    policy = told["SMS_Connector_defaultPolicy.ecaOauthPlcy-meta.xml"]
    assert ">acme__SMS_Connector<" in policy
    assert ">acme__SMS_Connector_Integration<" in policy


def test_the_salesforce_command_line_converts_the_source(node: str, tmp_path: Path) -> None:
    command = shutil.which("sf")
    if command is None or _version(node) < _OLDEST_FOR_SF:
        pytest.skip(f"no Salesforce command line found: it needs Node {_OLDEST_FOR_SF} or later")
    for folder in ("force-app", "post-install", "policies"):
        done = _run(
            command, "project", "convert", "source", "--root-dir", folder, "--output-dir", str(tmp_path / folder)
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / folder / "package.xml").is_file()
