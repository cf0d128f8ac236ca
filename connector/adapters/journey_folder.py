"""What do the files say as they are now, and what is the first thing wrong with each journey that cannot run?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from connector.adapters.check import CheckReport, check
from connector.adapters.yaml_file import files_in
from connector.errors import Mistake


class FreshCheck:
    """Checks the files, and again only after one of them has changed."""

    def __init__(self, mappings_dir: Path, templates_dir: Path) -> None:
        self._folders = mappings_dir, templates_dir
        self._kept: tuple[object, CheckReport] | None = None

    def report(self) -> CheckReport:
        """Give what is right and wrong in the files as they are now."""
        stamp = [
            (str(path), (stat := path.stat()).st_mtime_ns, stat.st_size)
            for folder in self._folders
            for path in sorted(folder.rglob("*.*"))
        ]
        if self._kept is None or self._kept[0] != stamp:
            self._kept = stamp, check(*self._folders)
        return self._kept[1]


def broken_journeys(
    mappings_dir: Path, templates_dir: Path, ready: Collection[str], mistakes: Sequence[Mistake]
) -> Mapping[str, str]:
    """Give the journeys that have a file and cannot run, by id, each with its first mistake on one line.

    Args:
        mappings_dir: with the journeys in its folder `journeys`.
        templates_dir: with the texts of each journey in a folder of its name.
        ready: ids of those that can run.
        mistakes: all that a check found.
    """
    paths, _ = files_in(mappings_dir / "journeys")
    return {path.stem: _first(path, templates_dir, mistakes) for path in paths if path.stem not in ready}


def _first(path: Path, templates_dir: Path, mistakes: Sequence[Mistake]) -> str:
    """Give the first mistake of the file, else of its texts, else one that keeps every journey out."""
    errors = [mistake for mistake in mistakes if mistake.severity == "error"]
    of_file = [mistake for mistake in errors if Path(mistake.file) == path]
    of_texts = [mistake for mistake in errors if Path(mistake.file).is_relative_to(templates_dir / path.stem)]
    found = next(iter([*of_file, *of_texts, *errors]), None)
    return f"{path}: cannot run" if found is None else str(found)
