"""What does a SOQL statement ask for?

`SELECT fields FROM object [WHERE ...] [ORDER BY ...] [LIMIT n]` with paths such as `Owner.Name`, the operators
= != <> < <= > >= LIKE IN NOT IN INCLUDES, AND, OR, NOT and parentheses. All else is MALFORMED_QUERY, and so is AND
beside OR without parentheses, as at Salesforce (developer.salesforce.com: SOQL and SOSL Reference).
"""

from dataclasses import dataclass
from typing import Literal as OneOf

from connector.sandbox.salesforce.refusals import RefusalError, malformed_query
from connector.sandbox.salesforce.soql_words import Word, text_of, unexpected, words_of

_COMPARISONS = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_RESERVED = frozenset(
    {"SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "INCLUDES", "LIKE", "ORDER", "LIMIT", "NULL"}
)
Path = tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """A literal: its kind (string, number, date, datetime, boolean, null) and its text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """`path operator values`; one value but for IN, NOT IN and INCLUDES."""

    path: Path
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Joined:
    """Conditions of which all, any or none must hold."""

    how: OneOf["AND", "OR", "NOT"]
    parts: tuple["Condition", ...]


Condition = Comparison | Joined


@dataclass(frozen=True)
class Order:
    """One ORDER BY column; nulls come first unless told."""

    path: Path
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True)
class Query:
    """A statement, read."""

    fields: tuple[Path, ...]
    object_name: str
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None


def read_soql(statement: str) -> Query:
    """Read a statement; MALFORMED_QUERY for all that is not in the module's first lines."""
    return _Reader(statement).query()


class _Reader:
    """Reads words from left to right, one method per rule of the grammar."""

    def __init__(self, statement: str) -> None:
        self._statement = statement
        self._words = words_of(statement)
        self._at = 0

    def query(self) -> Query:
        self._need("SELECT")
        fields = [self._path()]
        while self._took(","):
            fields.append(self._path())
        self._refuse_twice(fields)
        self._need("FROM")
        name = self._name()
        where = self._condition() if self._took("WHERE") else None
        order = self._order() if self._took("ORDER") else ()
        limit = self._limit() if self._took("LIMIT") else None
        if self._word.kind != "end":
            raise self._unexpected()
        return Query(tuple(fields), name, where, order, limit)

    # --- conditions ----------------------------------------------------------------------------------

    def _condition(self) -> Condition:
        parts = [self._part()]
        if not self._word.is_word("AND", "OR"):
            return parts[0]
        how = self._word.text.upper()
        while self._took(how):
            parts.append(self._part())
        if self._word.is_word("AND", "OR"):
            raise self._unexpected()
        return Joined("AND" if how == "AND" else "OR", tuple(parts))

    def _part(self) -> Condition:
        if self._took("NOT"):
            return Joined("NOT", (self._part(),))
        if self._took("("):
            inner = self._condition()
            self._need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        path, word = self._path(), self._word
        if word.is_word("LIKE"):
            self._at += 1
            if self._word.kind != "string":
                raise self._unexpected()
            return Comparison(path, "LIKE", (self._value(),))
        if word.is_word("IN", "NOT"):
            if self._took("NOT"):
                self._need("IN")
                return Comparison(path, "NOT IN", self._values())
            self._at += 1
            return Comparison(path, "IN", self._values())
        if self._took("INCLUDES"):
            return Comparison(path, "INCLUDES", self._values())
        if word.text not in _COMPARISONS:
            raise self._unexpected()
        self._at += 1
        return Comparison(path, "!=" if word.text == "<>" else word.text, (self._value(),))

    def _values(self) -> tuple[Value, ...]:
        self._need("(")
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        self._need(")")
        return tuple(values)

    def _value(self) -> Value:
        word = self._word
        self._at += 1
        if word.kind == "string":
            return Value("string", text_of(word.text))
        if word.kind in {"number", "date", "datetime"}:
            return Value(word.kind, word.text)
        if word.is_word("TRUE", "FALSE"):
            return Value("boolean", word.text.lower())
        if word.is_word("NULL"):
            return Value("null", "")
        raise unexpected(self._statement, word)

    # --- the rest ------------------------------------------------------------------------------------

    def _order(self) -> tuple[Order, ...]:
        self._need("BY")
        columns = [self._column()]
        while self._took(","):
            columns.append(self._column())
        return tuple(columns)

    def _column(self) -> Order:
        path = self._path()
        descending = self._took("DESC")
        if not descending:
            self._took("ASC")
        nulls_last = False
        if self._took("NULLS"):
            nulls_last = self._took("LAST")
            if not nulls_last:
                self._need("FIRST")
        return Order(path, descending, nulls_last)

    def _limit(self) -> int:
        word = self._word
        if word.kind != "number" or not word.text.isdigit():
            raise self._unexpected()
        self._at += 1
        return int(word.text)

    def _path(self) -> Path:
        return tuple(self._name().split("."))

    def _name(self) -> str:
        word = self._word
        if word.kind != "name" or word.text.upper() in _RESERVED:
            raise self._unexpected()
        self._at += 1
        return word.text

    @property
    def _word(self) -> Word:
        return self._words[min(self._at, len(self._words) - 1)]

    def _took(self, wanted: str) -> bool:
        if not self._word.is_word(wanted):
            return False
        self._at += 1
        return True

    def _need(self, wanted: str) -> None:
        if not self._took(wanted):
            raise self._unexpected()

    def _unexpected(self) -> RefusalError:
        return unexpected(self._statement, self._word)

    @staticmethod
    def _refuse_twice(fields: list[Path]) -> None:
        seen = [tuple(part.lower() for part in path) for path in fields]
        for path in seen:
            if seen.count(path) > 1:
                raise malformed_query(f"duplicate field selected: {'.'.join(path)}")
