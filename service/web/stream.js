// The alert stream: a ticket for every connection, `after` for every event already seen, patience in between.

import { send, Unauthenticated } from "./api.js";

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 15000;

export class Stream {
  constructor({ onMessage, onState, onLoggedOut }) {
    this.handlers = { onMessage, onState, onLoggedOut };
    this.after = null;
    this.wait = FIRST_WAIT_MS;
    this.socket = null;
    this.wanted = false;
  }

  start() {
    this.wanted = true;
    this.connect();
  }

  stop() {
    this.wanted = false;
    this.socket?.close();
  }

  async connect() {
    this.handlers.onState("retry", "connecting…");
    try {
      const { ticket } = await send("POST", "/v1/tickets");
      const scheme = location.protocol === "https:" ? "wss:" : "ws:";
      this.open(new WebSocket(`${scheme}//${location.host}/v1/alerts/stream?ticket=${encodeURIComponent(ticket)}`));
    } catch (error) {
      if (error instanceof Unauthenticated) this.handlers.onLoggedOut("The session has ended.");
      else this.again("service unreachable");
    }
  }

  open(socket) {
    this.socket = socket;
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: "subscribe", rooms: null, types: null, after: this.after }));
      this.wait = FIRST_WAIT_MS;
      this.handlers.onState("live", "live");
    };
    socket.onmessage = ({ data }) => this.take(JSON.parse(data));
    socket.onclose = ({ reason }) => this.again(reason || "connection lost");
  }

  take(message) {
    if (message.sequence) this.after = message.sequence;
    this.handlers.onMessage(message);
  }

  again(why) {
    if (!this.wanted) return;
    this.handlers.onState("retry", `${why}; trying again`);
    setTimeout(() => this.wanted && this.connect(), this.wait);
    this.wait = Math.min(MAX_WAIT_MS, this.wait * 2);
  }
}
