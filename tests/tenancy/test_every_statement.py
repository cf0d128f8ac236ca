"""Does every statement on rows of accounts ask for the account, or is it known why it need not?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

import connector.adapters.store
from connector.adapters.store.tables import metadata

STORE = Path(connector.adapters.store.__file__).parent
_BUILDERS = {"select", "update", "delete", "exists"}
_SQL = re.compile(rf"\b(FROM|UPDATE|JOIN)\s+({'|'.join(metadata.tables)})\b")

WITHOUT: Mapping[str, str] = {
    "a worker looks for work of every account; each row goes on under the account that stands in it": """
        attempts.any_to_ask attempts.any_to_redact attempts.to_ask attempts.to_redact attempts._lease_asked
        effects.any_due effects.claim effects._free enrollments.any_due enrollments.claim enrollments.due_count
        erasures.any_due erasures.claim inbox._due inbox._tell_of_those_left inbox.claim inbox.give_up inbox.waiting
        messages._QUEUED messages.abandoned messages.due messages.waiting_lanes numbers._WANTED numbers.claim
        polls.any_due polls.claim polls.planned records._of_active_account records._ripe_account records.waiting
        workflows.any_due workflows.claim
    """,
    "what a claim has leased is read again, given back or ended, by its id": """
        attempts._MANY effects.end effects.postpone enrollments.ended inbox.finish inbox.postpone
        message_moves._MOVE messages._STANDING messages.many messages.set_engagement records._lock
        records.mark_creating records.mark_refused records.mark_refused_in_part records.mark_written records.postpone
        workflows._moved
    """,
    "attempts, parts, links and calls of texts, of messages of enrollments: their ids were read with an account": """
        attempts.of_messages attempts.parts_of links.click links.of_message messages.of_enrollment
        message_lists._last_attempt workflows.waiting_for
    """,
    "a secret finds the row, and is the proof: whoever shows it has no account yet": """
        account_secrets.by_hash api_keys.by_hash api_keys.used api_keys.retire installing.forget installing.use
        links.by_code
    """,
    "a gateway tells its own ids, or a number; the attempt or text found says whose it is": """
        attempts.by_provider_ids attempts.move_part attempts.named attempts.part attempts.provider_ids_to
        messages.last_sent_to raw_events.owners_of_attempts raw_events.owners_of_numbers
    """,
    "the operator asks about every account; with an account named it is asked for": """
        effects.failed enrollments.find message_lists.dead_letters messages.counts messages.find
        records.put_off_because records.refused traffic.spent
    """,
    "an operator names an erasure, or the one under way counts what goes; it outlives its account": """
        erasures.count erasures.get tenant_data.end_account
    """,
    "asks for the account in words this test does not read: a list of columns, or conditions of the caller's": """
        contacts._FIND contacts._REPLACE contacts._read enrollments._wake message_lists._conditions
        raw_events.events_after splits.count
    """,
    "changes by their ids rows that were found for an account just before": """
        contact_data._changed contact_data._enrollments contact_data._handled_since
        tenant_data._callbacks
    """,
    "the vendor's id of an event holds the account": "inbox.add_new",
    "is about accounts: what they are called outside, and how they stand": """
        accounts.all accounts.by_external_ids accounts.connected accounts.disconnect accounts.drop_tokens accounts.get
        accounts.installed accounts.replace_tokens accounts.save_settings accounts.save_tokens accounts.set_status
        accounts.uninstall accounts.with_status accounts.with_tokens
    """,
    "is about what is nobody's: how gateways fare, and parts of replies that are not whole yet": """
        pieces.drop pieces.of pieces.older_than pieces.put_off tenant_data._delete_pieces traffic.all_health
        traffic.forget_tallies traffic.health traffic.tallies
    """,
}
"""Where a statement asks for no account, by the reason."""


class Module:
    """One module of the store, and of what its statements are built."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self._tree: ast.Module = ast.parse(path.read_text(encoding="utf-8"))
        self._above = {child: node for node in ast.walk(self._tree) for child in ast.iter_child_nodes(node)}

    def careless(self) -> Iterator[str]:
        """Name the functions, or variables of the module, whose statements ask for no account."""
        for node in ast.walk(self._tree):
            if _is_statement(node) and not self._asks(self._statement(node), self._function(node), set()):
                yield f"{self.name}.{self._place(node)}"

    def _asks(self, part: ast.AST, function: ast.FunctionDef | None, seen: set[str]) -> bool:
        """Tell whether something compares an account, itself or in what it is built of."""
        if any(_compares_account(node) for node in ast.walk(part)):
            return True
        for name in {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}:
            if name in seen:
                continue
            seen.add(name)
            if any(self._asks(piece, function, seen) for piece in self._pieces(name, function)):
                return True
        return False

    def _pieces(self, name: str, function: ast.FunctionDef | None) -> Iterator[ast.AST]:
        """Give what a name stands for in a function or in the module; what is only sometimes so is left out."""
        for body in (self._tree.body, function.body if function is not None else []):
            for node in body:
                if isinstance(node, ast.Assign) and any(name in _names(target) for target in node.targets):
                    yield node.value
        yield from (each for each in self._functions if each.name == name and each is not function)

    @cached_property
    def _functions(self) -> list[ast.FunctionDef]:
        return [node for node in self._tree.body if isinstance(node, ast.FunctionDef)]

    def _statement(self, node: ast.AST) -> ast.stmt:
        while not isinstance(node, ast.stmt):
            node = self._above[node]
        return node

    def _function(self, node: ast.AST) -> ast.FunctionDef | None:
        while node in self._above and not isinstance(node, ast.FunctionDef):
            node = self._above[node]
        return node if isinstance(node, ast.FunctionDef) else None

    def _place(self, node: ast.AST) -> str:
        function, statement = self._function(node), self._statement(node)
        if function is not None:
            return function.name
        assert isinstance(statement, ast.Assign)
        return next(iter(_names(statement.targets[0])))


