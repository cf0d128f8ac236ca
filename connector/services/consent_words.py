"""Whose word about being texted takes back whose, and how is it told?"""

from __future__ import annotations

from collections.abc import Mapping

from connector.ports.consents import BY_STAFF, Mechanism, Scope

MAY_LIFT: Mapping[Mechanism, frozenset[Mechanism]] = {
    # The person takes back their own word, never a block by the staff; the staff never take back the person's.
    # What a file says was the person's word too, and no file takes it back.
    Mechanism.KEYWORD: frozenset({Mechanism.KEYWORD, Mechanism.GATEWAY, Mechanism.IMPORT}),
    Mechanism.GATEWAY: frozenset({Mechanism.KEYWORD, Mechanism.GATEWAY, Mechanism.IMPORT}),
    Mechanism.CRM_PROPERTY: BY_STAFF,
    Mechanism.STAFF: BY_STAFF,
    Mechanism.API: frozenset({Mechanism.API}),
    Mechanism.DOUBLE_OPT_IN: frozenset(),
    Mechanism.IMPORT: frozenset(),
}

HOW: Mapping[Mechanism, str] = {
    Mechanism.KEYWORD: "by a keyword",
    Mechanism.GATEWAY: "says the gateway",
    Mechanism.CRM_PROPERTY: "by the flag in the CRM",
    Mechanism.API: "by a program",
    Mechanism.DOUBLE_OPT_IN: "by a confirmed opt-in",
    Mechanism.STAFF: "recorded by staff",
    Mechanism.IMPORT: "in an imported file",
}

SPEAKS_FOR_OTHERS: Mapping[str, str] = {
    Mechanism.CRM_PROPERTY: "the flag was taken off in the CRM",
    Mechanism.API: "a program asks for texts again",
    Mechanism.STAFF: "staff recorded that they want texts again",
}
"""Mechanisms by which somebody else than the person speaks, and how it is told that they take their block back."""

OF_SCOPE: Mapping[Scope, str] = {Scope.ALL: "", Scope.MARKETING: "of marketing "}
