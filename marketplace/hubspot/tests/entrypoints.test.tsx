// Do the files that HubSpot starts reach the connector through hubspot.fetch?

import { TextArea } from "@hubspot/ui-extensions";
import { createRenderer } from "@hubspot/ui-extensions/testing";
import type { ReactElement } from "react";
import { expect, test, vi } from "vitest";
import { FakeConnector, conversation, ok, settings } from "./doubles";

type Begin = (api: { context: unknown }) => ReactElement;

// What HubSpot puts into a card's worker; the library takes it from there when it is loaded.
const worker = vi.hoisted(() => {
  const held: { begun: Begin[]; fetch: (...asked: never[]) => unknown } = { begun: [], fetch: () => undefined };
  const self = {
    __HUBSPOT_EXTENSION_WORKER__: true,
    extend_V2: (begin: Begin) => held.begun.push(begin),
    hsFetch: (...asked: never[]) => held.fetch(...asked),
  };
  Object.assign(globalThis, { self });
  return held;
});

const fake = new FakeConnector(({ path }) => {
  if (path.startsWith("/settings")) return ok(settings());
  return path.startsWith("/templates") ? ok({ templates: [] }) : ok(conversation());
});
worker.fetch = fake.fetch as typeof worker.fetch;

test("the card asks for the record it stands on", async () => {
  await import("../src/app/cards/ConversationCard");
  const screen = createRenderer("crm.record.sidebar");
  const context = { crm: { objectId: 51, objectTypeId: "0-1" }, user: { locale: "en-us" } };
  screen.render(worker.begun.pop()?.({ context }));
  await screen.waitFor(() => screen.find(TextArea));
  expect(fake.of("GET", "/contacts/51")).toHaveLength(1);
});

test("the settings page asks for this account's settings", async () => {
  await import("../src/app/settings/SettingsPage");
  const screen = createRenderer("settings");
  screen.render(worker.begun.pop()?.({ context: {} }));
  await screen.waitFor(() => screen.find(TextArea));
  expect(fake.of("GET", "/settings")).toHaveLength(1);
});
