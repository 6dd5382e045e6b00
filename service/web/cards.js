// One card a room, kept in step with the states.

import { get } from "./api.js";
import { Strip } from "./strip.js";
import * as words from "./words.js";

const FIRST_WINDOWS = 300;

export class Cards {
  constructor(place, template) {
    this.place = place;
    this.template = template;
    this.cards = new Map();
  }

  show(envelopes, names) {
    const there = new Set(envelopes.map((envelope) => envelope.room));
    for (const [room, card] of this.cards) if (!there.has(room)) this.remove(room, card);
    for (const envelope of envelopes) this.card(envelope.room).show(envelope, names.get(envelope.room));
  }

  showLinks(links) {
    for (const [room, card] of this.cards) card.showLinks(links.filter((link) => link.room === room));
  }

  refreshStrips() {
    return Promise.all([...this.cards.values()].map((card) => card.refreshStrip()));
  }

  card(room) {
    if (!this.cards.has(room)) {
      const card = new Card(room, this.template.content.firstElementChild.cloneNode(true));
      this.cards.set(room, card);
      this.place.append(card.element);
    }
    return this.cards.get(room);
  }

  remove(room, card) {
    card.element.remove();
    this.cards.delete(room);
  }
}

class Card {
  constructor(room, element) {
    this.room = room;
    this.element = element;
    element.dataset.room = room;
    this.strip = new Strip(element.querySelector(".strip"));
    this.strip.draw();
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  show({ tasks }, name) {
    const presence = tasks.find((state) => state.task === "presence");
    this.find(".name").textContent = name || this.room;
    this.element.dataset.presence = presence?.status === "ok" ? presence.value : "unknown";
    this.find(".word").textContent = words.presence(presence);
    this.find(".sure").textContent = presence?.status === "ok" ? words.sure(presence.probability) : "";
    this.showReason(presence);
    this.showSource(tasks.find((state) => state.source)?.source);
    this.showFacts(presence, tasks);
  }

  showReason(presence) {
    const why = this.find(".why");
    why.hidden = !presence || presence.status === "ok";
    if (why.hidden) return;
    const last = presence.last_known;
    const known = last?.value ? ` Last known: ${last.value}, ${words.ago(last.observed_at)}.` : "";
    why.textContent = words.reason(presence.reason) + known;
  }

  showSource(source) {
    const badge = this.find(".source");
    badge.hidden = !source;
    badge.dataset.source = source ?? "";
    badge.textContent = (source ?? "").toUpperCase();
  }

  showFacts(presence, tasks) {
    const facts = presence ? [["since", `${words.ago(presence.since)} (${words.clock(presence.since)})`]] : [];
    for (const state of tasks) {
      if (state.task === "counting") facts.push(["people", words.count(state)]);
      else if (state.task !== "presence") facts.push([state.task, state.status === "ok" ? String(state.value) : words.reason(state.reason)]);
    }
    const model = presence?.model;
    if (model) facts.push(["model", `${model.name} ${model.version}, trained on ${model.trained_on}${model.provisional ? ", provisional" : ""}`]);
    this.find(".facts").replaceChildren(...facts.flatMap(([term, text]) => [element("dt", term), element("dd", text)]));
  }

  showLinks(links) {
    const items = links.map((facts) => {
      const item = element("li", words.link(facts));
      item.dataset.status = facts.status;
      return item;
    });
    this.find(".links").replaceChildren(...items);
    this.find(".links").hidden = items.length === 0;
  }

  async refreshStrip() {
    const newest = this.strip.newest();
    const since = newest ? `&from=${encodeURIComponent(newest.window.to)}` : "";
    const page = await get(`/v1/rooms/${this.room}/predictions?task=presence&limit=${FIRST_WINDOWS}${since}`);
    this.strip.add(page.items);
    this.strip.draw();
  }
}

export function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
