"""Which use cases stand behind the cards on contacts' records, and behind the CRM's workflows?"""

from __future__ import annotations

from functools import cached_property

from connector.adapters.crm.hubspot.object_types import our_name
from connector.adapters.rendering import Renderer
from connector.adapters.template_folder import TemplateFolder
from connector.bootstrap.installing_parts import InstallingParts
from connector.bootstrap.outside import HUBSPOT
from connector.ports.workflows import WorkflowCRM
from connector.services.card_consent import CardConsent
from connector.services.card_contacts import CardContacts
from connector.services.card_conversation import CardConversation
from connector.services.card_preview import CardPreviews, PreviewTools
from connector.services.card_reply import CardReplies
from connector.services.card_settings import CardSettings
from connector.services.record_card import CardParts as Parts
from connector.services.record_card import RecordCard
from connector.services.workflow_orders import WorkflowOrders
from connector.services.workflow_running import WorkflowRunner
from connector.services.workflow_texts import WorkflowTexts


class CardParts(InstallingParts):
    """Everything about cards and workflow actions."""

    @cached_property
    def card_contacts(self) -> CardContacts:
        """Finds whose card it is."""
        readable = self.crms.keys() & self.catalogue.by_crm.keys()
        return CardContacts(self.ledger, self._crm_reader, self._keeper, self.catalogue, self.clock, readable)

    @cached_property
    def card_consent(self) -> CardConsent:
        """Shows and records consent."""
        return CardConsent(self._consent, self._compliance, self.clock)

    @cached_property
    def card_conversation(self) -> CardConversation:
        """Shows texts."""
        return CardConversation(self.gateway_book)

    @cached_property
    def card_replies(self) -> CardReplies:
        """Takes answers."""
        return CardReplies(self.single_texts, self.card_consent, self.clock)

    @cached_property
    def record_card(self) -> RecordCard:
        """Puts cards together."""
        parts = Parts(self.card_consent, self.card_conversation, self.card_replies)
        return RecordCard(self.ledger, parts, self.clock)

    @cached_property
    def template_folder(self) -> TemplateFolder:
        """Knows the templates there are; stand-ins take the place of short links."""
        return TemplateFolder(self.settings.templates_dir, Renderer())

    @cached_property
    def card_previews(self) -> CardPreviews:
        """Previews drafts."""
        return CardPreviews(
            PreviewTools(
                templates=self.template_folder,
                book=self.gateway_book,
                compliance=self._compliance,
                gateway=self.settings.gateway,
                first_gateways=self._routes,
            )
        )

    @cached_property
    def card_settings(self) -> CardSettings:
        """Shows and changes settings on the card."""
        return CardSettings(self.ledger, self.account_settings, self.publisher, self.versions, self.journey_files)

    @cached_property
    def workflow_orders(self) -> WorkflowOrders:
        """Takes calls of HubSpot's workflows in."""
        return WorkflowOrders(self.ledger, self.clock, HUBSPOT, self.template_folder.names, our_name)

    @cached_property
    def workflows(self) -> WorkflowRunner:
        """Carries calls of workflows out."""
        texts = WorkflowTexts(self.single_texts, self._keeper, self.catalogue)
        crms = {slug: crm for slug, crm in self.crms.items() if isinstance(crm, WorkflowCRM)}
        return WorkflowRunner(self.ledger, self._crm_reader, texts, crms, self.clock, self.rng)
