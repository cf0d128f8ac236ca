"""Which of an account's settings name contact properties, or values of them, that can never say anything?

What is wrong here would count as "not opted out" or "has no number", and nobody would be told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.adapters.crm.hubspot.phones import chosen_phones
from connector.adapters.crm.hubspot.properties import Definition, Definitions
from connector.domain.opt_out_fields import SETTING, TRUE, OptOutField, opt_out_fields

_CHECKBOX = frozenset({"true", "false"})
_TIMES = frozenset({"date", "datetime"})
_NO_TEXTS = _TIMES | {"number", "bool", "enumeration"}
_MOST_SHOWN = 12  # options of a list in a message; a longer list is looked at in HubSpot


def mistakes_in(settings: Mapping[str, Any], known: Definitions) -> dict[str, str]:
    """Say what is wrong with the settings that name properties, by setting; empty when nothing is."""
    found = {
        SETTING: [_wrong_flag(each, known) for each in opt_out_fields(settings)],
        "phone_fields": [*_wrong_phones(chosen_phones(settings), known)],
    }
    told = {setting: "; ".join(filter(None, mistakes)) for setting, mistakes in found.items()}
    return {setting: mistakes for setting, mistakes in told.items() if mistakes}


def _wrong_flag(flag: OptOutField, known: Definitions) -> str:
    name = flag.property_name
    if flag.object_type != "contact":
        return f"{flag.object_type}: in HubSpot only contacts are people with numbers"
    if name not in known:
        return _unknown(name)
    return _never_said(flag, known[name])


def _never_said(flag: OptOutField, held: Definition) -> str:
    """Say why a property never has one of the values that mean "opted out"; empty where it may."""
    if held.kind in _TIMES:
        return f"{held.name} holds a time, which says neither yes nor no"
    if held.kind == "bool":
        is_fit = flag.values == TRUE or {each.casefold() for each in flag.values} <= _CHECKBOX
        return "" if is_fit else f"{held.name} is a checkbox: its values are true and false"
    if held.kind != "enumeration" or not held.options:
        return ""
    if flag.values == TRUE:
        return "" if "true" in held.options else f"{held.name} is a list: say which of {_options(held)} mean it"
    # As they are, capitals included: HubSpot's search for opt-outs that no webhook told of looks for nothing else.
    return "" if set(flag.values) <= set(held.options) else f"the values of {held.name} are {_options(held)}"


def _wrong_phones(names: tuple[str, ...], known: Definitions) -> Iterator[str]:
    for number, name in enumerate(names):
        if name not in known:
            yield _unknown(name)
        elif known[name].kind in _NO_TEXTS:
            yield f"{name} holds no text, and so no number as people type it"
        elif number == 0 and not known[name].may_write:
            yield f"{name} cannot be written: name another first, for new contacts get their number there"


def _unknown(name: str) -> str:
    return f"contacts have no property {name}: expected the internal name, as HubSpot's settings show it"


def _options(held: Definition) -> str:
    return ", ".join(held.options[:_MOST_SHOWN]) + (" …" if len(held.options) > _MOST_SHOWN else "")
