"""Do the commands that pages show really print what the pages say?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, pages
from tests.docs.playing import commands_of, is_as_said
from tests.docs.refresh import refreshed
from tests.docs.stage import SCENES, play, settings

_PLAYED = [page for page in pages() if any(commands_of(page))]


@pytest.mark.parametrize("page", _PLAYED, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_print_what_it_says(
    page: Path, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in settings(tmp_path, redis_url).items():
        monkeypatch.setenv(name, value)
    for said, printed in play(page, tmp_path):
        hint = "run: .venv/bin/python -m tests.docs.refresh, and read what has changed"
        assert is_as_said(printed, said.output), f"{said.fence}: {said.command}\n{printed}\n{hint}"


def test_every_scene_is_played() -> None:
    assert {said.scene for page in _PLAYED for said in commands_of(page)} - {""} == SCENES.keys()


def test_a_line_that_is_not_printed_is_noticed_and_an_ellipsis_stands_for_what_varies() -> None:
    printed = "one\ntwo at 10:15\nthree\nfour\n"
    assert is_as_said(printed, "one\ntwo at …\n…\nfour\n")
    assert is_as_said(printed, "…")
    assert not is_as_said(printed, "one\ntwo at …\nfour\n")
    assert not is_as_said(printed, "one\n…\nfive\n")


def test_only_what_is_no_longer_printed_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ smsctl one\nstill …\n$ smsctl two\nold\n```\n", encoding="utf-8")
    printed = dict(zip(commands_of(page), ("still so\n", f"new {'word ' * 40}\n"), strict=True))
    assert refreshed(page, list(printed.items())) == (
        "```console\n$ smsctl one\nstill …\n$ smsctl two\nnew " + ("word " * 40)[:111].rstrip() + "…\n```\n"
    )
