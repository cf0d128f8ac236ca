"""Does the error of a statement keep to itself what the statement was given? It is logged, with its traceback (P10)."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from connector.adapters.store.unit_of_work import make_engine


def test_error_of_a_statement_names_none_of_its_values(database_url: str) -> None:
    engine = make_engine(database_url)
    wanted = text("SELECT id FROM no_such_table WHERE msisdn = :number")
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(wanted, {"number": "+12025550143"})
    engine.dispose()
    assert "12025550143" not in str(caught.value)
    assert "12025550143" not in repr(caught.value)
