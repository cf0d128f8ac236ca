// What time is it in the sandbox, and how is it pushed forward?

import { say } from "./elements.js";
import { city, day, second, span } from "./formats.js";
import { act, now, onState } from "./world.js";

const time = document.querySelector("#clock-time");
const date = document.querySelector("#clock-date");
const face = document.querySelector(".clock-face");
let clock = null;

onState((state) => {
  if (clock && clock.offset_seconds !== state.clock.offset_seconds) {
    face.classList.remove("is-pushed");
    void face.offsetWidth; // starts the animation anew
    face.classList.add("is-pushed");
  }
  clock = state.clock;
  show();
});

function show() {
  if (!clock) return;
  say(time, second(now(), clock.zone));
  const ahead = clock.offset_seconds ? ` · ${span(clock.offset_seconds)} ahead` : "";
  say(date, `${day(now(), clock.zone)} in ${city(clock.zone)}${ahead}`);
}
setInterval(show, 1000);

for (const button of document.querySelectorAll("[data-step]")) {
  button.addEventListener("click", () => act("clock", { step: button.dataset.step }));
}
