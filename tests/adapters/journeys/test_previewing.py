"""Texts are shown in every language and with every preview, priced, with what makes them dear and where they end up."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from connector.adapters.previewing import LONGEST, USUAL, Shown, fallen_back, priced, show_texts
from connector.domain.segments import Encoding
from connector.entrypoints.cli.preview_command import preview
from connector.errors import ConfigurationError
from tests.adapters.journeys.conftest import ROOT

JOURNEY = """\
journey: late
purpose: transactional
trigger:
  event: invoice.overdue
variables:
  is_large: invoice.balance_due > 500
steps:
  - send: late/first
  - send:
    text: "{{ account.name }} here"
"""
FIRST = "Hi {{ contact.first_name }}, {{ invoice.balance_due | money }}{{ ', please call' if vars.is_large else '' }}"
PREVIEWS = """\
previews:
  small amount: {invoice: {balance_due: "5", currency: USD}, contact: {first_name: "Łukasz"}}
  nobody: {contact: {first_name: }}
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    mappings, templates = tmp_path / "mappings", tmp_path / "templates"
    shutil.copytree(
        ROOT / "mappings", mappings, ignore=lambda folder, names: names if folder.endswith("journeys") else ()
    )
    (mappings / "journeys" / "late.yaml").write_text(JOURNEY, encoding="utf-8")
    (mappings / "journeys" / "broken.yaml").write_text("journey: [", encoding="utf-8")
    (templates / "late").mkdir(parents=True)
    (templates / "late" / "first.txt.j2").write_text(FIRST, encoding="utf-8")
    (templates / "late" / "first.de.txt.j2").write_text("Hallo {{ contact.first_name }}", encoding="utf-8")
    (templates / "late" / "first.previews.yaml").write_text(PREVIEWS, encoding="utf-8")
    return mappings, templates


def _of(shown: tuple[Shown, ...], preview_name: str, locale: str = "en", text: str = "late/first") -> Shown:
    (found,) = [each for each in shown if (each.preview, each.locale, each.text) == (preview_name, locale, text)]
    return found


def test_every_text_is_shown_in_every_language_with_every_preview(folders: tuple[Path, Path]) -> None:
    shown = show_texts(*folders)
    assert [(each.text, each.locale, each.preview) for each in shown] == [
        *(
            ("late/first", locale, name)
            for locale in ("en", "de")
            for name in (USUAL, "small amount", "nobody", LONGEST)
        ),
        *(("late/steps[1].text", "en", name) for name in (USUAL, LONGEST)),
    ]


def test_variables_follow_the_values_of_a_preview(folders: tuple[Path, Path]) -> None:
    shown = show_texts(*folders)
    assert _of(shown, USUAL).body == "Hi Alexandra, €1,249.50, please call"
    assert _of(shown, "small amount").body == "Hi Łukasz, $5.00"


def test_a_preview_tells_what_makes_a_text_dear(folders: tuple[Path, Path]) -> None:
    small = _of(show_texts(*folders), "small amount")
    assert (small.encoding, small.dear, small.segments) == (Encoding.UCS2, ("Ł",), 1)


def test_a_text_that_cannot_be_shown_says_why(folders: tuple[Path, Path]) -> None:
    nobody = _of(show_texts(*folders), "nobody")
    assert (nobody.body, nobody.segments) == ("", 0)
    assert nobody.mistake == "`contact.first_name` has no value"


def test_a_locale_without_a_text_of_its_own_falls_back(folders: tuple[Path, Path]) -> None:
    shown = show_texts(*folders, "late/first", "fr-CA")
    assert {(each.locale, each.written_in, each.fell_back) for each in shown} == {("fr-CA", "en", True)}
    assert fallen_back(shown) == {"late/first.fr-CA": "fr-CA → fr → en"}


def test_a_region_gets_its_languages_text_in_its_own_formats(folders: tuple[Path, Path]) -> None:
    (folders[1] / "late" / "first.de.txt.j2").write_text("{{ invoice.balance_due | money }}", encoding="utf-8")
    austrian = _of(show_texts(*folders, "late/first", "de-AT"), USUAL, "de-AT")
    assert (austrian.written_in, austrian.fell_back, austrian.body) == ("de", False, "€ 1.249,50")


def test_prices_are_the_gateways_for_the_country(folders: tuple[Path, Path]) -> None:
    gateways = 'prices: {one: {currency: USD, default: "0.05", US: "0.01", source: x, checked_on: 2026-11-21}}'
    (folders[0] / "gateways.yaml").write_text(gateways, encoding="utf-8")
    shown = show_texts(*folders, "late/first")
    assert {each.price.amount for each in priced(shown, folders[0], country="us") if each.price} == {
        Decimal("0.01"),
    }
    assert priced(shown, folders[0])[0].price == priced(shown, folders[0], "one", "DE")[0].price
    with pytest.raises(ConfigurationError, match="no prices for 'two': there are one"):
        priced(shown, folders[0], "two")


def test_without_price_lists_there_is_no_price(folders: tuple[Path, Path]) -> None:
    (folders[0] / "gateways.yaml").unlink()
    assert {each.price for each in priced(show_texts(*folders), folders[0])} == {None}


def test_a_name_that_is_no_text_gets_a_suggestion(folders: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigurationError, match="did you mean `late/first`"):
        show_texts(*folders, "late/frist")
    with pytest.raises(ConfigurationError, match="is no locale"):
        show_texts(*folders, None, "x")


def _run(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    monkeypatch.setenv("MAPPINGS_DIR", str(folders[0]))
    monkeypatch.setenv("TEMPLATES_DIR", str(folders[1]))
    result = CliRunner().invoke(preview, list(arguments))
    return result.exit_code, result.output


def test_the_command_shows_texts_to_people(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = _run(folders, monkeypatch, "late", "--country", "US")
    assert code == 1  # one preview cannot be shown
    assert "late/first\n  en · usual values · GSM-7 · 37 characters · 1 SMS · 0.0083 USD\n" in output
    assert "    | Hi Alexandra, €1,249.50, please call\n" in output
    assert "`Ł` (U+0141) costs UCS-2" in output
    assert "en · nobody · `contact.first_name` has no value" in output
    assert output.endswith("2 texts, shown 10 times; at most 1 SMS.\n")


def test_the_command_tells_fall_backs(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    _, output = _run(folders, monkeypatch, "--locale", "fr")
    assert "fr (gets en) · usual values" in output
    assert "late/first.fr is not there: people get en (fr → en)\n" in output


def test_the_command_writes_json(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    _, output = _run(folders, monkeypatch, "late/first", "--json")
    first = json.loads(output)[0]
    assert first["body"] == "Hi Alexandra, €1,249.50, please call"
    assert first["encoding"] == "gsm7"
    assert first.keys() >= {"journey", "text", "preview", "locale", "fell_back", "segments", "price", "currency"}
