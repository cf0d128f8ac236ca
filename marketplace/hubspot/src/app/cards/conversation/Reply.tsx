// How does a rep answer, and what will it cost?

import { Alert, Button, Flex, Inline, LoadingButton, Select, Text, TextArea } from "@hubspot/ui-extensions";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Connector } from "../../shared/connector";
import type { Message, Permission } from "../../shared/wire";
import { type ReplyState, ReplyStore, hindrance } from "./reply_store";
import { saidLength, saidPrice } from "./wording";

interface ReplyProps {
  readonly connector: Connector;
  readonly crmId: string;
  readonly permission: Permission;
  readonly locale: string | undefined;
  readonly onTaken: (message: Message) => void;
  /** The rep does something here. */
  readonly onTouch: () => void;
}

const OWN_WORDS = "";

export function Reply({ connector, crmId, permission, locale, onTaken, onTouch }: ReplyProps) {
  const taken = useRef(onTaken);
  taken.current = onTaken;
  const [store] = useState(() => new ReplyStore({ connector, crmId, onTaken: (message) => taken.current(message) }));
  const state = useSyncExternalStore(store.subscribe, store.current);
  useEffect(() => {
    void store.loadTemplates();
    return () => store.stop();
  }, [store]);
  const isLocked = !permission.may || state.phase !== "composing";
  return (
    <Flex direction="column" gap="small">
      {!permission.may && (
        <Alert title="You cannot text this contact now" variant="warning" testId="may-not">
          {permission.why}
        </Alert>
      )}
      <TemplateChoice
        state={state}
        isLocked={isLocked}
        onChoose={(template) => {
          onTouch();
          store.choose(template);
        }}
      />
      <TextArea
        name="reply"
        label="Reply"
        value={state.template === null ? state.text : (state.preview?.body ?? "")}
        readOnly={isLocked || state.template !== null}
        rows={4}
        onInput={(text) => {
          onTouch();
          store.write(text);
        }}
      />
      <Counter state={state} locale={locale} />
      <Warnings state={state} />
      <Actions state={state} store={store} mayReply={permission.may} />
    </Flex>
  );
}

interface TemplateChoiceProps {
  readonly state: ReplyState;
  readonly isLocked: boolean;
  readonly onChoose: (template: string | null) => void;
}

function TemplateChoice({ state, isLocked, onChoose }: TemplateChoiceProps) {
  if (state.templates.length === 0) return null;
  const options = state.templates.map(({ id, title, locales }) => ({
    label: locales.length === 0 ? title : `${title} (${locales.join(", ")})`,
    value: id,
  }));
  return (
    <Select
      name="template"
      label="Template"
      value={state.template ?? OWN_WORDS}
      options={[{ label: "My own words", value: OWN_WORDS }, ...options]}
      readOnly={isLocked}
      onChange={(value) => onChoose(value === OWN_WORDS ? null : String(value))}
    />
  );
}

/** The connector's count and price once it has answered; until then what the card counts by itself. */
function Counter({ state, locale }: { state: ReplyState; locale: string | undefined }) {
  const { preview, estimate } = state;
  if (preview === null && state.text === "") return null;
  const price = preview?.price ?? null;
  return (
    <Text variant="microcopy" testId="counter">
      {saidLength(preview ?? estimate)}
      {price !== null && `, ${saidPrice(price, locale)}`}
    </Text>
  );
}

function Warnings({ state }: { state: ReplyState }) {
  const said = [...(state.preview?.mistakes ?? []), ...(state.preview?.warnings ?? [])];
  return (
    <>
      {said.map((each) => (
        <Text key={each} format={{ italic: true }}>
          {each}
        </Text>
      ))}
      {state.problem !== null && state.phase === "composing" && (
        <Alert title="Not sent" variant="danger" testId="refused">
          {state.problem.message}
        </Alert>
      )}
    </>
  );
}

interface ActionsProps {
  readonly state: ReplyState;
  readonly store: ReplyStore;
  readonly mayReply: boolean;
}

function Actions({ state, store, mayReply }: ActionsProps) {
  if (state.phase === "unanswered") return <Unanswered state={state} store={store} />;
  const isSending = state.phase === "sending";
  return (
    <Inline gap="small">
      <LoadingButton
        variant="primary"
        loading={isSending}
        disabled={!mayReply || isSending || hindrance(state) !== ""}
        onClick={() => void store.send()}
      >
        Send
      </LoadingButton>
      {state.template !== null && state.preview !== null && (
        <Button variant="secondary" disabled={isSending} onClick={() => store.edit()}>
          Edit as my own words
        </Button>
      )}
    </Inline>
  );
}

/** A refusal here is one of asking again; it says nothing of the first asking. */
function Unanswered({ state, store }: { state: ReplyState; store: ReplyStore }) {
  const { problem } = state;
  const isRefused = problem !== null && !problem.ambiguous;
  return (
    <Alert title="We do not know whether this was sent" variant="warning" testId="unanswered">
      <Text>
        {isRefused
          ? `Asking again was refused: ${problem.message}`
          : "No answer came. Asking again sends it only if it was not sent before: the contact never gets it twice."}
      </Text>
      <Inline gap="small">
        <Button variant="primary" onClick={() => void store.send()}>
          Ask again
        </Button>
        <Button variant="secondary" onClick={() => store.discard()}>
          Leave it
        </Button>
      </Inline>
    </Alert>
  );
}
