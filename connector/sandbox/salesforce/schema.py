"""Which standard objects and fields has every org?

Names, lengths and requirements: developer.salesforce.com, Object Reference. Only what a connector for text messages
meets; a field that is not here is refused as one that does not exist.
"""

from connector.sandbox.salesforce.field_kinds import (
    PERCENT_DIGITS,
    boolean,
    date,
    email,
    long_text,
    lookup,
    moment,
    money,
    number,
    phone,
    picklist,
    read_only,
    setup_object,
    standard,
    text,
)
from connector.sandbox.salesforce.fields import Field, ObjectDefinition

_SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")


def standard_objects() -> list[ObjectDefinition]:
    """Fresh definitions: an org changes its own."""
    return [_account(), _contact(), _lead(), _opportunity(), _role(), _case(), _task(), *_people(), *_lists()]


def _owner(*targets: str) -> Field:
    return lookup("OwnerId", *(targets or ("User",)))


def _address(kind: str) -> tuple[Field, ...]:
    return (
        text(f"{kind}Street"),
        text(f"{kind}City", 40),
        text(f"{kind}State", 80),
        text(f"{kind}PostalCode", 20),
        text(f"{kind}Country", 80),
    )


def _person() -> tuple[Field, ...]:
    return (
        text("LastName", 80, is_required=True),
        text("FirstName", 40),
        picklist("Salutation", "Mr.", "Ms.", "Mrs.", "Dr.", "Prof."),
        read_only(text("Name", 121)),
        text("Title", 128),
        email("Email"),
        phone("Phone"),
        phone("MobilePhone"),
        picklist("LeadSource", *_SOURCES),
        boolean("DoNotCall"),
        boolean("HasOptedOutOfEmail"),
        boolean("HasOptedOutOfFax"),
        long_text("Description"),
        read_only(lookup("MasterRecordId", "Contact", "Lead")),
        lookup("IndividualId", "Individual"),
    )


def _account() -> ObjectDefinition:
    return standard(
        "Account",
        "001",
        text("Name", is_required=True),
        phone("Phone"),
        text("Industry", 255),
        *_address("Billing"),
        long_text("Description"),
        read_only(lookup("MasterRecordId", "Account")),
        _owner(),
    )


def _contact() -> ObjectDefinition:
    return standard(
        "Contact",
        "003",
        *_person(),
        lookup("AccountId", "Account"),
        phone("HomePhone"),
        phone("OtherPhone"),
        text("Department", 80),
        *_address("Mailing"),
        _owner(),
    )


def _lead() -> ObjectDefinition:
    return standard(
        "Lead",
        "00Q",
        *_person(),
        text("Company", is_required=True),
        picklist("Status", options_from="LeadStatus", default="Open - Not Contacted"),
        picklist("Rating", "Hot", "Warm", "Cold"),
        *_address(""),
        read_only(boolean("IsConverted")),
        read_only(date("ConvertedDate")),
        read_only(lookup("ConvertedContactId", "Contact")),
        read_only(lookup("ConvertedAccountId", "Account")),
        read_only(lookup("ConvertedOpportunityId", "Opportunity")),
        _owner("User", "Group"),
    )


def _opportunity() -> ObjectDefinition:
    return standard(
        "Opportunity",
        "006",
        text("Name", 120, is_required=True),
        picklist("StageName", options_from="OpportunityStage", is_required=True),
        date("CloseDate", is_required=True),
        money("Amount"),
        Field("Probability", "percent", PERCENT_DIGITS, 2),
        lookup("AccountId", "Account"),
        lookup("ContactId", "Contact", is_updateable=False),
        picklist("Type", "New Customer", "Existing Customer - Upgrade", "Existing Customer - Replacement"),
        picklist("LeadSource", *_SOURCES),
        text("NextStep"),
        long_text("Description"),
        read_only(boolean("IsClosed")),
        read_only(boolean("IsWon")),
        _owner(),
    )


def _role() -> ObjectDefinition:
    return standard(
        "OpportunityContactRole",
        "00K",
        lookup("OpportunityId", "Opportunity", is_required=True, is_updateable=False),
        lookup("ContactId", "Contact", is_required=True),
        picklist("Role", "Decision Maker", "Economic Buyer", "Evaluator", "Influencer", "Other"),
        boolean("IsPrimary"),
    )


