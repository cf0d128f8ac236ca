// How are elements made, and kept when the data behind them changes?

/** An element with properties, attributes (`attrs`), listeners (`on`) and children. */
export function h(tag, { attrs = {}, on = {}, data = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  for (const [name, value] of Object.entries(attrs)) element.setAttribute(name, value);
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  Object.assign(element.dataset, data);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** One of the page's icons. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.classList.add("icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * Make the children of `container` those of `items`, in order. An item keeps its element while its key stays, so
 * that focus, typed text, scroll and animations survive; `make` returns [element, update].
 */
export function keyed(container, items, keyOf, make) {
  const known = (container.kept ??= new Map());
  const wanted = new Set(items.map(keyOf));
  for (const [key, [element]] of known) {
    if (!wanted.has(key)) {
      element.remove();
      known.delete(key);
    }
  }
  items.forEach((item, index) => {
    const key = keyOf(item);
    if (!known.has(key)) known.set(key, make(item));
    const [element, update] = known.get(key);
    update(item);
    if (container.children[index] !== element) container.insertBefore(element, container.children[index] ?? null);
  });
}

/** Replace text only when it differs, so that a screen reader stays quiet. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Fill a select with [value, label] pairs, keeping what is chosen. */
export function choices(select, pairs) {
  const signature = JSON.stringify(pairs);
  if (select.signature === signature) return;
  select.signature = signature;
  const chosen = select.value;
  select.replaceChildren(...pairs.map(([value, textContent]) => h("option", { value, textContent })));
  if (pairs.some(([value]) => value === chosen)) select.value = chosen;
}

export function initials(name) {
  if (/^[+\d]/.test(name)) return "#";
  const words = name.match(/\p{L}+/gu) ?? ["?"];
  return (words[0][0] + (words[1]?.[0] ?? "")).toUpperCase();
}
