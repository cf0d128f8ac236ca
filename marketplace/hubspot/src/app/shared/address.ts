// Where is the connector?

/** The connector's PUBLIC_URL: `scripts/set-host.mjs` puts yours here. The app file permits fetches to it only. */
export const HOST = "https://sms.example.com";

/** Base of the record card's API, which the settings page uses too. */
export const CARD_API = `${HOST}/hubspot/card`;

/** Where an admin connects this HubSpot account again: the start of the OAuth install. */
export const RECONNECT = `${HOST}/install/hubspot`;
