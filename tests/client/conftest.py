"""Which connector does the client talk to in tests? The real application, in this process."""

from __future__ import annotations

from tests.entrypoints.api.conftest import app, connector, program, stranger

__all__ = ["app", "connector", "program", "stranger"]
