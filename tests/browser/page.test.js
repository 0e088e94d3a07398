// The browser example, used as a person would: by its page.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { BROWSERS, launch, open } from "./lib/browsers.js";
import { Server } from "./lib/program.js";

const PATIENCE = 30_000;
const TRANSFER = 16 * 1024 * 1024;

const BUTTON = { browser: "#connect", program: "#let-program-offer" };

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

async function echo(page) {
  await page.click("#echo-toggle");
  await page.waitForFunction(() => Number(document.getElementById("echo-returned").textContent) >= 50, { timeout: PATIENCE });
  await page.click("#echo-toggle");
  const figure = (id) => page.$eval(id, (element) => parseFloat(element.textContent));
  assert.equal(await figure("#echo-lost"), 0, "probes lost");
  const [median, p99] = [await figure("#echo-median"), await figure("#echo-p99")];
  assert.ok(median >= 0, "there is a median");
  return `echo: median ${median} ms, 99 % ${p99} ms`;
}

async function transfer(page, kind) {
  await page.select("#throughput-size", String(TRANSFER));
  await page.click(`#${kind}`);
  await page.waitForFunction((kind) => document.getElementById(`${kind}-result`).dataset.checksum !== "none", { timeout: 60_000 }, kind);
  const result = await page.$eval(`#${kind}-result`, (element) => ({ ...element.dataset, words: element.firstChild?.textContent }));
  assert.equal(result.checksum, "match");
  assert.equal(Number(result.bytes), TRANSFER);
  assert.match(result.page, /^[0-9a-f]{64}$/);
  assert.equal(result.page, result.program);
  return result.words;
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
          await page.setViewport({ width: 1280, height: 1400 });
          await page.goto(server.url);
          await body(page, t);
          assert.deepEqual(log.filter((line) => line.startsWith("page error") || line.startsWith("console error")), []);
        } catch (error) {
          const steps = await page.$$eval("#timeline li", (items) => items.map((item) => item.innerText)).catch(() => []);
          console.error([`${name}, ${title}:`, ...steps, ...log].join("\n"));
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
        t.diagnostic(await transfer(page, "upload"));
        t.diagnostic(await transfer(page, "download"));
        await page.waitForSelector("#program-figures [data-name=bytesSent]", { timeout: PATIENCE });

        await page.click("#disconnect");
        await page.waitForSelector('#state[data-state="closed"]', { timeout: PATIENCE });
        assert.equal(await page.$eval("#chat-controls", (fields) => fields.disabled), true);
        // The program is free for another dance.
        await connect(page, offerer);
        await chat(page);
      });
    }

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
