// What does an admin see and change on the settings page?

import {
  Alert,
  Button,
  ErrorState,
  Input,
  Link,
  LoadingButton,
  LoadingSpinner,
  MultiSelect,
  NumberInput,
  Select,
  StatusTag,
  Text,
  TextArea,
  Toggle,
} from "@hubspot/ui-extensions";
import { createRenderer } from "@hubspot/ui-extensions/testing";
import { expect, test } from "vitest";
import { SettingsView } from "../src/app/settings/SettingsView";
import { SettingsStore } from "../src/app/settings/settings_store";
import { Connector } from "../src/app/shared/connector";
import type { Settings } from "../src/app/shared/wire";
import { FakeConnector, Later, ok, problem, settings, words } from "./doubles";

type Screen = ReturnType<typeof createRenderer<"settings">>;

function keeping(told: Settings = settings()): FakeConnector {
  let kept = told;
  return new FakeConnector(({ method, path, body }) => {
    if (path.startsWith("/journeys/")) {
      kept = { ...kept, journeys: kept.journeys.map((each) => ({ ...each, enabled: body?.["enabled"] === true })) };
    } else if (method === "PATCH") {
      kept = { ...kept, settings: { ...kept.settings, ...(body?.["settings"] as object) } };
    }
    return ok(kept);
  });
}

async function shown(fake: FakeConnector): Promise<Screen> {
  const screen = createRenderer("settings");
  screen.render(<SettingsView connector={new Connector(fake.fetch)} />);
  await screen.waitFor(() => expect(screen.maybeFind(LoadingSpinner)).toBeNull());
  return screen;
}

function save(screen: Screen) {
  return screen.find(LoadingButton);
}

test("each setting is asked for by its kind", async () => {
  const told = settings({
    settings: { region: "US", zone: "Europe/Berlin", limit: 3, quiet: true, senders: ["a"], fields: ["x", "y"] },
    schema: [
      { name: "region", label: "Region", kind: "choice", options: ["US", "GB"], help: "" },
      { name: "zone", label: "Zone", kind: "text", options: [], help: "" },
      { name: "limit", label: "Limit", kind: "number", options: [], help: "" },
      { name: "quiet", label: "Quiet", kind: "switch", options: [], help: "" },
      { name: "senders", label: "Senders", kind: "list", options: ["a", "b"], help: "" },
      { name: "fields", label: "Fields", kind: "list", options: [], help: "" },
    ],
  });
  const screen = await shown(keeping(told));
  expect(screen.find(Select).props.options[1]).toEqual({ value: "GB", label: "GB" });
  expect(screen.find(Input).props.value).toBe("Europe/Berlin");
  expect(screen.find(NumberInput).props.value).toBe(3);
  expect(screen.find(Toggle, { name: "quiet" }).props.checked).toBe(true);
  expect(screen.find(MultiSelect).props.value).toEqual(["a"]);
  expect(screen.find(TextArea).props.value).toBe("x\ny");
});

test("a mapping is written line by line", async () => {
  const field = { name: "opt_out_fields", label: "Opt-out", kind: "map", options: [], help: "" };
  const held = { contact: "my_flag", lead: ["a"] };
  const fake = keeping(settings({ settings: { opt_out_fields: held }, schema: [field] }));
  const screen = await shown(fake);
  expect(screen.find(TextArea).props.value).toBe("contact = my_flag\nlead = a");
  screen.find(TextArea).trigger("onChange", "contact=other, b\n\nlead = c\n= nameless" as never);
  await screen.waitFor(() => expect(save(screen).props.disabled).toBe(false));
  save(screen).trigger("onClick");
  await screen.waitFor(() => expect(fake.of("PATCH")).toHaveLength(1));
  expect(fake.of("PATCH")[0]?.body).toEqual({ settings: { opt_out_fields: { contact: ["other", "b"], lead: ["c"] } } });
});

test("a setting that is a map where it may be a list is asked for as one", async () => {
  const field = { name: "senders", label: "Senders", kind: "list", options: [], help: "" };
  const screen = await shown(keeping(settings({ settings: { senders: { US: ["+12025550110"] } }, schema: [field] })));
  expect(screen.find(TextArea).props.value).toBe("US = +12025550110");
});

test("a map that lines cannot say is shown and not lost", async () => {
  const field = { name: "opt_out_fields", label: "Opt-out", kind: "map", options: [], help: "" };
  const screen = await shown(keeping(settings({ settings: { opt_out_fields: { a: { b: "c" } } }, schema: [field] })));
  expect(screen.maybeFind(TextArea)).toBeNull();
  expect(screen.find(Text, (node) => words(node).startsWith("Opt-out")).text).toBe('Opt-out: {"a":{"b":"c"}}');
});

test("somebody who may not change anything can only look", async () => {
  const screen = await shown(keeping(settings({ may_change: false })));
  expect(screen.maybeFindByTestId(Alert, "read-only")).not.toBeNull();
  expect(screen.find(Input).props.readOnly).toBe(true);
  expect(screen.find(Toggle).props.readOnly).toBe(true);
});

test("a kind from a later connector is shown and not lost", async () => {
  const field = { name: "magic", label: "Magic", kind: "matrix", options: [], help: "" };
  const screen = await shown(keeping(settings({ settings: { magic: { a: 1 } }, schema: [field] })));
  expect(screen.find(Text, (node) => words(node).startsWith("Magic")).text).toBe('Magic: {"a":1}');
});

