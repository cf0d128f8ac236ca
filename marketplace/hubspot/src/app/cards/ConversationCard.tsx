// Where does HubSpot start the record card?

import { hubspot } from "@hubspot/ui-extensions";
import { Connector } from "../shared/connector";
import { Conversation } from "./conversation/Conversation";

const connector = new Connector((url, options) => hubspot.fetch(url, options));

// The sidebar's card begins here too: both places hand over the same context.
hubspot.extend<"crm.record.tab">(({ context }) => {
  const crmId = String(context.crm.objectId);
  return <Conversation key={crmId} connector={connector} crmId={crmId} locale={context.user.locale} />;
});
