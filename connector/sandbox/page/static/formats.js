// How are money, times and states written?

const LOCALE = "en-GB";

export function money(amount, currency) {
  if (amount === "") return "";
  const digits = Number(amount) % 1 ? 2 : 0;
  return new Intl.NumberFormat(LOCALE, {
    style: "currency", currency, currencyDisplay: "narrowSymbol",
    minimumFractionDigits: digits, maximumFractionDigits: 2,
  }).format(Number(amount));
}

export function hour(moment, timeZone) {
  return new Intl.DateTimeFormat(LOCALE, { timeZone, hour: "2-digit", minute: "2-digit" }).format(moment);
}

export function second(moment, timeZone) {
  return new Intl.DateTimeFormat(LOCALE, { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit" })
    .format(moment);
}

export function day(moment, timeZone) {
  return new Intl.DateTimeFormat(LOCALE, { timeZone, weekday: "short", day: "numeric", month: "short" }).format(moment);
}

export function dayAndHour(moment, timeZone) {
  return `${day(moment, timeZone)}, ${hour(moment, timeZone)}`;
}

export function isoDay(moment) {
  return moment.toISOString().slice(0, 10);
}

export function span(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days) return `${days} d${hours ? ` ${hours} h` : ""}`;
  if (hours) return `${hours} h${minutes ? ` ${minutes} min` : ""}`;
  return `${minutes} min`;
}

export function city(timeZone) {
  const known = { "US/Eastern": "New York", "US/Central": "Chicago", "US/Mountain": "Denver", "US/Pacific": "Los Angeles" };
  return known[timeZone] ?? timeZone.split("/").at(-1).replaceAll("_", " ");
}

export function words(text) {
  const plain = String(text ?? "").replaceAll(/[_.]/g, " ").toLowerCase();
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}
