"""How does Alembic reach the ledger? On the connection that `store.migrate` hands it."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from connector.adapters.store.tables import metadata
from connector.adapters.store.types import Document, UTCDateTime


def _render(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write our own column types by name into new migrations."""
    if kind == "type" and (isinstance(item, UTCDateTime) or item is Document):
        name = "UTCDateTime" if isinstance(item, UTCDateTime) else "Document"
        autogenerate.imports.add(f"from connector.adapters.store.types import {name}")
        return "UTCDateTime()" if name == "UTCDateTime" else name
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
