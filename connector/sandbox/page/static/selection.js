// Whose record is open?

const listeners = [];
let chosen = null;

export function selected() {
  return chosen;
}

export function select(contactId) {
  if (contactId === chosen) return;
  chosen = contactId;
  for (const listener of listeners) listener(contactId);
}

export function onSelect(listener) {
  listeners.push(listener);
}
