// What does the conversation show once another page of it has come?

/** The order of a conversation on the screen: oldest first; ids decide between texts of the same moment. */
function byTime(one, other) {
  if (one.at !== other.at) {
    return one.at < other.at ? -1 : 1;
  }
  return one.id < other.id ? -1 : 1;
}

/** Puts a page, new or older, among the texts shown: a text that is shown already is replaced by what the page says. */
export function merged(shown, page) {
  const known = new Map(shown.map((message) => [message.id, message]));
  page.forEach((message) => known.set(message.id, message));
  return [...known.values()].sort(byTime);
}

/** Tells whether an answer is older than what is shown: a slow one must not take a newer one back. */
export function isStale(answer, shownAsOf) {
  return Boolean(shownAsOf && answer.as_of && answer.as_of < shownAsOf);
}

/** How long to wait before the next look, in milliseconds: longer after each failure, up to two minutes. */
export function pause(pollSeconds, failures) {
  const longest = 120;
  return Math.min(longest, pollSeconds * 2 ** Math.min(failures, 10)) * 1000;
}
