"""Do both clients still say what their cassettes hold, and do they still understand what they were answered?

Recorded anew by `make cassettes`; see `tests.adapters.crm.cassettes.record`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from vcr.errors import CannotOverwriteExistingCassetteException

from tests.adapters.crm.cassettes import record
from tests.adapters.crm.cassettes.exchanges import dumped, loaded
from tests.adapters.crm.cassettes.scenes import FROM_SANDBOX, SCENES, Scene, words_of
from tests.adapters.crm.cassettes.scrubbing import TellsTooMuchError, demand_clean
from tests.adapters.crm.cassettes.sides import PRETEND, live, sandbox

EACH = pytest.mark.parametrize("scene", SCENES, ids=str)
TOKEN = "pat-eu1-5f3c1e0a-77aa-4c1d-9d4e-8a0b6c2d1e3f"
SOME = next(scene for scene in SCENES if scene.name == "records_are_read")


@EACH
def test_a_scene_plays_from_its_cassette_without_a_network(scene: Scene, socket_disabled: None) -> None:
    scene.replay()


@EACH
def test_what_the_sandbox_would_record_now_is_what_is_kept(scene: Scene) -> None:
    kept = scene.path.read_text(encoding="utf-8")
    if loaded(kept)[0] != FROM_SANDBOX:
        pytest.skip("recorded from a live account")
    assert scene.from_sandbox() == kept


@EACH
def test_a_cassette_holds_nothing_of_anybodys(scene: Scene) -> None:
    _, exchanges = loaded(scene.path.read_text(encoding="utf-8"))
    assert exchanges
    demand_clean(exchanges, PRETEND[scene.crm].known(words_of(scene.crm)))


def test_every_cassette_has_its_scene() -> None:
    folder = Path(record.__file__).parent
    assert set(folder.rglob("*.yaml")) == {scene.path for scene in SCENES}


def changed(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """Let a scene have another cassette, in which something says something else."""
    text = scene.path.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / scene.crm).mkdir()
    (tmp_path / scene.crm / scene.path.name).write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr("tests.adapters.crm.cassettes.scenes.FOLDER", tmp_path)


@pytest.mark.parametrize(("old", "new"), [("amount", "amounts"), ("batch/read", "batch/reads"), ("POST", "PUT")])
def test_a_request_that_is_no_longer_what_was_recorded_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    changed(SOME, tmp_path, monkeypatch, old, new)
    with pytest.raises(CannotOverwriteExistingCassetteException):
        SOME.replay()


def test_a_request_that_is_no_longer_made_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin, exchanges = loaded(SOME.path.read_text(encoding="utf-8"))
    (tmp_path / SOME.crm).mkdir()
    more = dumped([*exchanges, exchanges[-1]], origin)
    (tmp_path / SOME.crm / SOME.path.name).write_text(more, encoding="utf-8")
    monkeypatch.setattr("tests.adapters.crm.cassettes.scenes.FOLDER", tmp_path)
    with pytest.raises(AssertionError):
        SOME.replay()


# -- the command


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command writes, and only what it is asked for."""
    (tmp_path / "hubspot").mkdir()
    monkeypatch.setattr("tests.adapters.crm.cassettes.scenes.FOLDER", tmp_path)
    monkeypatch.setattr(record, "SCENES", (SOME,))
    for name in ("CRM", "TOKEN", "PORTAL", "ORG", "INSTANCE_URL", "REFRESH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_one_command_records_from_the_sandbox(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [record.main(), record.main()] == [0, 0]
    first, again = capsys.readouterr().out.splitlines()
    assert first == "recorded  hubspot/records_are_read, from the sandbox"
    assert again == "as before hubspot/records_are_read, from the sandbox"
    assert (elsewhere / "hubspot" / "records_are_read.yaml").is_file()


def test_the_same_command_records_from_an_account_and_leaves_nothing_there(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The account is a sandbox's that the command knows by its token only."""
    with sandbox("hubspot") as (access, box):
        box.world.tokens.add_static(TOKEN, box.portal)
        monkeypatch.setattr("tests.adapters.crm.cassettes.sides.API_URL", access.url)
        for name, value in {"CRM": "hubspot", "PORTAL": str(box.portal), "TOKEN": TOKEN}.items():
            monkeypatch.setenv(name, value)
        assert record.main() == 0
        assert box.world.list(box.portal, "deals") == []
        assert box.world.calls["hubspot.deals.batch_create"] == 1
    assert capsys.readouterr().out == "recorded  hubspot/records_are_read, from the account\n"
    text = SOME.path.read_text(encoding="utf-8")
    assert "recorded_from: a live account" in text
    assert TOKEN not in text
    SOME.replay()


def test_a_recording_that_tells_too_much_is_refused_and_the_old_one_stays(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    SOME.path.write_text("as it was", encoding="utf-8")
    monkeypatch.setattr(Scene, "from_sandbox", refusing)
    assert record.main() == 1
    assert SOME.path.read_text(encoding="utf-8") == "as it was"
    assert capsys.readouterr().out.startswith("REFUSED   hubspot/records_are_read: the recording still holds a phone")


def refusing(_scene: Scene) -> str:
    raise TellsTooMuchError("the recording still holds a phone number")


@pytest.mark.parametrize(
    "environment",
    [{"CRM": "pipedrive"}, {"TOKEN": "t"}, {"CRM": "hubspot", "TOKEN": "t"}, {"CRM": "salesforce", "TOKEN": "t"}],
)
def test_half_an_account_is_asked_about(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        record.main()


def test_an_organisation_is_recorded_from_at_its_own_address() -> None:
    access = live(
        "salesforce", {"TOKEN": "t", "ORG": "00D5g00000KxyzAEAR", "INSTANCE_URL": "https://x.my.salesforce.com/"}
    )
    assert access is not None
    assert (access.url, access.instance_url) == ("", "https://x.my.salesforce.com")
    assert "x.my.salesforce.com" in access.known(()).hosts
    refreshed = next(scene for scene in SCENES if scene.crm == "hubspot" and scene.is_oauth and not scene.is_provoked)
    assert not refreshed.is_live(replace(PRETEND["hubspot"], refresh_token=""))
