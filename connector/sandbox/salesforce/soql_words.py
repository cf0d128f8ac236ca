"""Into which words does a SOQL statement fall?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from connector.sandbox.salesforce.refusals import RefusalError, malformed_query

LONGEST_STATEMENT = 100_000  # characters, the vendor's cap

_WORDS = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*')
    |(?P<datetime>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2}))
    |(?P<date>\d{4}-\d{2}-\d{2}(?![\dT]))
    |(?P<number>[+-]?\d+(?:\.\d+)?(?![\w-]))
    |(?P<name>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)
    |(?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE | re.ASCII,
)
# An escaped % or _ is kept as a character of the private use area, so that LIKE tells it from a plain one.
ESCAPED = {"\ue025": "%", "\ue05f": "_"}
_ESCAPES = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    "'": "'",
    '"': '"',
    "\\": "\\",
    **{text: kept for kept, text in ESCAPED.items()},
}


@dataclass(frozen=True)
class Word:
    """One word: its kind (string, datetime, date, number, name, sign or end), its text and where it stands."""

    kind: str
    text: str
    at: int

    def is_word(self, *wanted: str) -> bool:
        """Whether it is one of these key words or signs, whatever the case."""
        return self.kind in {"name", "sign"} and self.text.upper() in wanted


def words_of(statement: str) -> list[Word]:
    """The words of a statement with an end behind them; MALFORMED_QUERY where none can be read."""
    if len(statement) > LONGEST_STATEMENT:
        raise malformed_query(f"SOQL statements cannot be longer than {LONGEST_STATEMENT:,} characters.")
    return [*_words(statement), Word("end", "<EOF>", len(statement))]


def unexpected(statement: str, word: Word) -> RefusalError:
    """MALFORMED_QUERY that shows where the statement stops making sense."""
    row, column = statement.count("\n", 0, word.at) + 1, word.at - statement.rfind("\n", 0, word.at)
    shown = statement[max(0, word.at - 30) : word.at + 30]
    return malformed_query(f"\n{shown}\n^\nERROR at Row:{row}:Column:{column}\nunexpected token: '{word.text}'")


def text_of(quoted: str) -> str:
    """The text inside quotes; escaped wildcards as ESCAPED has them."""

    def replaced(found: re.Match[str]) -> str:
        if found[1] not in _ESCAPES:
            raise malformed_query(f"Invalid string literal {quoted}. Illegal character sequence '{found[0]}'")
        return _ESCAPES[found[1]]

    return re.sub(r"\\(.)", replaced, quoted[1:-1], flags=re.DOTALL)


def _words(statement: str) -> Iterator[Word]:
    at = 0
    end = len(statement.rstrip())
    while at < end:
        found = _WORDS.match(statement, at)
        if found is None or found.lastgroup is None:
            rest = statement[at:].lstrip()
            raise unexpected(statement, Word("sign", rest[:1], len(statement) - len(rest)))
        yield Word(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup))
        at = found.end()
