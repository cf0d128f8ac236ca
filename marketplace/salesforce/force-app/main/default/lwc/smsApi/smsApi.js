// What did the connector answer to a call through Apex?

const NEVER_LEFT = "no_access"; // of SMSConnectorApi: Salesforce gave no key for the call, so nothing was carried out

/**
 * Calls an Apex method that answers `{status, body}` and gives `{ok, isAnswered, data, code, why}`.
 *
 * `isAnswered` is false when nobody knows whether the call was carried out: no answer, or a fault on the other side.
 * `why` is for people. Never throws.
 */
export async function ask(method, parameters) {
  try {
    const { status, body } = await method(parameters);
    const data = parsed(body);
    if (status >= 200 && status < 300 && data) {
      return { ok: true, isAnswered: true, data, code: "", why: "" };
    }
    return refused(status, data || {});
  } catch (error) {
    return { ok: false, isAnswered: false, data: null, code: "apex", why: said(error) };
  }
}

function refused(status, problem) {
  const isAnswered = (status >= 400 && status < 500) || problem.code === NEVER_LEFT;
  const why = problem.detail || problem.title || "SMS Connector does not answer as expected.";
  return { ok: false, isAnswered, data: null, code: problem.code || String(status), why };
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null; // a proxy in between answers in HTML
  }
}

function said(error) {
  return error?.body?.message || "Salesforce refused the call.";
}
