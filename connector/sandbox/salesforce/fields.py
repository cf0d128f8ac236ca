"""What is a field of a Salesforce object, and how does a describe call tell of it?"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LONGEST_INDEXED_TEXT = 255  # longer text areas can neither be filtered nor sorted in SOQL

_SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "int": "xsd:int",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
}


@dataclass(frozen=True)
class Field:
    """One field. `type` is the describe call's word; `length` counts characters, or digits before the point.

    `options_from` names the setup object whose rows are the values of a picklist, so that an org may have its own.
    `relationship` is the name under which SOQL reaches the record referred to. `is_case_sensitive` matters for
    unique external ids only.
    """

    name: str
    type: str = "string"
    length: int = LONGEST_INDEXED_TEXT
    scale: int = 0
    is_required: bool = False
    is_createable: bool = True
    is_updateable: bool = True
    refers_to: tuple[str, ...] = ()
    relationship: str | None = None
    options: tuple[str, ...] = ()
    options_from: str | None = None
    is_restricted: bool = False
    default: Any = None
    is_external_id: bool = False
    is_unique: bool = False
    is_case_sensitive: bool = False
    label: str = ""

    @property
    def is_custom(self) -> bool:
        """Whether an admin or a package added it."""
        return self.name.endswith("__c")

    @property
    def is_filterable(self) -> bool:
        """Whether SOQL may compare it."""
        return self.type != "textarea" or self.length <= LONGEST_INDEXED_TEXT

    @property
    def is_multiple(self) -> bool:
        """Whether it holds several choices at once, with semicolons between."""
        return self.type == "multipicklist"

    @property
    def is_text(self) -> bool:
        """Whether its value is kept as text that SOQL writes in quotes."""
        return self.type not in _SOAP_TYPES

    def describe(self, options: Iterable[str]) -> dict[str, Any]:
        """The field as a describe call shows it; `options` are the picklist values it has in the org."""
        is_text = self.is_text or self.type in {"id", "reference"}
        return {
            "name": self.name,
            "label": self.label or self.name.removesuffix("__c").replace("_", " "),
            "type": self.type,
            "soapType": _SOAP_TYPES.get(self.type, "xsd:string"),
            "length": self.length if is_text else 0,
            "precision": 0 if is_text else self.length + self.scale if self.type in {"double", "currency"} else 0,
            "scale": self.scale,
            "nillable": not self.is_required and self.type not in {"boolean", "id"},
            "createable": self.is_createable,
            "updateable": self.is_updateable,
            "filterable": self.is_filterable,
            "sortable": self.is_filterable,
            "custom": self.is_custom,
            "externalId": self.is_external_id,
            "idLookup": self.is_external_id or self.type == "id",
            "unique": self.is_unique,
            "caseSensitive": self.is_case_sensitive,
            "calculated": False,
            "autoNumber": False,
            "defaultedOnCreate": self.default is not None,
            "defaultValue": self.default,
            "restrictedPicklist": self.is_restricted,
            "picklistValues": [
                {"active": True, "defaultValue": value == self.default, "label": value, "value": value}
                for value in options
            ],
            "referenceTo": list(self.refers_to),
            "relationshipName": self.relationship,
            "polymorphicForeignKey": len(self.refers_to) > 1,
            "deprecatedAndHidden": False,
        }


@dataclass
class ObjectDefinition:
    """An object of one org: its fields by their lower case names, since Salesforce does not mind the case."""

    name: str
    prefix: str
    fields: dict[str, Field] = field(default_factory=dict)
    is_createable: bool = True
    is_updateable: bool = True
    is_deletable: bool = True
    label: str = ""
    number_format: str = ""

    @property
    def is_custom(self) -> bool:
        """Whether an admin or a package added it."""
        return self.name.endswith("__c")

    def add(self, *fields: Field) -> None:
        """Add fields, or replace those of the same name."""
        for each in fields:
            self.fields[each.name.lower()] = each

    def field(self, name: str) -> Field | None:
        """The field of that name, whatever its case."""
        return self.fields.get(name.lower())

    def relationship(self, name: str) -> Field | None:
        """The reference field that SOQL follows under this name."""
        wanted = name.lower()
        return next((f for f in self.fields.values() if f.relationship and f.relationship.lower() == wanted), None)

    def summary(self) -> dict[str, Any]:
        """The object as the list of all objects shows it."""
        label = self.label or self.name.removesuffix("__c").replace("_", " ")
        return {
            "name": self.name,
            "label": label,
            "labelPlural": f"{label}s",
            "keyPrefix": self.prefix,
            "custom": self.is_custom,
            "createable": self.is_createable,
            "updateable": self.is_updateable,
            "deletable": self.is_deletable,
            "queryable": True,
            "retrieveable": True,
            "searchable": self.is_createable,
            "triggerable": self.is_createable,
            "undeletable": self.is_deletable,
            "deprecatedAndHidden": False,
        }
