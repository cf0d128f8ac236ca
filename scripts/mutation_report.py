"""How many of the changes that mutmut made to each module did a test notice?"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

_META = Path("mutants/connector/domain")
_SURVIVED, _UNTESTED = 0, 33
_OUT_OF_TIME = {36, 24, -24, 152}
"""Exit codes as mutmut keeps them; every other one is a test that failed. A change that makes a test hang is killed."""

_ROW = "{:24} {:>7} {:>8} {:>8} {:>8} {:>8}"


def main() -> None:
    """Print a table."""
    total: Counter[str] = Counter()
    print(_ROW.format("module", "killed", "survived", "untested", "not run", "share"))
    for path in sorted(_META.glob("*.py.meta")):
        counts = Counter(_word(code) for code in json.loads(path.read_text())["exit_code_by_key"].values())
        total += counts
        if counts:
            _show(path.name.removesuffix(".py.meta"), counts)
    _show("all", total)


def _word(code: int | None) -> str:
    if code is None:
        return "not run"
    if code in _OUT_OF_TIME:
        return "killed"
    return {_SURVIVED: "survived", _UNTESTED: "untested"}.get(code, "killed")


def _show(name: str, counts: Counter[str]) -> None:
    run = counts.total() - counts["not run"]
    share = f"{counts['killed'] / run:.1%}" if run else ""
    print(_ROW.format(name, *(counts[word] for word in ("killed", "survived", "untested", "not run")), share))


if __name__ == "__main__":
    main()
