// Why did this contact not get a text?

import { Accordion, List, Text } from "@hubspot/ui-extensions";
import type { NotSent } from "../../shared/wire";
import { saidTime } from "./wording";

/** What was decided against, newest first, each with the line of the file that decided it. */
export function NotSentList({ notSent, locale }: { notSent: readonly NotSent[]; locale: string | undefined }) {
  if (notSent.length === 0) return null;
  return (
    <Accordion title={`Why not sent (${notSent.length})`} size="sm">
      <List variant="unordered-styled">
        {notSent.map((each) => (
          <Text key={`${each.at} ${each.journey} ${each.where}`}>
            {saidTime(each.at, locale)}: {each.why}
            {each.journey !== "" && ` (${each.journey}${each.where === "" ? "" : `, ${each.where}`})`}
          </Text>
        ))}
      </List>
    </Accordion>
  );
}
