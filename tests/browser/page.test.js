// The browser example, used as a person would: by its page.
//
// PAVANE_TEST_SCREENSHOTS names a folder for pictures of it.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { BROWSERS, launch, open } from "./lib/browsers.js";
import { DESKTOP, PHONE, size, watchShifts } from "./lib/layout.js";
import { Server } from "./lib/program.js";

const PATIENCE = 30_000;
const TRANSFER = 16 * 1024 * 1024;
/** Seconds that the echo plot is wide. */
const ECHO_WINDOW = 20;

const BUTTON = { browser: "#connect", program: "#let-program-offer" };

const text = (page, id) => page.$eval(`#${id}`, (element) => element.textContent);

async function picture(page, name) {
  const folder = process.env.PAVANE_TEST_SCREENSHOTS;
  if (!folder) return;
  fs.mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

async function connect(page, offerer) {
  await page.click(BUTTON[offerer]);
  await page.waitForSelector('#state[data-state="connected"]', { timeout: PATIENCE });
}

async function chat(page) {
  const text = "Grüße, 你好, 💃🕺";
  const answers = () => page.$$eval("#chat-log [data-by=program]", (lines) => lines.length);
  const before = await answers();
  await page.type("#chat-input", text);
  await page.click("#chat-send");
  await page.waitForFunction(
    (before, text) => {
      const backwards = [...text].reverse().join("");
      const lines = [...document.querySelectorAll("#chat-log [data-by=program]")];
      return lines.slice(before).some((line) => line.textContent.includes(backwards));
    },
    { timeout: PATIENCE },
    before,
    text,
  );
}

/** What the page knows of the connection, by itself and from the program. */
async function figures(page) {
  await page.waitForFunction(
    () => document.querySelector("#program-figures [data-name=state] dd")?.textContent === "connected",
    { timeout: PATIENCE },
  );
  assert.ok(await page.$("#program-figures [data-name=bytesSent]"));
  await page.waitForFunction(() => document.getElementById("pair").textContent.includes("host udp"), { timeout: PATIENCE });
  assert.equal(await text(page, "signaling-state"), "stable");
  assert.match(await text(page, "ice-state"), /^(connected|completed)$/);
  assert.equal(await text(page, "dtls-state"), "connected");
  assert.match(await text(page, "encryption"), /^DTLS/);
  assert.match(await text(page, "setup-time"), / m?s$/);
  const steps = await page.$$eval("#timeline li span", (spans) => spans.map((span) => span.textContent));
  for (const step of ["ICE is connected", "Connection is connected", "Channel “throughput” is open"]) {
    assert.ok(steps.includes(step), `${step}: ${steps.join("; ")}`);
  }
}

/** The share of a plot's columns that have a pixel of this colour. */
function painted(page, plot, colour) {
  return page.$eval(`#${plot}`, (canvas, colour) => {
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(`--${colour}`).trim();
    const wanted = [1, 3, 5].map((at) => parseInt(context.fillStyle.slice(at, at + 2), 16));
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const columns = new Set();
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] === 255 && wanted.every((value, i) => Math.abs(data[at + i] - value) < 8)) columns.add((at / 4) % canvas.width);
    }
    return columns.size / canvas.width;
  }, colour);
}

/** Has this many probes of this size come back, so many a second. */
async function echo(page, { rate = 25, size = 64, count = 50 } = {}) {
  await page.select("#echo-rate", String(rate));
  await page.select("#echo-size", String(size));
  assert.equal(await painted(page, "echo-plot", "page"), 0);
  const start = performance.now();
  await page.click("#echo-toggle");
  await page.waitForFunction((count) => Number(document.getElementById("echo-returned").textContent) >= count, { timeout: PATIENCE }, count);
  const seconds = (performance.now() - start) / 1000;
  await page.click("#echo-toggle");
  assert.ok(seconds > ((count - 1) / rate) * 0.9, `${count} probes within ${seconds} s`);
  const figure = async (id) => parseFloat(await text(page, id));
  assert.equal(await figure("echo-lost"), 0, "probes lost");
  const times = [];
  for (const name of ["median", "p90", "p99", "longest"]) times.push(await figure(`echo-${name}`));
  assert.deepEqual(times, [...times].sort((a, b) => a - b), "the quantiles rise");
  assert.ok(times[0] >= 0, "there is a median");
  const share = await painted(page, "echo-plot", "page");
  assert.ok(share > (seconds / ECHO_WINDOW) * 0.5, `the round trips of ${seconds} s are plotted on ${share} of the width`);
  return `echo of ${size} bytes, ${rate} a second: median ${times[0]} ms, 99 % ${times[2]} ms`;
}

