"""YAML as admins write it: texts stay texts, and each trap is named where it is."""

from pathlib import Path

import pytest

from connector.adapters.yaml_file import read_file, read_yaml
from connector.errors import MappingError, Mistake

HERE = "⟦"  # marks the place a mistake is expected at


def _only_mistake(marked: str) -> tuple[Mistake, int, int]:
    text = marked.replace(HERE, "")
    before = marked[: marked.index(HERE)]
    with pytest.raises(MappingError) as caught:
        read_yaml(text, "x.yaml")
    (mistake,) = caught.value.mistakes
    return mistake, before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(
    ("marked", "message", "suggestion"),
    [
        ("title: ⟦{{ contact.name }}\n", "begins with `{{` must stand in quotes", 'write "{{ contact.name }}"'),
        ("title: ⟦{{ contact.name }} is here\n", "must stand in quotes", 'write "{{ contact.name }} is here"'),
        ("a: 1\ntitle: ⟦{% if x %}y{% endif %}\n", "begins with `{%` must stand in quotes", None),
        ("- ⟦{{ a }}: b\n", "begins with `{{` must stand in quotes", None),
        ("title: ⟦Invoice #12 is late\n", "` #12 is late` on for a comment", 'write title: "Invoice #12 is late"'),
        ("title:⟦ #12\n", "for a comment", 'write title: "#12"'),
        ("- ⟦Invoice #12\n", "for a comment", 'write "Invoice #12"'),
        ("steps:\n⟦\t- send: x\n", "indented with a tab", "use two spaces"),
        ("title: ⟦Reminder: pay now\nb: c\n", "a text with `: ` in it", 'write title: "Reminder: pay now"'),
        ("journey:⟦x\ntitle: y\n", "a space is missing after the colon", "write journey: x"),
        ("title: 'it'⟦s here'\n", "the quotes end before the text does", None),
        ('title: ⟦"never closed\nb: c\n', "this quote is never closed", None),
        ('title: "a ⟦\\q"\n', "has no meaning inside double quotes", None),
        ("title: ⟦@home\n", "begins with `@` must stand in quotes", 'write "@home"'),
        ("title: ⟦*bold*\n", "begins with `*` must stand in quotes", 'write "*bold*"'),
        ("title: ⟦!important x\n", "YAML tags", "put a text that begins with ! in quotes"),
        ("a: ⟦&x 1\n", "anchors and aliases", None),
        ("a: 1\n⟦a: 2\n", "`a` stands here twice: the first one is in line 1", None),
        ("a: {b: 1, ⟦b: 2}\n", "`b` stands here twice", None),
        ("steps:\n  - a\n ⟦b: c\n", "does not fit the lines above it", None),
        ("a: ⟦- b\n", "a list (`-`) cannot begin here", None),
        ("a: ⟦[1, 2\nb: c\n", "the bracket opened here is not closed", None),
        ("a: b\n⟦---\nc: d\n", "a second document", None),
        ("a: ⟦\x07\n", "control character", None),
        ("? ⟦[a, b]\n: c\n", "a key must be one word", None),
    ],
)
def test_a_trap_is_named_at_its_line_and_column(marked: str, message: str, suggestion: str | None) -> None:
    mistake, line, column = _only_mistake(marked)
    assert (mistake.line, mistake.column) == (line, column)
    assert message in mistake.message
    if suggestion:
        assert suggestion in (mistake.suggestion or "")


def test_all_repeated_keys_are_told_at_once() -> None:
    with pytest.raises(MappingError) as caught:
        read_yaml("a: 1\na: 2\nb:\n  c: 1\n  c: 2\n", "x.yaml")
    assert [(mistake.line, mistake.path) for mistake in caught.value.mistakes] == [(2, "a"), (5, "b.c")]


def test_an_alias_is_refused_where_it_is_used_and_where_it_is_made() -> None:
    with pytest.raises(MappingError) as caught:
        read_yaml("a: &x {b: 1}\nc: *x\n", "x.yaml")
    assert [mistake.line for mistake in caught.value.mistakes] == [1, 2]


@pytest.mark.parametrize("text", ["no", "12:30", "+12025550143", "0612345670", "2026-11-20", "1e3", "null", "~", "on"])
def test_every_plain_value_stays_the_text_that_was_written(text: str) -> None:
    assert read_yaml(f"key: {text}\n", "x.yaml").value == {"key": text}


def test_a_key_without_a_value_and_an_empty_text_are_told_apart() -> None:
    assert read_yaml("a:\nb: ''\n", "x.yaml").value == {"a": None, "b": ""}


def test_a_comment_with_a_space_is_a_comment() -> None:
    assert read_yaml("a: b # really\n", "x.yaml").value == {"a": "b"}


def test_a_hash_inside_quotes_is_text() -> None:
    assert read_yaml('a: "Invoice #12" # fine\n', "x.yaml").value == {"a": "Invoice #12"}


def test_deep_nesting_is_refused_rather_than_followed() -> None:
    with pytest.raises(MappingError, match="nested deeper than"):
        read_yaml("a: " + "[" * 5_000 + "]" * 5_000, "x.yaml")


def test_a_huge_file_is_refused_unread() -> None:
    with pytest.raises(MappingError, match="is larger than"):
        read_yaml("a: b\n" * 200_000, "x.yaml")


def test_a_block_text_is_found_below_its_mark() -> None:
    document = read_yaml("text: |\n  Hello\n  {{ contact.nme }}\n", "x.yaml")
    found = document.find(("text",), "contact.nme", 2)
    assert (found.line, found.column) == (3, 6)


def test_something_missing_is_placed_at_what_is_around_it() -> None:
    document = read_yaml("a: 1\ntrigger:\n  where: x\n", "x.yaml")
    assert document.spot(("trigger", "event")).line == 2


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("\ufeffa: 1\r\nb: 2\r\n".encode())
    document = read_file(path)
    assert document.value == {"a": "1", "b": "2"}
    assert document.spot(("b",), key=True).line == 2


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: 1\nb: \xfcber\n")
    with pytest.raises(MappingError) as caught:
        read_file(path)
    assert (caught.value.mistakes[0].line, "UTF-8" in caught.value.mistakes[0].message) == (2, True)
