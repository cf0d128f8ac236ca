// What does a rep see of a contact's texts?

import {
  Alert,
  Button,
  Divider,
  EmptyState,
  ErrorState,
  Flex,
  Heading,
  Inline,
  Link,
  LoadingSpinner,
  Text,
} from "@hubspot/ui-extensions";
import { useEffect, useState, useSyncExternalStore } from "react";
import { RECONNECT } from "../../shared/address";
import type { Connector } from "../../shared/connector";
import type { Problem } from "../../shared/problem";
import type { Contact, Permission } from "../../shared/wire";
import { ConsentSection } from "./ConsentSection";
import { Messages } from "./Messages";
import { NotSentList } from "./NotSentList";
import { Reply } from "./Reply";
import { ConversationStore } from "./conversation_store";
import type { Visibility } from "./visibility";
import { saidTime } from "./wording";

export interface ConversationProps {
  readonly connector: Connector;
  readonly crmId: string;
  /** The rep's language, such as "en-us"; the browser's where HubSpot tells none. */
  readonly locale?: string | undefined;
  readonly visibility?: Visibility | undefined;
}

/** The whole card. Another contact means another card: give it the contact's id as its key. */
export function Conversation({ connector, crmId, locale, visibility }: ConversationProps) {
  const [store] = useState(() => new ConversationStore(connector, crmId, visibility));
  useEffect(() => {
    store.start();
    return () => store.stop();
  }, [store]);
  const { page, messages, next, problem, isLoadingOlder, isPaused } = useSyncExternalStore(
    store.subscribe,
    store.current,
  );
  if (page === null) {
    return problem === null ? (
      <LoadingSpinner label="Loading texts" showLabel layout="centered" />
    ) : (
      <Nothing problem={problem} onRetry={() => store.refresh()} />
    );
  }
  return (
    <Flex direction="column" gap="medium">
      <Freshness
        problem={problem}
        asOf={page.as_of}
        isPaused={isPaused}
        locale={locale}
        onAsk={() => store.refresh()}
      />
      <Person contact={page.contact} />
      <Reply
        connector={connector}
        crmId={crmId}
        permission={mayReply(page.contact, page.reply, problem)}
        locale={locale}
        onTaken={(message) => store.took(message)}
        onTouch={() => store.touch()}
      />
      <ConsentSection
        consent={page.consent}
        locale={locale}
        onRecord={(action, wording) => store.recordConsent(action, wording)}
      />
      <Divider />
      <Heading>Texts</Heading>
      <Messages
        messages={messages}
        locale={locale}
        hasOlder={next !== null}
        isLoadingOlder={isLoadingOlder}
        onOlder={() => void store.older()}
      />
      <NotSentList notSent={page.not_sent} locale={locale} />
    </Flex>
  );
}

/** Whether a rep may answer now: what the connector said, and what the card itself sees. */
export function mayReply(contact: Contact, reply: Permission, problem: Problem | null): Permission {
  if (contact.number === null)
    return { may: false, why: contact.number_reason || "This contact has no mobile number." };
  if (!reply.may) return reply;
  return problem === null ? reply : { may: false, why: problem.message };
}

/** A card that has never had an answer. */
function Nothing({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  if (problem.kind === "disconnected") {
    return (
      <ErrorState type="lock" title="SMS is not connected">
        <Text>{problem.message} An admin can connect it again; texts that came in meanwhile are kept.</Text>
        <Link href={{ url: RECONNECT, external: true }}>Connect again</Link>
      </ErrorState>
    );
  }
  if (problem.kind === "not_found") {
    return (
      <EmptyState title="No texts with this contact" layout="vertical" imageName="contacts">
        <Text>{problem.message}</Text>
      </EmptyState>
    );
  }
  return (
    <ErrorState title="Texts cannot be shown">
      <Text>{problem.message}</Text>
      <Button onClick={onRetry}>Try again</Button>
    </ErrorState>
  );
}

interface FreshnessProps {
  readonly problem: Problem | null;
  readonly asOf: string;
  readonly isPaused: boolean;
  readonly locale: string | undefined;
  readonly onAsk: () => void;
}

/** Says so when what is shown is not of now. */
function Freshness({ problem, asOf, isPaused, locale, onAsk }: FreshnessProps) {
  if (problem !== null) {
    return (
      <Alert title="Not up to date" variant={problem.kind === "disconnected" ? "danger" : "warning"}>
        <Text>
          {problem.message} Shown is the state of {saidTime(asOf, locale)}.
        </Text>
        {problem.kind === "disconnected" ? (
          <Link href={{ url: RECONNECT, external: true }}>Connect again</Link>
        ) : (
          <Button size="sm" onClick={onAsk}>
            Try again
          </Button>
        )}
      </Alert>
    );
  }
  if (!isPaused) return null;
  return (
    <Inline align="center" gap="small">
      <Text variant="microcopy">Live updates rest since nobody uses this card.</Text>
      <Button size="xs" onClick={onAsk}>
        Go on
      </Button>
    </Inline>
  );
}

function Person({ contact }: { contact: Contact }) {
  if (contact.number === null) {
    return <Alert title="No number to text">{contact.number_reason || "This contact has no mobile number."}</Alert>;
  }
  const there = contact.local_time === null ? "local time unknown" : `${contact.local_time} there`;
  return (
    <Text>
      {contact.name}, {contact.number}, {there}
    </Text>
  );
}
