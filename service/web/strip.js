// The picture of a room being sensed: one bar a window over the last minutes, as high as the motion in it.

const SPAN_S = 300;
const SVG = "http://www.w3.org/2000/svg";
const FLOOR = 3; // a vacant room still shows that it is being sensed

export class Strip {
  constructor(figure) {
    this.svg = figure.querySelector("svg");
    this.caption = figure.querySelector("figcaption");
    this.windows = new Map();
  }

  add(predictions) {
    for (const one of predictions) this.windows.set(Date.parse(one.window.to), one);
    const newest = Math.max(...this.windows.keys());
    for (const at of this.windows.keys()) if (at <= newest - SPAN_S * 1000) this.windows.delete(at);
  }

  newest() {
    return this.windows.size ? this.windows.get(Math.max(...this.windows.keys())) : null;
  }

  draw() {
    const newest = Math.max(...this.windows.keys());
    const bars = [...this.windows].map(([at, one]) => bar(300 - (newest - at) / 1000, one));
    this.svg.replaceChildren(...bars);
    const text = this.windows.size
      ? `Motion over the last 5 minutes of capture, ${summary([...this.windows.values()])}`
      : "No window was predicted yet";
    this.caption.textContent = text;
    this.svg.setAttribute("aria-label", text);
  }
}

function bar(x, one) {
  const kind = one.reason ? "unknown" : one.value;
  const height = one.reason ? 40 : FLOOR + (40 - FLOOR) * Math.min(1, one.motion ?? (kind === "occupied" ? 1 : 0));
  const rect = document.createElementNS(SVG, "rect");
  const place = { x: x - 1, y: 40 - height, width: 1, height };
  for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value.toFixed(2));
  rect.setAttribute("class", kind === "occupied" || kind === "vacant" ? kind : "unknown");
  return rect;
}

function summary(all) {
  const share = (kind) => Math.round((100 * all.filter((one) => (one.reason ? "unknown" : one.value) === kind).length) / all.length);
  return `${share("occupied")} % occupied, ${share("vacant")} % vacant, ${share("unknown")} % unknown`;
}
