// May this contact be texted, and what shows that they agreed or refused?

import {
  Accordion,
  Alert,
  Button,
  Flex,
  Inline,
  Input,
  List,
  LoadingButton,
  StatusTag,
  Text,
} from "@hubspot/ui-extensions";
import { useState } from "react";
import { asProblem } from "../../shared/connector";
import type { Problem } from "../../shared/problem";
import type { Consent, ConsentAction, Evidence } from "../../shared/wire";
import { saidTime, toneOfConsent } from "./wording";

interface ConsentProps {
  readonly consent: Consent;
  readonly locale: string | undefined;
  readonly onRecord: (action: ConsentAction, wording: string) => Promise<void>;
}

export function ConsentSection({ consent, locale, onRecord }: ConsentProps) {
  return (
    <Flex direction="column" gap="small">
      <StatusTag variant={toneOfConsent(consent)} testId="consent">
        {consent.label}
      </StatusTag>
      {Object.entries(consent.purposes).map(([purpose, { may, why }]) => (
        <Text key={purpose} variant="microcopy">
          {purpose}: {may ? "may be sent" : "may not be sent"}
          {why !== "" && `. ${why}`}
        </Text>
      ))}
      <EvidenceList evidence={consent.evidence} locale={locale} />
      <Recorder consent={consent} onRecord={onRecord} />
    </Flex>
  );
}

function EvidenceList({ evidence, locale }: { evidence: readonly Evidence[]; locale: string | undefined }) {
  if (evidence.length === 0) return <Text variant="microcopy">Nothing is recorded about their consent.</Text>;
  return (
    <Accordion title={`Evidence (${evidence.length})`} size="sm">
      <List variant="unordered-styled">
        {evidence.map((each) => (
          <Text key={`${each.at} ${each.what} ${each.source}`}>
            {saidTime(each.at, locale)}: {each.what}, {each.how}
            {each.source !== "" && ` (${each.source})`}
            {each.wording !== "" && `: “${each.wording}”`}
          </Text>
        ))}
      </List>
    </Accordion>
  );
}

/**
 * Lets a rep record what the contact told them. A consent needs the contact's words; an opt-out counts without, and
 * also under one that stands: that may be of marketing alone, or be lifted by the program that made it.
 */
function Recorder({ consent, onRecord }: Pick<ConsentProps, "consent" | "onRecord">) {
  const [action, setAction] = useState<ConsentAction | null>(null);
  if (action !== null) return <RecordForm action={action} onRecord={onRecord} onDone={() => setAction(null)} />;
  return (
    <Inline gap="small">
      <Button size="sm" variant="secondary" onClick={() => setAction("opt_out")}>
        Record an opt-out
      </Button>
      {consent.state !== "opted_in" && (
        <Button size="sm" variant="secondary" onClick={() => setAction("opt_in")}>
          Record a consent
        </Button>
      )}
    </Inline>
  );
}

interface RecordFormProps {
  readonly action: ConsentAction;
  readonly onRecord: ConsentProps["onRecord"];
  readonly onDone: () => void;
}

function RecordForm({ action, onRecord, onDone }: RecordFormProps) {
  const [wording, setWording] = useState("");
  const [isSaving, setIsSaving] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const isConsent = action === "opt_in";
  const save = async (): Promise<void> => {
    setIsSaving(true);
    setProblem(null);
    try {
      await onRecord(action, wording.trim());
      onDone();
    } catch (error) {
      setProblem(asProblem(error));
      setIsSaving(false);
    }
  };
  return (
    <Flex direction="column" gap="small">
      <Input
        name="wording"
        label={isConsent ? "How they agreed, in their words" : "How they asked, if you know"}
        value={wording}
        required={isConsent}
        readOnly={isSaving}
        onInput={setWording}
      />
      {problem !== null && (
        <Alert title="Not recorded" variant="danger">
          {problem.message}
        </Alert>
      )}
      <Inline gap="small">
        <LoadingButton loading={isSaving} disabled={isConsent && wording.trim() === ""} onClick={() => void save()}>
          {isConsent ? "Record the consent" : "Record the opt-out"}
        </LoadingButton>
        <Button variant="transparent" disabled={isSaving} onClick={onDone}>
          Cancel
        </Button>
      </Inline>
    </Flex>
  );
}
