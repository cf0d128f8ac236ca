"""How is a policy file read field by field, keeping the place of every mistake?

PyYAML's node graph is used as it is, so every scalar is the text a person wrote: `no`, `12:30` and `+1555…` included.
"""

import difflib
from collections.abc import Collection
from pathlib import Path

import yaml

from connector.errors import MappingError, Mistake


class YAMLFields:
    """Reads one file; collects mistakes instead of stopping at the first."""

    def __init__(self, path: Path) -> None:
        self._file = str(path)
        self._mistakes: list[Mistake] = []
        self.root = self._compose(path)

    def _compose(self, path: Path) -> yaml.Node | None:
        try:
            node: yaml.Node | None = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError as exc:
            raise self._alone(0, 0, f"cannot be read: {exc.strerror}") from exc
        except UnicodeDecodeError as exc:
            raise self._alone(0, 0, "is not UTF-8 text") from exc
        except yaml.MarkedYAMLError as exc:
            mark = exc.problem_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            raise self._alone(line, column, f"is not YAML: {exc.problem}") from exc
        except yaml.YAMLError as exc:
            raise self._alone(0, 0, f"is not YAML: {exc}") from exc
        return node

    def _alone(self, line: int, column: int, message: str) -> MappingError:
        return MappingError([Mistake(self._file, line, column, "", message)])

    def mistake(self, node: yaml.Node | None, path: str, message: str, suggestion: str | None = None) -> None:
        """Note a mistake at a node, or about the whole file."""
        line, column = (node.start_mark.line + 1, node.start_mark.column + 1) if node else (0, 0)
        self._mistakes.append(Mistake(self._file, line, column, path, message, suggestion))

    def check(self) -> None:
        """Raise MappingError with every mistake noted so far, in the file's order; do nothing without any."""
        if self._mistakes:
            raise MappingError(sorted(self._mistakes, key=lambda found: (found.line, found.column)))

    def mapping(
        self,
        node: yaml.Node | None,
        path: str,
        required: Collection[str] = (),
        known: Collection[str] | None = None,
    ) -> dict[str, yaml.Node]:
        """Return a mapping's values by key; notes missing, repeated and unknown keys."""
        if not isinstance(node, yaml.MappingNode):
            self.mistake(node, path, "expected a mapping (key: value)")
            return {}
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = str(key_node.value)
            if key in found:
                self.mistake(key_node, _below(path, key), "is written twice")
            elif known is not None and key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(known)
                self.mistake(key_node, _below(path, key), "is no key here", hint)
            else:
                found[key] = value
        for key in required:
            if key not in found:
                self.mistake(node, path, f"lacks {key!r}")
        return found

    def sequence(self, node: yaml.Node, path: str) -> list[tuple[yaml.Node, str]]:
        """Return a list's items, each with its path."""
        if not isinstance(node, yaml.SequenceNode):
            self.mistake(node, path, "expected a list")
            return []
        return [(item, f"{path}[{index}]") for index, item in enumerate(node.value)]

    def text(self, node: yaml.Node, path: str) -> str:
        """Return a scalar as the text that was written, without surrounding space; notes an empty one."""
        value = node.value.strip() if isinstance(node, yaml.ScalarNode) else ""
        if not value:
            self.mistake(node, path, "expected a text")
        return value

    def texts(self, node: yaml.Node | None, path: str) -> tuple[str, ...]:
        """Return a list of texts; empty when the key is left out."""
        if node is None:
            return ()
        return tuple(self.text(item, where) for item, where in self.sequence(node, path))


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
