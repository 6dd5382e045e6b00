// Facts in words. An unknown state says why; nothing here ever turns "unknown" into "vacant".

const REASONS = {
  no_frames: "No frames have arrived from its links.",
  low_occupancy: "Too few frames in the last window to tell.",
  uncalibrated: "Not calibrated for this room yet.",
  stale: "Its links fell silent.",
  no_model: "No model fits this source.",
  worker_down: "The sensing worker is not running.",
  model_error: "A model failed; the service log says why.",
};

const SHORT = {
  no_frames: "no frames",
  low_occupancy: "too few frames",
  uncalibrated: "not calibrated",
  stale: "silent",
  no_model: "no model fits",
  worker_down: "worker down",
  model_error: "model failed",
};

const TYPES = {
  "prediction.changed": "State changed",
  "alert.raised": "Alert raised",
  "alert.updated": "Alert updated",
  "alert.cleared": "Alert cleared",
  "link.lost": "Link lost",
  "link.back": "Link back",
  "link.roamed": "Link follows another sender",
  "room.changed": "Room changed",
  "room.deleted": "Room deleted",
  "model.activated": "Model activated",
  "recalibration.ended": "Recalibration ended",
  "worker.lost": "Nobody looks: the worker is silent",
  "worker.back": "The worker is back",
};

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export const reason = (code) => REASONS[code] ?? code ?? "No reason given.";

export function presence(state) {
  if (state?.status === "ok") return state.value === "occupied" ? "Occupied" : "Vacant";
  return state?.status === "paused" ? "Paused" : "Unknown";
}

// Never rounded up to certainty.
export function sure(probability) {
  if (probability === null || probability === undefined) return "";
  return probability > 0.99 ? "over 99 % sure" : `${Math.round(probability * 100)} % sure`;
}

export function count(state) {
  if (state?.status !== "ok") return `unknown: ${lower(reason(state?.reason))}`;
  const people = state.value === 1 ? "1 person" : `${state.value} people`;
  return state.interval ? `${people} (90 %: ${state.interval.map(round).join(" to ")})` : people;
}

export function ago(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  return relative.format(Math.round(seconds / size), unit);
}

export const clock = (time) => new Date(time).toLocaleTimeString([], { hour12: false });

export function event(message) {
  const { type, data } = message;
  const short = type.replace("org.roomtone.", "");
  const what = TYPES[short] ?? short;
  const about = data.rule ? data.rule.replaceAll("_", " ") : data.task ?? data.link ?? "";
  if (short !== "prediction.changed") return [what, about].filter(Boolean).join(": ");
  return `${data.task}: ${told(data.before)} → ${told(data.after)}`;
}

export function link(facts) {
  if (facts.status === "waiting") return `${facts.link}: no frame yet`;
  if (facts.status === "unknown") return `${facts.link}: not known, the worker is not running`;
  const parts = [
    facts.rate_hz === null ? null : `${facts.rate_hz.toFixed(0)} frames/s`,
    facts.gap_share === null ? null : `${(facts.gap_share * 100).toFixed(1)} % lost`,
    facts.rssi_dbm === null ? null : `${facts.rssi_dbm.toFixed(0)} dBm`,
    facts.last_received_at === null ? null : `last frame ${ago(facts.last_received_at)}`,
  ];
  return `${facts.link} (${facts.nic}): ${parts.filter(Boolean).join(", ")}`;
}

function told(state) {
  if (!state) return "nothing";
  if (state.status !== "ok") return `unknown (${SHORT[state.reason] ?? state.reason})`;
  return String(state.value);
}

const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, "");
const round = (number) => Math.round(number * 10) / 10;
