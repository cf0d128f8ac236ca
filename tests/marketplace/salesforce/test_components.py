"""Does each Lightning web component use what is there, and is it offered where it works?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.marketplace.salesforce.known import aura_methods, camel, components
from tests.marketplace.salesforce.package import (
    CLASSES,
    COMPONENTS,
    METADATA,
    ROOT,
    SHIPPED,
    children,
    files,
    read,
    text,
    texts,
)

SCRIPTS = sorted(COMPONENTS.glob("*/*.js"))
PAGES = sorted(COMPONENTS.glob("*/*.html"))


def _names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_every_class_and_component_has_its_metadata_and_the_other_way_round() -> None:
    assert {path.stem for path in CLASSES.glob("*.cls")} == set(files("classes"))
    for folder in COMPONENTS.iterdir():
        assert (folder / f"{folder.name}.js-meta.xml").is_file(), folder.name


def test_every_class_has_a_test_and_so_has_every_component() -> None:
    classes = {path.stem for path in CLASSES.glob("*.cls")}
    helpers = {name for name in classes if name.endswith(("Test", "Mock"))}
    assert {f"{name}Test" for name in classes - helpers} == {name for name in helpers if name.endswith("Test")}
    for folder in COMPONENTS.iterdir():
        assert (folder / "__tests__" / f"{folder.name}.test.js").is_file(), folder.name


@pytest.mark.parametrize("path", SCRIPTS, ids=_names(SCRIPTS))
def test_a_component_imports_what_exists(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for imported in re.findall(r"from \"([^\"]+)\"", source):
        kind, _, name = imported.rpartition("/")
        if kind == "@salesforce/apex":
            assert name in aura_methods(), imported
        else:
            assert imported == "lwc" or (kind == "c" and name in components()), imported


def test_components_call_apex_with_the_parameters_it_has() -> None:
    given = {
        "conversation": {"recordId", "before"},
        "templates": {"recordId"},
        "preview": {"recordId", "body", "template"},
        "send": {"recordId", "body", "template", "idempotencyKey"},
        "changeConsent": {"recordId", "action", "wording"},
        "behaviour": set(),
    }
    assert aura_methods() == {f"SMSConversationController.{name}": names for name, names in given.items()}


@pytest.mark.parametrize("path", PAGES, ids=_names(PAGES))
def test_a_page_uses_components_and_attributes_that_exist(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for tag, attributes in re.findall(r"<c-([a-z-]+)([^>]*)>", source):
        assert camel(tag) in components(), tag
        names = [
            name for name in re.findall(r"([a-z-]+)=", attributes) if name != "class" and not name.startswith("on")
        ]
        assert {camel(name) for name in names} <= components()[camel(tag)]


@pytest.mark.parametrize("path", PAGES, ids=_names(PAGES))
def test_a_page_binds_and_handles_what_its_class_has(path: Path) -> None:
    script = path.with_suffix(".js").read_text(encoding="utf-8")
    page = path.read_text(encoding="utf-8")
    loops = set(re.findall(r"for:item=\"(\w+)\"", page))
    bound = {name for name in re.findall(r"{(\w+)[}.]", page) if name not in loops}
    have = {*re.findall(r"^  (?:@api )?(?:async )?(?:get )?(\w+)(?: =|;|\()", script, re.MULTILINE)}
    assert bound <= have, bound - have


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("flexipages/*")), ids=lambda path: path.name)
def test_a_record_page_shows_components_that_are_made_for_it(path: Path) -> None:
    page = read(path)
    ours = [
        name
        for name in texts(page, "flexiPageRegions/itemInstances/componentInstance/componentName")
        if ":" not in name
    ]
    assert ours == ["smsConversation"]
    meta = read(COMPONENTS / "smsConversation/smsConversation.js-meta.xml")
    assert "lightning__RecordPage" in texts(meta, "targets/target")
    assert text(page, "sobjectType") in texts(meta, "targetConfigs/targetConfig/objects/object")
    regions = {text(region, "name") for region in children(page, "flexiPageRegions")}
    properties = texts(page, "flexiPageRegions/itemInstances/componentInstance/componentInstanceProperties/value")
    facets = {value for value in properties if not value.startswith("Standard.Tab.")}
    assert facets | {"header", "main", "sidebar"} == regions


def test_quick_actions_open_a_component_made_for_them() -> None:
    assert {name.partition(".")[0] for name in files("quickActions")} == {"Contact", "Lead"}
    for path in files("quickActions").values():
        component = text(read(path), "lightningWebComponent")
        meta = read(COMPONENTS / component / f"{component}.js-meta.xml")
        assert texts(meta, "targets/target") == ["lightning__RecordAction"]


def test_a_component_is_configured_for_targets_it_has_and_exposed_only_then() -> None:
    for folder in COMPONENTS.iterdir():
        meta = read(folder / f"{folder.name}.js-meta.xml")
        targets = texts(meta, "targets/target") if children(meta, "targets") else []
        configured = [each.get("targets") for each in meta.iter(f"{{{METADATA}}}targetConfig")]
        assert configured == targets
        assert text(meta, "isExposed") == ("true" if targets else "false")
