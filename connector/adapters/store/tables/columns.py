"""Which metadata and which column types do all tables share?"""

from __future__ import annotations

from sqlalchemy import MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(36)
WORD = String(64)
NUMBER = String(20)  # E.164 is at most 15 digits and a plus; short codes are shorter
KEY = String(255)
