// Every step of both partners, with its time.

import { $, element } from "./dom.js";

const MAX_STEPS = 300;

let start = 0;

/** Begins anew; times count from here. */
export function begin() {
  start = performance.now();
  $("timeline").replaceChildren();
}

/** Milliseconds since the beginning. */
export function passed() {
  return performance.now() - start;
}

/** `by` is "page" or "program". */
export function add(by, words, bad = false) {
  const list = $("timeline");
  const time = passed();
  // Who reads further up stays there.
  const following = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(
    element("li", { className: `of-${by}${bad ? " bad" : ""}` },
      element("time", { textContent: time < 10_000 ? `${time.toFixed(0)} ms` : `${(time / 1000).toFixed(1)} s` }),
      element("span", { textContent: words })),
  );
  while (list.childElementCount > MAX_STEPS) list.firstElementChild.remove();
  if (following) list.scrollTop = list.scrollHeight;
}
