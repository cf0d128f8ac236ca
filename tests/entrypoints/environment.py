"""Which environment variables does a connector need that is tested on a ledger in a folder?"""

from __future__ import annotations

from pathlib import Path

import pytest


def set_environment(monkeypatch: pytest.MonkeyPatch, folder: Path, redis_url: str, **others: str) -> None:
    """Let settings be read that keep ledger, mappings and templates in a folder, and send nothing.

    `others` are variables of the test's own; they go before the usual ones.
    """
    usual = {
        "DATABASE_URL": f"sqlite:///{folder}/ledger.sqlite3",
        "REDIS_URL": redis_url,
        "PUBLIC_URL": "https://sms.example.com",
        "SECRET_KEYS": "k" * 32,
        "GATEWAY": "null",
        "MAPPINGS_DIR": str(folder / "mappings"),
        "TEMPLATES_DIR": str(folder / "templates"),
    }
    for name, value in (usual | others).items():
        monkeypatch.setenv(name, value)
