// Ordered and reliable: words.

import { $, element } from "./dom.js";

const MAX_LINES = 500;

let channel = null;

export function start(opened) {
  channel = opened;
  channel.addEventListener("message", ({ data }) => show("program", data));
  $("chat-controls").disabled = false;
}

export function stop() {
  channel = null;
  $("chat-controls").disabled = true;
}

function show(by, text) {
  const log = $("chat-log");
  const line = element("p", { className: `of-${by}`, textContent: text });
  line.dataset.by = by;
  log.append(line);
  while (log.childElementCount > MAX_LINES) log.firstElementChild.remove();
  log.scrollTop = log.scrollHeight;
}

$("chat-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = $("chat-input");
  if (channel === null || input.value === "") return;
  channel.send(input.value);
  show("page", input.value);
  input.value = "";
});
