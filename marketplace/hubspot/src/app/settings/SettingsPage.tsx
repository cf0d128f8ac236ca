// Where does HubSpot start the app's settings page?

import { hubspot } from "@hubspot/ui-extensions";
import { Connector } from "../shared/connector";
import { SettingsView } from "./SettingsView";

const connector = new Connector((url, options) => hubspot.fetch(url, options));

hubspot.extend<"settings">(() => <SettingsView connector={connector} />);
