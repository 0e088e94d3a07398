// Short hands for the document.

export const $ = (id) => document.getElementById(id);

/** Whether the reader has asked for less movement; `matches` changes while the page is open. */
export const calm = matchMedia("(prefers-reduced-motion: reduce)");

export const dark = matchMedia("(prefers-color-scheme: dark)");

/** An element with these properties and these children. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
