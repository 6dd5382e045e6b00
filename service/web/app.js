// The dashboard. States are read again after every event and every two seconds, because some truths have no
// event: that nobody is listening any more, for one.

import { get, send, Unauthenticated } from "./api.js";
import { Cards } from "./cards.js";
import { Feed } from "./feed.js";
import { Stream } from "./stream.js";

const STATES_EVERY_MS = 2000;
const SETTLE_MS = 150; // events come in bursts; read once for all of them
const OLD_EVENTS = 20;
const $ = (id) => document.getElementById(id);

const cards = new Cards($("rooms"), $("card"));
const feed = new Feed($("feed"), $("no-events"));
const stream = new Stream({ onMessage: take, onState: showConnection, onLoggedOut: showLogin });
let names = new Map();
let timer = null;

async function refresh() {
  const [states, links] = await Promise.all([get("/v1/state"), get("/v1/links")]);
  if (states.items.some(({ room }) => !names.has(room))) await refreshNames();
  cards.show(states.items, names);
  cards.showLinks(links.items);
  $("no-rooms").hidden = states.items.length > 0;
  await cards.refreshStrips();
  notice("");
  return states.sequence;
}

async function refreshNames() {
  const rooms = await get("/v1/rooms");
  names = new Map(rooms.items.map(({ room, name }) => [room, name]));
}

async function keepFresh() {
  try {
    if (!document.hidden) await refresh();
  } catch (error) {
    if (error instanceof Unauthenticated) return showLogin("The session has ended.");
    notice(`What you see may be out of date: ${error.message}`);
  }
  freshIn(STATES_EVERY_MS);
}

function freshIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(keepFresh, milliseconds);
}

function take(message) {
  if (message.specversion) feed.add(message);
  if (message.type?.startsWith("org.roomtone.room.")) names = new Map();
  freshIn(SETTLE_MS);
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = text === "";
}

function showConnection(state, text) {
  $("connection").dataset.state = state;
  $("connection").textContent = text;
}

function showLogin(why) {
  clearTimeout(timer);
  stream.stop();
  showConnection("off", "not connected");
  $("dashboard").hidden = true;
  $("logout").hidden = true;
  $("login").hidden = false;
  $("login-reason").hidden = !why;
  $("login-reason").textContent = why ?? "";
  $("key").focus();
}

async function showDashboard() {
  $("login").hidden = true;
  $("dashboard").hidden = false;
  $("logout").hidden = false;
  stream.after ??= Math.max(0, (await refresh()) - OLD_EVENTS);
  stream.start();
  freshIn(STATES_EVERY_MS);
}

$("login-form").addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  try {
    await send("POST", "/session", { key: $("key").value });
    $("key").value = "";
    await showDashboard();
  } catch (error) {
    showLogin(error.message);
  }
});

$("logout").addEventListener("click", async () => {
  await send("DELETE", "/session");
  showLogin();
});

document.addEventListener("visibilitychange", () => !document.hidden && !$("dashboard").hidden && freshIn(0));

async function start() {
  const expired = new URLSearchParams(location.search).get("login") === "expired";
  if (location.search) history.replaceState(null, "", "/");
  try {
    await get("/v1/rooms");
    await showDashboard();
  } catch (error) {
    if (error instanceof Unauthenticated) {
      showLogin(expired ? "That address was used already, or is older than 15 minutes." : "");
    } else {
      showLogin(`The service does not answer: ${error.message}`);
    }
  }
}

start();
