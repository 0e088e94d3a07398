// Whether the page keeps still.

export const DESKTOP = { width: 1280, height: 1400 };
export const PHONE = { width: 390, height: 844 };

/** What must not change when the page fills. */
export const size = (page) =>
  page.evaluate(() => ({ height: document.documentElement.scrollHeight, overflow: document.documentElement.scrollWidth > innerWidth }));

/** Has the browser remember what moves; Firefox does not tell. */
export function watchShifts(page) {
  return page.evaluate(() => {
    globalThis.shifts = [];
    if (!PerformanceObserver.supportedEntryTypes.includes("layout-shift")) return;
    const named = (node) => node?.id || node?.parentElement?.id || String(node?.nodeName);
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) shifts.push(`${value.toFixed(4)}: ${sources.map(({ node }) => named(node))}`);
    }).observe({ type: "layout-shift" });
  });
}
