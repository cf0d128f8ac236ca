"""How many CRM calls does a text cost, from its first appearance on the timeline to its delivery?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import urlencode

from bench.report import Figure
from bench.sending import in_own_process
from bench.texts import Queued, add_contacts, connector_of, queue_texts
from bench.world import PORTAL_ID, TOKEN, World, fetch, free_port, running, smsctl, wait_for
from connector.bootstrap import HUBSPOT, Connector
from connector.ports.gateway import CallbackRequest

_CONTACTS = 50
_BATCH = 100  # as workers do
_PAUSE_SECONDS = 0.1
_FORM = {"content-type": "application/x-www-form-urlencoded"}


def measure(world: World, texts: int) -> list[Figure]:
    """Send texts, write them back, let all be delivered, write that back, and count the calls."""
    gateway, hubspot = free_port(), free_port()
    environment = world.environment(
        "crm", TWILIO_API_URL=f"http://127.0.0.1:{gateway}", HUBSPOT_API_URL=f"http://127.0.0.1:{hubspot}"
    )
    emulator = ("connector.entrypoints.cli", "sandbox", "hubspot", "--port", str(hubspot), "--token", TOKEN)
    with (
        running(world, "gateway", environment, "bench.gateway", str(gateway), "0"),
        running(world, "hubspot", environment, *emulator),
    ):
        wait_for(gateway)
        wait_for(hubspot)
        smsctl(environment, "migrate")
        smsctl(environment, "account", "add", "--external-id", PORTAL_ID, "--token", TOKEN, "--region", "US")
        crm_ids = [_a_contact(f"http://127.0.0.1:{hubspot}") for _ in range(_CONTACTS)]
        calls = in_own_process(_calls, environment, crm_ids, texts)
    return [
        Figure(
            "crm",
            "CRM calls per text",
            calls / texts,
            "",
            aim="≤ 0.1",
            note=f"{texts} texts accepted, shown, delivered, shown again: {calls} calls to the pretend HubSpot",
        )
    ]


def _a_contact(hubspot: str) -> str:
    body = {"properties": {"firstname": "Maya", "mobilephone": "+12025550143"}}
    return str(fetch(f"{hubspot}/_sandbox/records/{PORTAL_ID}/contacts", body)["id"])


def _calls(environment: Mapping[str, str], crm_ids: list[str], texts: int) -> int:
    with connector_of(environment) as connector:
        return _calls_of(connector, crm_ids, texts)


def _calls_of(connector: Connector, crm_ids: list[str], texts: int) -> int:
    with connector.ledger.begin(write=False) as uow:
        account_id = uow.accounts.by_external_ids(HUBSPOT, [PORTAL_ID])[PORTAL_ID]
    ids = queue_texts(connector, Queued(account_id, add_contacts(connector, account_id, crm_ids)), texts)
    hubspot = connector.settings.hubspot_api_url
    before = _count(hubspot)
    while connector.send_path.dispatcher.drain("twilio", "transactional"):
        pass
    _write_back(connector)
    _deliver(connector, ids)
    _write_back(connector)
    return _count(hubspot) - before


def _count(hubspot: str) -> int:
    return sum(fetch(f"{hubspot}/_sandbox/calls").values())


def _write_back(connector: Connector) -> None:
    """Drain the lane as a worker does, until nothing waits any more."""
    while True:
        if connector.writer.write_back(HUBSPOT, _BATCH):
            continue
        with connector.ledger.begin(write=False) as uow:
            if not uow.records.waiting(connector.clock.now()):
                return
        time.sleep(_PAUSE_SECONDS)  # a batch that is not full waits two seconds for company


def _deliver(connector: Connector, message_ids: list[str]) -> None:
    """Take a receipt of delivery for every text, as the web process does, and drain them."""
    with connector.ledger.begin(write=False) as uow:
        attempts = uow.attempts.of_messages(message_ids)
    for attempt in attempts:
        form = {"MessageSid": attempt.provider_message_id, "MessageStatus": "delivered"}
        request = CallbackRequest("POST", connector.status_url("twilio", attempt.id), _FORM, urlencode(form).encode())
        connector.intake.take_callback("twilio", "status", request, attempt.id)
    while connector.send_path.receipts.drain():
        pass
