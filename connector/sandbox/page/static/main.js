// What makes up the page?

import "./board.js";
import "./business.js";
import "./card.js";
import "./clock.js";
import "./crms.js";
import "./phones.js";
import "./record.js";
import "./trouble.js";
import "./workflow.js";
import { listen, onState } from "./world.js";

const SEEN = "sandbox-hints-seen";
const hints = document.querySelector("#hints");
hints.hidden = localStorage.getItem(SEEN) !== null;
document.querySelector("#hints-close").addEventListener("click", () => {
  localStorage.setItem(SEEN, "1");
  hints.hidden = true;
});

onState((state) => {
  document.querySelector("#portal-name").textContent = state.portal.name;
});

listen();
