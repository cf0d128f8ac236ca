"""How are the fields of an object written down in one line each?"""

from typing import Any

from connector.sandbox.salesforce.fields import Field, ObjectDefinition

LONG_TEXT = 32_000  # characters of a standard Description
PERCENT_DIGITS = 3
MONEY_DIGITS = 16  # before the point
LONGEST_CHOICES = 4_099  # characters of everything chosen in one multi-select picklist


def text(name: str, length: int = 255, **more: Any) -> Field:
    """A line of text."""
    return Field(name, "string", length, **more)


def long_text(name: str, length: int = LONG_TEXT, **more: Any) -> Field:
    """A text area, which SOQL cannot filter when it may be longer than 255."""
    return Field(name, "textarea", length, **more)


def phone(name: str) -> Field:
    """A phone number as somebody typed it."""
    return Field(name, "phone", 40)


def email(name: str) -> Field:
    """A mail address."""
    return Field(name, "email", 80)


def boolean(name: str, **more: Any) -> Field:
    """A check box: never null, off unless said."""
    return Field(name, "boolean", 0, **{"default": False, **more})


def date(name: str, **more: Any) -> Field:
    """A day without a zone."""
    return Field(name, "date", 0, **more)


def moment(name: str, **more: Any) -> Field:
    """A point in time."""
    return Field(name, "datetime", 0, **more)


def number(name: str, length: int = 18, scale: int = 0, **more: Any) -> Field:
    """A number with `length` digits before the point and `scale` behind it."""
    return Field(name, "double", length, scale, **more)


def money(name: str, **more: Any) -> Field:
    """An amount in the record's currency."""
    return Field(name, "currency", MONEY_DIGITS, 2, **more)


def picklist(name: str, *options: str, **more: Any) -> Field:
    """A choice. Restricted: the real API takes any value where an admin left a list open, this one takes none."""
    return Field(name, "picklist", 255, options=options, is_restricted=True, **more)


def choices(name: str, *options: str, **more: Any) -> Field:
    """Several choices at once. Restricted, as a single one is."""
    return Field(name, "multipicklist", LONGEST_CHOICES, options=options, is_restricted=True, **more)


def lookup(name: str, *targets: str, **more: Any) -> Field:
    """A reference; SOQL follows it by its name without `Id`, or with `__r` for `__c`."""
    relationship = f"{name[:-3]}__r" if name.endswith("__c") else name.removesuffix("Id")
    return Field(name, "reference", 18, refers_to=targets, relationship=relationship, **more)


def read_only(field: Field) -> Field:
    """The same field, which only Salesforce itself writes."""
    return Field(**{**vars(field), "is_createable": False, "is_updateable": False, "is_required": False})


def system_fields() -> tuple[Field, ...]:
    """What every record carries and nobody writes."""
    return tuple(
        read_only(each)
        for each in (
            Field("Id", "id", 18),
            boolean("IsDeleted"),
            moment("CreatedDate"),
            lookup("CreatedById", "User"),
            moment("LastModifiedDate"),
            lookup("LastModifiedById", "User"),
            moment("SystemModstamp"),
        )
    )


def standard(name: str, prefix: str, *fields: Field, **more: Any) -> ObjectDefinition:
    """An object with the system's fields and these."""
    definition = ObjectDefinition(name, prefix, **more)
    definition.add(*system_fields(), *fields)
    return definition


def setup_object(name: str, prefix: str, *fields: Field) -> ObjectDefinition:
    """An object the API may read and nobody writes through it."""
    return standard(name, prefix, *fields, is_createable=False, is_updateable=False, is_deletable=False)