def _is_statement(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BUILDERS


def _compares_account(node: ast.AST) -> bool:
    """Find `….account_id == …`, also where the column is wrapped."""
    if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq):
        return False
    return any(isinstance(each, ast.Attribute) and each.attr == "account_id" for each in ast.walk(node.left))


def _names(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


@cache
def _careless() -> frozenset[str]:
    return frozenset(place for path in sorted(STORE.glob("*.py")) for place in Module(path).careless())


def _known() -> list[str]:
    return [place for places in WITHOUT.values() for place in places.split()]


def test_a_statement_asks_for_the_account_or_it_is_known_why_not() -> None:
    assert sorted(_careless() - set(_known())) == []


def test_no_reason_is_left_over_and_none_is_given_twice() -> None:
    assert sorted(_known()) == sorted(_careless())


def test_a_statement_without_an_account_is_found(tmp_path: Path) -> None:
    module = tmp_path / "leaky.py"
    module.write_text(
        "_ALL = select(table)\n"
        "def careful(a): return select(table).where(table.c.account_id == a)\n"
        "def in_steps(a):\n    ours = table.c.account_id == a\n    return delete(table).where(ours)\n"
        "def sometimes(a):\n    query = select(table)\n"
        "    if a:\n        query = query.where(table.c.account_id == a)\n"
        "def by_id(i): return update(table).where(table.c.id == i)\n",
        encoding="utf-8",
    )
    assert sorted(Module(module).careless()) == ["leaky._ALL", "leaky.by_id", "leaky.sometimes"]


def test_statements_are_built_by_the_functions_this_test_knows() -> None:
    """`table.select()`, `sqlalchemy.select()` and SQL in words would go unseen."""
    for path in STORE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                is_a_table = isinstance(owner, ast.Name) and owner.id in {"sa", "sqlalchemy", "table", *metadata.tables}
                assert not (is_a_table and node.func.attr in _BUILDERS), f"{path.name}:{node.lineno}"
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not _SQL.search(node.value), f"{path.name}:{node.lineno}"
