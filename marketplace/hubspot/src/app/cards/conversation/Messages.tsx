// Which texts went back and forth, and what became of each?

import { Button, Flex, Inline, LoadingButton, StatusTag, Text, Tile } from "@hubspot/ui-extensions";
import type { Message } from "../../shared/wire";
import { saidOrigin, saidPrice, saidTime, toneOfMessage } from "./wording";

interface MessagesProps {
  readonly messages: readonly Message[];
  readonly locale: string | undefined;
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
  readonly onOlder: () => void;
}

/** Newest first. */
export function Messages({ messages, locale, hasOlder, isLoadingOlder, onOlder }: MessagesProps) {
  if (messages.length === 0) return <Text>No texts yet.</Text>;
  return (
    <Flex direction="column" gap="small">
      {messages.map((message) => (
        <MessageTile key={message.id} message={message} locale={locale} />
      ))}
      {hasOlder && <Older isLoading={isLoadingOlder} onOlder={onOlder} />}
    </Flex>
  );
}

function Older({ isLoading, onOlder }: { isLoading: boolean; onOlder: () => void }) {
  return isLoading ? (
    <LoadingButton loading>Loading</LoadingButton>
  ) : (
    <Button variant="secondary" onClick={onOlder}>
      Older texts
    </Button>
  );
}

function MessageTile({ message, locale }: { message: Message; locale: string | undefined }) {
  const origin = saidOrigin(message);
  return (
    <Tile compact testId={`message-${message.id}`}>
      <Inline gap="small" align="center">
        <StatusTag variant={toneOfMessage(message)}>{message.label}</StatusTag>
        <Text variant="microcopy">
          {message.direction === "inbound" ? "From the contact" : "To the contact"}, {saidTime(message.at, locale)}
          {cost(message, locale)}
        </Text>
      </Inline>
      <Text>{message.body}</Text>
      {message.reason !== "" && <Text format={{ italic: true }}>{message.reason}</Text>}
      {origin !== "" && <Text variant="microcopy">{origin}</Text>}
    </Tile>
  );
}

function cost({ direction, segments, price }: Message, locale: string | undefined): string {
  if (direction === "inbound") return "";
  const count = `, ${segments} ${segments === 1 ? "segment" : "segments"}`;
  return price === null ? count : `${count}, ${saidPrice(price, locale)}`;
}
