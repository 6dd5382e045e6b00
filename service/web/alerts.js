// What people do about an alert where it is told: buttons that go once it is over or somebody did it.

import { send } from "./api.js";

const DEEDS = {
  acknowledge: { label: "Acknowledge", body: undefined },
  dismiss: { label: "False alarm", body: { false_alarm: true } },
};

export class Deeds {
  constructor() {
    this.open = new Map();
  }

  // The item tells of this event: an alert that was raised gets buttons, others take them away.
  tell(item, { type, data }) {
    if (!data.alert_id) return;
    if (type === "org.roomtone.alert.raised") this.offer(item, data.alert_id);
    else if (type === "org.roomtone.alert.cleared" || data.state === "dismissed") this.withdraw(data.alert_id);
    else if (data.state === "acknowledged") this.open.get(data.alert_id)?.querySelector("[data-deed=acknowledge]")?.remove();
  }

  offer(item, alert) {
    for (const [old, place] of this.open) if (!place.isConnected) this.open.delete(old);
    const place = document.createElement("p");
    place.className = "deeds";
    for (const [deed, { label, body }] of Object.entries(DEEDS)) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.deed = deed;
      button.textContent = label;
      button.addEventListener("click", () => act(place, button, `/v1/alerts/${encodeURIComponent(alert)}/${deed}`, body));
      place.append(button);
    }
    item.append(place);
    this.open.set(alert, place);
  }

  withdraw(alert) {
    this.open.get(alert)?.querySelectorAll("button").forEach((button) => button.remove()); // what was said stays
    this.open.delete(alert);
  }
}

async function act(place, button, path, body) {
  button.disabled = true;
  let said = place.querySelector("small");
  if (!said) place.append((said = document.createElement("small")));
  said.setAttribute("role", "status");
  try {
    const answer = await send("POST", path, body);
    said.textContent = answer.reason ? `Dismissed; nothing was learned: ${answer.reason}` : "";
  } catch (error) {
    said.textContent = error.message;
    button.disabled = false;
  }
}
