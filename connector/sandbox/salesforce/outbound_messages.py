"""What is an outbound message of an org: where it goes, what it carries and which change fires it?"""

from dataclasses import dataclass

from connector.sandbox.salesforce.changes import Change


@dataclass(frozen=True)
class OutboundMessage:
    """One outbound message and the flow that fires it.

    `fields` are what it carries besides the id. It fires when a record is created (`on_create`) and when one of
    `watched` changes; by default `watched` is what it carries. In a real org the flow is made apart from the message:
    here a message made through the Metadata API is fired by the default flow at once.
    """

    action_id: str
    object_name: str
    name: str
    endpoint_url: str
    fields: tuple[str, ...]
    integration_user: str = ""
    api_version: str = "68.0"
    label: str = ""
    description: str = ""
    is_protected: bool = False
    saved_at: str = ""
    on_create: bool = True
    watched: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """The name the Metadata API gives it."""
        return f"{self.object_name}.{self.name}"

    def is_fired_by(self, change: Change) -> bool:
        """Whether a change of a record sends it."""
        if change.object_name != self.object_name:
            return False
        if change.kind == "created":
            return self.on_create
        return change.kind == "updated" and not change.fields.isdisjoint(self.watched or self.fields)
