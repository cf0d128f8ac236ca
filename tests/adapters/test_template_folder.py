"""Is a template found by its name in the closest language, and nothing outside of its folder?"""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.adapters.rendering import Renderer
from connector.adapters.template_folder import TemplateFolder
from connector.errors import ConditionError


@pytest.fixture
def folder(tmp_path: Path) -> TemplateFolder:
    root = tmp_path / "templates"
    (root / "shop" / "open").mkdir(parents=True)
    (root / "shop" / "ready.txt.j2").write_text("Ready: {{ order }}")
    (root / "shop" / "ready.de.txt.j2").write_text("Fertig: {{ order }}")
    (root / "shop" / "ready-soon.txt.j2").write_text("Soon")
    (root / "shop" / "open" / "late.txt.j2").write_text("Late")
    (tmp_path / "secret.txt.j2").write_text("s3cret")
    return TemplateFolder(root, Renderer())


def test_the_closest_language_is_chosen(folder: TemplateFolder) -> None:
    assert folder.render("shop/ready", {"order": "7"}).text == "Ready: 7"
    found = folder.render("shop/ready", {"order": "7"}, locale="de-AT")
    assert (found.text, found.template) == ("Fertig: 7", "shop/ready.de.txt.j2")


def test_a_name_that_another_begins_with_is_its_own(folder: TemplateFolder) -> None:
    assert folder.render("shop/ready-soon", {}, locale="de").text == "Soon"


def test_folders_may_lie_in_folders(folder: TemplateFolder) -> None:
    assert folder.render("shop/open/late", {}).text == "Late"


@pytest.mark.parametrize(
    "name",
    ["../secret", "shop/../../secret", "/etc/passwd", "shop", "", "shop/ready.de", "shop/*", "shop//ready", "a/b\n"],
)
def test_a_name_leads_nowhere_else(folder: TemplateFolder, name: str) -> None:
    with pytest.raises(ConditionError, match="folder and file"):
        folder.render(name, {})


def test_what_is_not_there_and_what_lacks_a_value_is_told(folder: TemplateFolder) -> None:
    with pytest.raises(ConditionError, match="no template"):
        folder.render("shop/unheard-of", {})
    with pytest.raises(ConditionError, match="order"):
        folder.render("shop/ready", {})


def test_a_changed_file_is_read_anew(folder: TemplateFolder, tmp_path: Path) -> None:
    folder.render("shop/ready", {"order": "7"})
    (tmp_path / "templates" / "shop" / "ready.txt.j2").write_text("Changed")
    assert folder.render("shop/ready", {}).text == "Changed"
