// What can an admin set up for this account?

import {
  Alert,
  Button,
  Divider,
  ErrorState,
  Flex,
  Heading,
  Link,
  LoadingButton,
  LoadingSpinner,
  StatusTag,
  Text,
  Toggle,
} from "@hubspot/ui-extensions";
import { useEffect, useState, useSyncExternalStore } from "react";
import { RECONNECT } from "../shared/address";
import type { Connector } from "../shared/connector";
import type { Problem } from "../shared/problem";
import type { Account, Settings } from "../shared/wire";
import { Field } from "./Field";
import { type SettingsState, SettingsStore } from "./settings_store";

export function SettingsView({ connector }: { connector: Connector }) {
  const [store] = useState(() => new SettingsStore(connector));
  const state = useSyncExternalStore(store.subscribe, store.current);
  useEffect(() => void store.load(), [store]);
  if (state.saved === null) return <NotYet problem={state.problem} onRetry={() => void store.load()} />;
  return (
    <Flex direction="column" gap="medium">
      <Connection account={state.saved.account} />
      {!state.saved.may_change && (
        <Alert title="You may look, but not change anything" variant="info" testId="read-only">
          Admins of this page are listed in the connector's setting card_admins.
        </Alert>
      )}
      {state.problem !== null && (
        <Alert title="Not saved" variant="danger">
          {state.problem.message}
        </Alert>
      )}
      <Divider />
      <Fields saved={state.saved} state={state} store={store} />
      <Divider />
      <Journeys saved={state.saved} switching={state.switching} store={store} />
    </Flex>
  );
}

function NotYet({ problem, onRetry }: { problem: Problem | null; onRetry: () => void }) {
  if (problem === null) return <LoadingSpinner label="Loading settings" showLabel layout="centered" />;
  return (
    <ErrorState title="Settings cannot be shown" type={problem.kind === "disconnected" ? "lock" : "error"}>
      <Text>{problem.message}</Text>
      {problem.kind === "disconnected" ? (
        <Link href={{ url: RECONNECT, external: true }}>Connect this account</Link>
      ) : (
        <Button onClick={onRetry}>Try again</Button>
      )}
    </ErrorState>
  );
}

/** Whether the connector may work for this account; if not, the way to mend it. */
function Connection({ account }: { account: Account }) {
  const isActive = account.status === "active";
  return (
    <Flex direction="column" gap="small">
      <Heading>Connection</Heading>
      <StatusTag variant={isActive ? "success" : "danger"} testId="connection">
        {isActive ? "Connected" : account.status}
      </StatusTag>
      <Text variant="microcopy">
        {account.name}, HubSpot account {account.external_id}
      </Text>
      {!isActive && (
        <Alert title="Texts wait until this account is connected again" variant="danger">
          <Link href={{ url: RECONNECT, external: true }}>Connect again</Link>
        </Alert>
      )}
    </Flex>
  );
}

interface FieldsProps {
  readonly saved: Settings;
  readonly state: SettingsState;
  readonly store: SettingsStore;
}

function Fields({ saved, state, store }: FieldsProps) {
  const { draft, problem, isBusy, isSaved } = state;
  const hasChanges = Object.keys(draft).length > 0;
  return (
    <Flex direction="column" gap="small">
      <Heading>Texts</Heading>
      {saved.schema.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={field.name in draft ? draft[field.name] : saved.settings[field.name]}
          error={problem?.errors[field.name] ?? ""}
          isLocked={isBusy || !saved.may_change}
          onChange={(value) => store.edit(field.name, value)}
        />
      ))}
      <LoadingButton
        variant="primary"
        loading={isBusy}
        disabled={!hasChanges || !saved.may_change}
        onClick={() => void store.save()}
      >
        Save
      </LoadingButton>
      {isSaved && !hasChanges && <Text variant="microcopy">Saved.</Text>}
    </Flex>
  );
}

interface JourneysProps {
  readonly saved: Settings;
  readonly switching: string;
  readonly store: SettingsStore;
}

/** Which journeys run here. Switching one off lets nobody in; people who are in it stay in it. */
function Journeys({ saved, switching, store }: JourneysProps) {
  return (
    <Flex direction="column" gap="small">
      <Heading>Journeys</Heading>
      {saved.journeys.length === 0 && <Text>There are no journeys yet.</Text>}
      {saved.journeys.map(({ id, title, enabled, status }) => (
        <Flex key={id} direction="column">
          <Toggle
            name={`journey-${id}`}
            label={title}
            labelDisplay="inline"
            size="md"
            checked={enabled}
            readOnly={switching !== "" || !saved.may_change}
            onChange={(checked) => void store.switchJourney(id, checked)}
          />
          {status !== "" && <Text variant="microcopy">{status}</Text>}
        </Flex>
      ))}
    </Flex>
  );
}
