"""The file of channels, and the mistakes it can hold."""

from pathlib import Path

import pytest

from connector.adapters.channel_file import load_channels
from connector.errors import MappingError
from connector.ports.channels import ChannelKind

ROOT = Path(__file__).parents[2]

GOOD = """\
channels:
  sales-team:
    kind: slack
    url: env CHANNEL_SALES
  office:
    kind: email
    to: [a@example.com, b@example.com]
    from: SMS <sms@example.com>
  shop:
    kind: endpoint
    url: https://shop.example.com/hooks
    secret: env CHANNEL_SHOP
  ops:
    kind: jira
    url: env CHANNEL_JIRA_URL
    user: bot@example.com
    token: env CHANNEL_JIRA_TOKEN
    project: OPS
"""


def _mistakes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "channels.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as refused:
        load_channels(path)
    return [str(mistake).removeprefix(f"{path}:") for mistake in refused.value.mistakes]


def test_options_are_kept_by_the_names_of_the_file_and_secrets_by_their_variables(tmp_path: Path) -> None:
    path = tmp_path / "channels.yaml"
    path.write_text(GOOD, encoding="utf-8")
    found = load_channels(path)
    assert {name: spec.kind for name, spec in found.items()} == {
        "sales-team": ChannelKind.SLACK,
        "office": ChannelKind.EMAIL,
        "shop": ChannelKind.ENDPOINT,
        "ops": ChannelKind.JIRA,
    }
    assert (found["sales-team"].options, found["sales-team"].secrets) == ({}, {"url": "CHANNEL_SALES"})
    assert found["office"].options["from"] == "SMS <sms@example.com>"
    assert found["office"].options["to"] == ("a@example.com", "b@example.com")
    assert found["ops"].secrets == {"url": "CHANNEL_JIRA_URL", "token": "CHANNEL_JIRA_TOKEN"}
    assert (found["shop"].place.line, found["shop"].place.column) == (9, 3)


def test_no_file_means_no_channels(tmp_path: Path) -> None:
    assert load_channels(tmp_path / "channels.yaml") == {}


def test_the_file_that_ships_is_right() -> None:
    assert set(load_channels(ROOT / "mappings" / "channels.yaml")) == {"sales", "support", "billing", "shop"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("kind: slack", "kind: slak", "3:11: channels.sales-team.kind: `slak` is not one of email, slack,"),
        ("url: env CHANNEL_SALES", "url: https://hooks.example.com/T1", "4:10: channels.sales-team.url: is a secret"),
        ("env CHANNEL_SALES", "env SALES", "4:10: channels.sales-team.url: `SALES` is no variable"),
        ("    url: env CHANNEL_SALES\n", "", "2:3: channels.sales-team.url: is missing"),
        ("  sales-team:", "  owner:", "2:3: channels.owner: `owner` means the contact's owner"),
        ("  sales-team:", "  Sales Team:", "2:3: channels.Sales Team: `Sales Team` is no name"),
        ("    to: [a@example.com, b@example.com]\n", "", "5:3: channels.office.to: is missing"),
        ("from: SMS <sms@example.com>", "from: me", "8:11: channels.office.from: `me` is not an e-mail address"),
        ("https://shop.example.com/hooks", "ftp://x", "11:10: channels.shop.url: `ftp://x` is not an address"),
        ("secret: env CHANNEL_SHOP", "secret: hunter2", "12:13: channels.shop.secret: is a secret"),
        ("project: OPS", "project: OPS\n    tokn: env CHANNEL_X", "19:5: channels.ops.tokn: `tokn` is not a key"),
        ("project: OPS", "project: OPS\n    isue: x", "19:5: channels.ops.isue: `isue` is not a key"),
        (GOOD, "channels: [a]\n", "1:11: channels: expected channels by name, found a list"),
        (GOOD, "channels: {a: b}\n", "1:15: channels.a: expected a channel (kind"),
        (GOOD, "chanels: {}\n", "1:1: chanels: `chanels` is not a key of a channel file"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, before: str, after: str, expected: str) -> None:
    assert before in GOOD
    found = _mistakes(tmp_path, GOOD.replace(before, after))
    assert any(mistake.startswith(expected) for mistake in found), found


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example.com/hooks", "its URL does not begin with https://"),
        ("https://10.1.2.3/hooks", "leads into a private or reserved network"),
        ("https://169.254.169.254/latest", "leads into a private or reserved network"),
        ("https://[fd00::1]/hooks", "leads into a private or reserved network"),
        ("http://192.168.0.7/hooks", "its URL does not begin with https://"),
        ("https://me:secret@shop.example.com/", "its URL holds a user name or password"),
        ("https://shop.example.com:22/", "its URL has a port that belongs to another protocol"),
        ("https://[1/hooks", "Invalid IPv6 URL"),
    ],
)
def test_an_address_that_is_never_called_is_a_mistake(tmp_path: Path, url: str, why: str) -> None:
    assert _mistakes(tmp_path, GOOD.replace("https://shop.example.com/hooks", url)) == [
        f"11:10: channels.shop.url: {why} (such as https://shop.example.com/hooks/sms)"
    ]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/x", "http://localhost:9000", "https://[::1]/x"])
def test_an_address_of_this_machine_can_be_read_for_development_and_is_told_by_a_check(
    tmp_path: Path, url: str
) -> None:
    path = tmp_path / "channels.yaml"
    path.write_text(GOOD.replace("https://shop.example.com/hooks", url), encoding="utf-8")
    assert load_channels(path)["shop"].options["url"] == url
    with pytest.raises(MappingError):
        load_channels(path, allows_loopback=False)


def test_a_public_address_may_be_written_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "channels.yaml"
    path.write_text(GOOD.replace("https://shop.example.com/hooks", "https://8.8.8.8/x"), encoding="utf-8")
    assert "shop" in load_channels(path, allows_loopback=False)


def test_a_secret_written_out_is_never_repeated_in_the_mistake(tmp_path: Path) -> None:
    found = _mistakes(
        tmp_path, GOOD.replace("env CHANNEL_SHOP", "hunter2").replace("env CHANNEL_SALES", "https://s3cr3t")
    )
    assert not any("hunter2" in mistake or "s3cr3t" in mistake for mistake in found)


def test_a_mistake_in_one_channel_hides_none_in_another(tmp_path: Path) -> None:
    found = _mistakes(tmp_path, GOOD.replace("kind: slack", "kind: slak").replace("project: OPS", "project: ops!"))
    assert len(found) == 2
