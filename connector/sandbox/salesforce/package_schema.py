"""Which objects and fields does an admin, or the connector's package, add to an org?"""

from collections.abc import Iterable, Mapping

from connector.sandbox.salesforce.field_kinds import (
    boolean,
    date,
    long_text,
    lookup,
    moment,
    money,
    number,
    picklist,
    read_only,
    standard,
    text,
)
from connector.sandbox.salesforce.fields import Field, ObjectDefinition

LONGEST_SMS = 32_768  # a long text area's longest


def install_package(objects: dict[str, ObjectDefinition], namespace: str = "") -> None:
    """Add the text message object and the fields on Contact, Lead and Task; `namespace` prefixes each as `ns__`."""
    prefix = f"{namespace}__" if namespace else ""
    for name in ("Contact", "Lead"):
        objects[name].add(*_person_fields(prefix))
    objects["Task"].add(text(f"{prefix}SMS_Ref__c", 80))
    message = _message(prefix)
    objects[message.name] = message


def uninstall_package(objects: dict[str, ObjectDefinition], namespace: str = "") -> list[str]:
    """Take everything of the package away; names of the objects that went."""
    prefix = f"{namespace}__" if namespace else ""
    gone = {each.name.lower() for each in (*_person_fields(prefix), text(f"{prefix}SMS_Ref__c"))}
    for name in ("Contact", "Lead", "Task"):
        for field_name in gone:
            objects[name].fields.pop(field_name, None)
    name = f"{prefix}SMS_Message__c"
    return [name] if objects.pop(name, None) else []


def invoice_object(
    name: str = "Invoice__c", prefix: str = "a0I", *, fields: Mapping[str, str] | None = None
) -> ObjectDefinition:
    """An invoice object as some billing package might have it; `fields` gives other names to the usual ones."""
    called = dict(fields or {})
    return standard(
        name,
        prefix,
        text("Name", 80, is_required=True),
        picklist(called.get("Status__c", "Status__c"), "Draft", "Open", "Overdue", "Paid", "Void", default="Draft"),
        date(called.get("Due_Date__c", "Due_Date__c")),
        money(called.get("Balance__c", "Balance__c")),
        lookup(called.get("Contact__c", "Contact__c"), "Contact"),
        lookup(called.get("Account__c", "Account__c"), "Account"),
        text("CurrencyIsoCode", 3),
        lookup("OwnerId", "User", "Group"),
    )


def consent_objects() -> list[ObjectDefinition]:
    """What an org has once Data Protection and Privacy is switched on."""
    individual = standard(
        "Individual",
        "0PK",
        text("LastName", 80, is_required=True),
        text("FirstName", 40),
        read_only(text("Name", 121)),
        boolean("HasOptedOutProcessing"),
        boolean("HasOptedOutSolicit"),
        lookup("OwnerId", "User"),
    )
    channel = standard("EngagementChannelType", "0eF", text("Name", is_required=True), lookup("OwnerId", "User"))
    consent = standard(
        "ContactPointTypeConsent",
        "0ZX",
        text("Name", is_required=True),
        lookup("PartyId", "Individual", is_required=True),
        picklist("ContactPointType", "Email", "MailingAddress", "Phone", "Social", "Web"),
        lookup("EngagementChannelTypeId", "EngagementChannelType"),
        picklist("PrivacyConsentStatus", "NotSeen", "OptIn", "OptOut", "Seen"),
        moment("CaptureDate", is_required=True),
        text("CaptureSource", is_required=True),
        picklist("CaptureContactPointType", "Email", "MailingAddress", "Phone", "Social", "Web", is_required=True),
        moment("EffectiveFrom"),
        moment("EffectiveTo"),
        moment("DoubleConsentCaptureDate"),
        lookup("OwnerId", "User"),
    )
    return [individual, channel, consent]


def allow_activities(objects: Mapping[str, ObjectDefinition], *names: str) -> None:
    """Let tasks be related to these objects."""
    what = objects["Task"].fields["whatid"]
    objects["Task"].add(Field(**{**vars(what), "refers_to": (*what.refers_to, *names)}))


def currency_fields(objects: Iterable[ObjectDefinition]) -> None:
    """What an org with several currencies adds to objects that hold amounts, and to the organization."""
    for each in objects:
        if each.name in {"Organization", "Opportunity", "Account", "Contact", "Lead"}:
            each.add(text("CurrencyIsoCode", 3))


def _person_fields(prefix: str) -> tuple[Field, ...]:
    return (
        boolean(f"{prefix}SMS_Opt_Out__c"),
        moment(f"{prefix}SMS_Opt_Out_At__c"),
        text(f"{prefix}SMS_Opt_Out_Source__c"),
        moment(f"{prefix}SMS_Opted_In_At__c"),
        text(f"{prefix}SMS_Handoff__c"),
    )


def _message(prefix: str) -> ObjectDefinition:
    return standard(
        f"{prefix}SMS_Message__c",
        "a0M",
        read_only(text("Name", 80)),
        text(f"{prefix}External_Id__c", 80, is_external_id=True, is_unique=True, is_case_sensitive=True),
        picklist(f"{prefix}Direction__c", "Outbound", "Inbound"),
        Field(f"{prefix}Status__c", "picklist"),  # open: a newer connector may write a newer word
        long_text(f"{prefix}Body__c", LONGEST_SMS),
        text(f"{prefix}From__c", 40),
        text(f"{prefix}To__c", 40),
        number(f"{prefix}Segments__c", 3),
        text(f"{prefix}Error__c"),
        moment(f"{prefix}Sent_At__c"),
        moment(f"{prefix}Delivered_At__c"),
        lookup(f"{prefix}Contact__c", "Contact"),
        lookup(f"{prefix}Lead__c", "Lead"),
        lookup(f"{prefix}Opportunity__c", "Opportunity"),
        lookup(f"{prefix}Case__c", "Case"),
        lookup("OwnerId", "User", "Group"),
        number_format="SMS-{:08d}",
    )
