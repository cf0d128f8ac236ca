"""Reading policy files with the place of every mistake."""

from pathlib import Path

import pytest

from connector.adapters.yaml_fields import YAMLFields
from connector.errors import ConfigurationError, MappingError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_scalars_stay_what_a_person_wrote(tmp_path: Path) -> None:
    fields = YAMLFields(written(tmp_path, "a: no\nb: 12:30\nc: +12025550143\nd: 0612\ne: [on, ~, 1e3]\n"))
    found = fields.mapping(fields.root, "")
    assert [fields.text(found[key], key) for key in "abcd"] == ["no", "12:30", "+12025550143", "0612"]
    assert fields.texts(found["e"], "e") == ("on", "~", "1e3")
    assert fields.texts(None, "f") == ()
    fields.check()


def test_all_mistakes_are_told_at_once_in_the_files_order(tmp_path: Path) -> None:
    path = written(tmp_path, "a: [x, []]\na: 2\nwindws: {}\nother: {}\nb: {}\n")
    fields = YAMLFields(path)
    found = fields.mapping(fields.root, "", ("missing",), ("a", "b", "windows", "missing"))
    fields.texts(found["a"], "a")
    fields.sequence(found["b"], "b")
    fields.mapping(found["a"], "a")
    with pytest.raises(MappingError) as refused:
        fields.check()
    assert [str(mistake) for mistake in refused.value.mistakes] == [
        f"{path}:1:1: lacks 'missing'",
        f"{path}:1:4: a: expected a mapping (key: value)",
        f"{path}:1:8: a[1]: expected a text",
        f"{path}:2:1: a: is written twice",
        f"{path}:3:1: windws: is no key here (did you mean 'windows'?)",
        f"{path}:4:1: other: is no key here (known are a, b, windows, missing)",
        f"{path}:5:4: b: expected a list",
    ]


def test_an_empty_file_is_a_mistake_of_the_whole_file(tmp_path: Path) -> None:
    fields = YAMLFields(written(tmp_path, "# nothing yet\n"))
    fields.mapping(fields.root, "")
    with pytest.raises(MappingError, match=r"rules.yaml:0:0: expected a mapping"):
        fields.check()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a: [1\nb: 2\n", r"rules\.yaml:2:2: is not YAML: "),
        (b"a: \x07\n", r"rules\.yaml:0:0: is not YAML: "),
        (b"a: \xff\n", "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_yaml_says_where(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=complaint):
        YAMLFields(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yaml:0:0: cannot be read: No such file"):
        YAMLFields(tmp_path / "absent.yaml")
