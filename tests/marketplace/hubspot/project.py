"""What is in the HubSpot project?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
PROJECT = ROOT / "marketplace/hubspot"
APP = PROJECT / "src/app"
HOST = "https://sms.example.com"
"""Stands for the connector's PUBLIC_URL until `scripts/set-host.mjs` puts another in."""


def components() -> dict[Path, dict[str, Any]]:
    """Give every component file of the project with what it holds."""
    return {path: read(path) for path in sorted(APP.rglob("*-hsmeta.json")) if "node_modules" not in path.parts}


def component(kind: str) -> dict[str, Any]:
    """Give the configuration of the only component of a kind."""
    (found,) = (held for held in components().values() if held["type"] == kind)
    config: dict[str, Any] = found["config"]
    return config


def read(path: Path) -> dict[str, Any]:
    """Read a JSON file."""
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return held


def sources() -> list[Path]:
    """Give every file that is uploaded to HubSpot."""
    found = [PROJECT / "hsproject.json", *(PROJECT / "src").rglob("*")]
    return sorted(path for path in found if path.is_file() and "node_modules" not in path.parts)