async function transfer(page, kind, bytes = TRANSFER) {
  await page.select("#throughput-size", String(bytes));
  await page.click(`#${kind}`);
  await page.waitForFunction((kind) => document.getElementById(`${kind}-result`).dataset.checksum !== "none", { timeout: 60_000 }, kind);
  const result = await page.$eval(`#${kind}-result`, (element) => ({ ...element.dataset, words: element.firstChild?.textContent }));
  assert.equal(result.checksum, "match");
  assert.equal(Number(result.bytes), bytes);
  assert.match(result.page, /^[0-9a-f]{64}$/);
  assert.equal(result.page, result.program);
  assert.ok((await painted(page, "throughput-plot", kind === "upload" ? "page" : "program")) > 0.5, "the transfer is plotted");
  return result.words;
}

/** Presses Tab until this element has the focus; backwards with Shift. Past the last element is the browser's own. */
async function tabTo(page, id, backwards = false) {
  for (let presses = 0; presses < 40; presses++) {
    if ((await page.evaluate(() => document.activeElement.id)) === id) return;
    if (backwards) await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    if (backwards) await page.keyboard.up("Shift");
  }
  assert.fail(`${id} cannot be reached by the keyboard`);
}

for (const name of BROWSERS) {
  describe(`${name}, the page`, { concurrency: false }, () => {
    let browser;
    let server;
    const log = [];

    before(async () => {
      server = await Server.start(log);
      browser = await launch(name);
    });
    after(async () => {
      await browser?.close();
      await server?.kill();
    });

    /** A test with a page of its own; the timeline and the logs are printed when it fails. */
    const withPage = (title, body) =>
      test(title, { timeout: 240_000 }, async (t) => {
        log.length = 0;
        const page = await open(browser, log);
        try {
          await page.setViewport(DESKTOP);
          await page.goto(server.url);
          await body(page, t);
          assert.deepEqual(log.filter((line) => line.startsWith("page error") || line.startsWith("console error")), []);
        } catch (error) {
          const steps = await page.$$eval("#timeline li", (items) => items.map((item) => item.innerText)).catch(() => []);
          console.error([`${name}, ${title}:`, ...steps, ...log].join("\n"));
          await picture(page, `${name}, ${title}, failed`).catch(() => {});
          throw error;
        } finally {
          await page.close();
        }
      });

    for (const offerer of ["browser", "program"]) {
      withPage(`everything on it, offer by the ${offerer}`, async (page, t) => {
        await connect(page, offerer);
        t.diagnostic(`connected after ${await page.$eval("#setup-time", (element) => element.textContent)}`);
        await chat(page);
        t.diagnostic(await echo(page));
        t.diagnostic(await echo(page, { rate: 100, size: 16 * 1024, count: 200 }));
        t.diagnostic(await transfer(page, "upload"));
        t.diagnostic(await transfer(page, "download"));
        await figures(page);
        await picture(page, `${name}, offer by the ${offerer}`);

        await page.click("#disconnect");
        await page.waitForSelector('#state[data-state="closed"]', { timeout: PATIENCE });
        assert.equal(await page.$eval("#chat-controls", (fields) => fields.disabled), true);
        // The program is free for another dance.
        await connect(page, offerer);
        await chat(page);
      });
    }

    for (const viewport of [DESKTOP, PHONE]) {
      withPage(`nothing on it moves, ${viewport.width} pixels wide`, async (page) => {
        await page.setViewport(viewport);
        await page.goto(server.url);
        await page.waitForFunction(() => document.getElementById("echo-plot").width > 300 || innerWidth < 500);
        const before = await size(page);
        assert.equal(before.overflow, false, "everything is within the width");
        await watchShifts(page);
        await connect(page, "browser");
        await chat(page);
        await page.click("#echo-toggle");
        await transfer(page, "upload", 1024 * 1024);
        await transfer(page, "download", 1024 * 1024);
        await figures(page);
        await picture(page, `${name}, ${viewport.width} pixels`);
        await page.click("#disconnect");
        await page.waitForSelector('#state[data-state="closed"]', { timeout: PATIENCE });
        assert.deepEqual(await page.evaluate(() => shifts), []);
        assert.deepEqual(await size(page), before);
      });
    }

    withPage("by the keyboard alone", async (page) => {
      await tabTo(page, "connect");
      await page.keyboard.press("Enter");
      await page.waitForSelector('#state[data-state="connected"]', { timeout: PATIENCE });
      assert.equal(await page.evaluate(() => document.activeElement.id), "disconnect", "the focus stays with the buttons");
      await tabTo(page, "chat-input");
      await page.keyboard.type("Hello");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.getElementById("chat-log").textContent.includes("olleH"), { timeout: PATIENCE });
      await tabTo(page, "echo-toggle");
      await page.keyboard.press("Enter");
      await page.waitForSelector('#echo-toggle[aria-pressed="true"]');
      await tabTo(page, "disconnect", true);
      await page.keyboard.press("Enter");
      await page.waitForSelector('#state[data-state="closed"]', { timeout: PATIENCE });
      assert.equal(await page.evaluate(() => document.activeElement.id), "connect");
    });

    withPage("everything on it has a name", async (page) => {
      const nameless = await page.$$eval("button, input, select, progress, canvas, section, [tabindex], [role]", (elements) => {
        const labelled = (element) => (element.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join("");
        const name = (element) => element.labels?.[0]?.textContent || element.getAttribute("aria-label") || labelled(element)
          || (["BUTTON", "P", "DIV"].includes(element.tagName) && element.getAttribute("role") !== "log" ? "its text" : "");
        return elements.filter((element) => !name(element)).map((element) => element.outerHTML.slice(0, 100));
      });
      assert.deepEqual(nameless, []);
    });

    withPage("the end of the program is seen", async (page) => {
      const other = await Server.start(log);
      try {
        await page.goto(other.url);
        await connect(page, "browser");
        await other.kill();
        await page.waitForSelector('#state[data-state="disconnected"]', { timeout: PATIENCE });
      } finally {
        await other.kill();
      }
    });

    withPage("what is said in one tab is heard in another", async (page) => {
      const second = await open(browser, log);
      try {
        await second.goto(server.url);
        await second.waitForSelector("#connect");
        await connect(second, "program");
        await page.bringToFront();
        await connect(page, "browser");
        await page.type("#chat-input", "Who is there?");
        await page.click("#chat-send");
        await second.waitForFunction(
          () => /Guest \d+: Who is there\?/.test(document.getElementById("chat-log").textContent),
          { timeout: PATIENCE, polling: 100 },
        );
      } finally {
        await second.close();
      }
    });
  });
}

/** The custom properties of the light and of the dark scheme, from the style sheet. */
function schemes() {
  const css = fs.readFileSync(new URL("../../runtime-tokio/examples/browser/style.css", import.meta.url), "utf8");
  const [light, dark] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) => Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value])));
  return { light, dark: { ...light, ...dark } };
}

/** WCAG 2.2's relative luminance. */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** What is written, and what on. */
const WRITTEN = {
  ground: ["ink", "soft", "page", "program"],
  panel: ["ink", "soft", "page", "program", "good", "bad"],
  sunken: ["ink", "soft", "page", "program", "bad"],
  "page-wash": ["ink", "page"],
  "program-wash": ["ink"],
  page: ["on-accent"],
  program: ["on-accent"],
};

for (const [scheme, colours] of Object.entries(schemes())) {
  test(`the page can be read, ${scheme}`, () => {
    for (const [paper, inks] of Object.entries(WRITTEN)) {
      for (const ink of inks) {
        const ratio = contrast(colours[ink], colours[paper]);
        assert.ok(ratio >= 4.5, `${ink} on ${paper}: ${ratio.toFixed(2)}`);
      }
    }
  });
}