def _case() -> ObjectDefinition:
    return standard(
        "Case",
        "500",
        read_only(text("CaseNumber", 30)),
        text("Subject"),
        long_text("Description"),
        picklist("Status", options_from="CaseStatus", default="New"),
        picklist("Priority", "High", "Medium", "Low", default="Medium"),
        picklist("Origin", "Phone", "Email", "Web"),
        picklist("Type", "Mechanical", "Electrical", "Electronic", "Structural", "Other"),
        picklist("Reason", "Installation", "Equipment Complexity", "Performance", "Breakdown", "Other"),
        lookup("ContactId", "Contact"),
        lookup("AccountId", "Account"),
        text("SuppliedName", 80),
        email("SuppliedEmail"),
        text("SuppliedPhone", 40),
        boolean("IsEscalated"),
        read_only(boolean("IsClosed")),
        read_only(moment("ClosedDate")),
        _owner("User", "Group"),
        number_format="{:08d}",
    )


def _task() -> ObjectDefinition:
    return standard(
        "Task",
        "00T",
        lookup("WhoId", "Contact", "Lead"),
        lookup("WhatId", "Account", "Opportunity", "Case"),
        text("Subject"),
        long_text("Description"),
        picklist("Status", options_from="TaskStatus", default="Not Started"),
        picklist("Priority", "High", "Normal", "Low", default="Normal"),
        date("ActivityDate"),
        picklist("Type", "Call", "Meeting", "Other"),
        picklist("TaskSubtype", "Task", "Email", "ListEmail", "Cadence", "Call", default="Task", is_updateable=False),
        picklist("CallType", "Internal", "Inbound", "Outbound"),
        text("CallDisposition"),
        text("CallObject"),
        Field("CallDurationInSeconds", "int", 8),
        boolean("IsReminderSet"),
        moment("ReminderDateTime"),
        read_only(lookup("AccountId", "Account")),
        read_only(boolean("IsClosed")),
        read_only(boolean("IsArchived")),
        read_only(moment("CompletedDateTime")),
        _owner("User", "Group"),
    )


def _people() -> list[ObjectDefinition]:
    user = setup_object(
        "User",
        "005",
        text("Username", 80),
        text("LastName", 80),
        text("FirstName", 40),
        text("Name", 121),
        text("Alias", 8),
        email("Email"),
        phone("Phone"),
        phone("MobilePhone"),
        boolean("IsActive"),
        text("UserType", 40),
        text("TimeZoneSidKey", 40),
        text("LocaleSidKey", 40),
        text("LanguageLocaleKey", 40),
    )
    queue = setup_object("Group", "00G", text("Name", 40), text("DeveloperName", 80), text("Type", 40))
    organization = setup_object(
        "Organization",
        "00D",
        text("Name", 80),
        phone("Phone"),
        text("TimeZoneSidKey", 40),
        text("DefaultLocaleSidKey", 40),
        text("LanguageLocaleKey", 40),
        text("Country", 80),
        text("OrganizationType", 40),
        text("InstanceName", 5),
        text("NamespacePrefix", 15),
        boolean("IsSandbox"),
    )
    return [user, queue, organization]


def _lists() -> list[ObjectDefinition]:
    """Picklists that are rows: what a stage or a status means differs by org."""
    common = (text("ApiName"), text("MasterLabel"), Field("SortOrder", "int", 8))
    closed, default = boolean("IsClosed"), boolean("IsDefault")
    stage = (boolean("IsActive"), closed, boolean("IsWon"), number("DefaultProbability", 3, 2))
    return [
        setup_object("OpportunityStage", "01J", *common, *stage),
        setup_object("TaskStatus", "01K", *common, closed, default),
        setup_object("CaseStatus", "01L", *common, closed, default),
        setup_object("LeadStatus", "01M", *common, boolean("IsConverted"), default),
    ]


# Rows of the lists above in an org nobody changed: (value, closed, won or converted, probability).
STANDARD_LISTS: dict[str, tuple[tuple[str, bool, bool, float], ...]] = {
    "OpportunityStage": (
        ("Prospecting", False, False, 10),
        ("Qualification", False, False, 10),
        ("Needs Analysis", False, False, 20),
        ("Value Proposition", False, False, 50),
        ("Id. Decision Makers", False, False, 60),
        ("Perception Analysis", False, False, 70),
        ("Proposal/Price Quote", False, False, 75),
        ("Negotiation/Review", False, False, 90),
        ("Closed Won", True, True, 100),
        ("Closed Lost", True, False, 0),
    ),
    "TaskStatus": (
        ("Not Started", False, False, 0),
        ("In Progress", False, False, 0),
        ("Completed", True, False, 0),
        ("Waiting on someone else", False, False, 0),
        ("Deferred", False, False, 0),
    ),
    "CaseStatus": (
        ("New", False, False, 0),
        ("Working", False, False, 0),
        ("Escalated", False, False, 0),
        ("Closed", True, False, 0),
    ),
    "LeadStatus": (
        ("Open - Not Contacted", False, False, 0),
        ("Working - Contacted", False, False, 0),
        ("Closed - Converted", False, True, 0),
        ("Closed - Not Converted", False, False, 0),
    ),
}
