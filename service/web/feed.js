// The list of events, newest first, bounded.

import { Deeds } from "./alerts.js";
import { element } from "./cards.js";
import * as words from "./words.js";

const MOST = 50;

export class Feed {
  constructor(list, empty) {
    this.list = list;
    this.empty = empty;
    this.deeds = new Deeds();
  }

  add(message) {
    const item = document.createElement("li");
    item.dataset.severity = message.data.severity ?? "";
    item.dataset.sequence = message.sequence;
    item.append(element("strong", words.event(message)), document.createElement("br"));
    const where = [message.subject, message.data.severity].filter(Boolean).join(" · ");
    const time = element("time", words.clock(message.time));
    time.dateTime = message.time;
    item.append(time, element("small", where ? ` · ${where}` : ""));
    const source = message.data.source;
    if (source && source !== "live") {
      const flag = element("small", ` · ${source.toUpperCase()}`);
      flag.className = "flag";
      item.append(flag);
    }
    this.deeds.tell(item, message);
    this.list.prepend(item);
    while (this.list.children.length > MOST) this.list.lastElementChild.remove();
    this.empty.hidden = true;
  }
}
