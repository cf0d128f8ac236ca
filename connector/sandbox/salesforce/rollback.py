"""How is everything undone that one call wrote, when its rows stand or fall together?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.orgs import Orgs


@contextmanager
def rolled_back(world: Orgs, org: Org) -> Iterator[Callable[[], None]]:
    """Give a function that puts the org's records back and forgets the changes made since."""
    with world.held():
        records = {name: dict(rows) for name, rows in org.records.items()}
        kept = [(row, dict(row.values), row.deleted_at) for rows in records.values() for row in rows.values()]
        told = len(world.untold())

        def undo() -> None:
            org.records = records
            org.uniques.clear()
            for row, values, deleted_at in kept:
                row.values, row.deleted_at = values, deleted_at
            del world.untold()[told:]

        yield undo