test("only what was changed is saved", async () => {
  const fake = keeping();
  const screen = await shown(fake);
  expect(save(screen).props.disabled).toBe(true);
  expect(screen.find(TextArea).props.value).toBe("contact = mobilephone, phone");
  screen.find(TextArea).trigger("onChange", "contact = sms_number, mobilephone" as never);
  await screen.waitFor(() => expect(save(screen).props.disabled).toBe(false));
  save(screen).trigger("onClick");
  await screen.waitFor(() => expect(words(screen.getRootNode())).toContain("Saved."));
  expect(fake.of("PATCH").map(({ body }) => body)).toEqual([
    { settings: { phone_fields: { contact: ["sms_number", "mobilephone"] } } },
  ]);
});

test("one property left of a list stays a list", async () => {
  const fake = keeping();
  const screen = await shown(fake);
  screen.find(TextArea).trigger("onChange", "contact = sms_number" as never);
  await screen.waitFor(() => expect(save(screen).props.disabled).toBe(false));
  save(screen).trigger("onClick");
  await screen.waitFor(() => expect(fake.of("PATCH")).toHaveLength(1));
  expect(fake.of("PATCH")[0]?.body).toEqual({ settings: { phone_fields: { contact: ["sms_number"] } } });
});

test("a list is written line by line", async () => {
  const field = { name: "card_admins", label: "Admins", kind: "list", options: [], help: "" };
  const fake = keeping(settings({ settings: { card_admins: ["ann@example.com"] }, schema: [field] }));
  const screen = await shown(fake);
  screen.find(TextArea).trigger("onChange", "ann@example.com\n\n bob@example.com " as never);
  await screen.waitFor(() => expect(save(screen).props.disabled).toBe(false));
  save(screen).trigger("onClick");
  await screen.waitFor(() => expect(fake.of("PATCH")).toHaveLength(1));
  expect(fake.of("PATCH")[0]?.body).toEqual({ settings: { card_admins: ["ann@example.com", "bob@example.com"] } });
});

test("a value changed back is no change", async () => {
  const screen = await shown(keeping());
  screen.find(Input).trigger("onInput", "Europe/Berlin" as never);
  await screen.waitFor(() => expect(save(screen).props.disabled).toBe(false));
  screen.find(Input).trigger("onInput", "America/New_York" as never);
  await screen.waitFor(() => expect(save(screen).props.disabled).toBe(true));
});

test("a value that is not taken says why beside its field, and the draft stays", async () => {
  const fake = keeping();
  const screen = await shown(fake);
  fake.answering = () => problem(422, "invalid", "Not saved.", { errors: { time_zone: "There is no zone “Mars”." } });
  screen.find(Input).trigger("onInput", "Mars" as never);
  await screen.waitFor(() => expect(save(screen).props.disabled).toBe(false));
  save(screen).trigger("onClick");
  await screen.waitFor(() => expect(screen.find(Input).props.validationMessage).toBe("There is no zone “Mars”."));
  expect(screen.find(Input).props).toMatchObject({ error: true, value: "Mars" });
  expect(words(screen.find(Alert))).toContain("Not saved.");
});

test("a journey is switched and shown as the connector then has it", async () => {
  const fake = keeping();
  const screen = await shown(fake);
  const toggle = () => screen.find(Toggle, { name: "journey-demo-booked" });
  toggle().trigger("onChange", false as never);
  await screen.waitFor(() => expect(toggle().props.checked).toBe(false));
  expect(fake.of("PATCH")).toEqual([{ method: "PATCH", path: "/journeys/demo-booked", body: { enabled: false } }]);
});

test("switching a journey keeps what else was changed and not saved", async () => {
  const screen = await shown(keeping());
  screen.find(Input).trigger("onInput", "Europe/Berlin" as never);
  screen.find(Toggle, { name: "journey-demo-booked" }).trigger("onChange", false as never);
  await screen.waitFor(() => expect(screen.find(Toggle).props.checked).toBe(false));
  expect(screen.find(Input).props.value).toBe("Europe/Berlin");
});

test("one journey is switched at a time", async () => {
  const later = new Later();
  const fake = keeping();
  const store = new SettingsStore(new Connector(fake.fetch));
  await store.load();
  fake.answering = () => later.answer;
  const first = store.switchJourney("demo-booked", false);
  await store.switchJourney("demo-booked", true);
  expect(fake.of("PATCH")).toHaveLength(1);
  later.come(ok(settings()));
  await first;
});

test("a second click on save while the first is under way saves nothing", async () => {
  const later = new Later();
  const fake = keeping();
  const store = new SettingsStore(new Connector(fake.fetch));
  await store.load();
  store.edit("time_zone", "Europe/Berlin");
  fake.answering = () => later.answer;
  const first = store.save();
  await store.save();
  later.come(ok(settings()));
  await first;
  expect(fake.of("PATCH")).toHaveLength(1);
});

test("a connected account says so", async () => {
  const screen = await shown(keeping());
  expect(screen.findByTestId(StatusTag, "connection").text).toBe("Connected");
  expect(words(screen.getRootNode())).toContain("Northgate, HubSpot account 62515");
  expect(screen.maybeFind(Link)).toBeNull();
});

test("a disconnected account leads to connecting it again", async () => {
  const account = { ...settings().account, status: "disconnected" };
  const screen = await shown(keeping(settings({ account })));
  expect(screen.findByTestId(StatusTag, "connection").props.variant).toBe("danger");
  expect(screen.find(Link).props.href).toEqual({ url: "https://sms.example.com/install/hubspot", external: true });
});

test("settings that cannot be had are said, and trying again brings them", async () => {
  const fake = new FakeConnector(() => "no answer");
  const screen = await shown(fake);
  fake.answering = keeping().answering;
  expect(words(screen.find(ErrorState))).toContain("cannot be reached");
  screen.find(Button).trigger("onClick");
  await screen.waitFor(() => screen.find(Input));
});
