// What goes wrong on purpose, and is the connector there at all?

import { h, keyed, say } from "./elements.js";
import { act, onState, read } from "./world.js";

const CHECK_EVERY = 5000; // milliseconds; the connector is on the same machine
const switches = document.querySelector("#switches");
const count = document.querySelector("#trouble-count");
const health = document.querySelector("#health");

onState((state) => {
  keyed(switches, state.switches, (each) => each.name, makeSwitch);
  const on = state.switches.filter((each) => each.is_on).length;
  count.hidden = on === 0;
  say(count, String(on));
});

function makeSwitch(first) {
  const box = h("input", { type: "checkbox", attrs: { role: "switch" }, data: { switch: first.name } });
  box.addEventListener("change", () => act(`switches/${first.name}`, { is_on: box.checked }));
  const line = h("label", { className: "switch" }, box,
    h("span", {}, h("b", { textContent: first.label }), h("small", { textContent: first.hint })));
  return [line, (row) => { box.checked = row.is_on; }];
}

async function check() {
  const { is_up } = await read("connector");
  health.dataset.state = is_up ? "up" : "down";
  say(health.firstElementChild, is_up ? "Connector is up" : "Connector is down");
}
check();
setInterval(check, CHECK_EVERY);
