// Pictures and sound on the example's page: every source, every codec, every way to begin and to end, and a path that loses.
//
// PAVANE_TEST_STUB=1 has a second RTCPeerConnection of the page's own do what the program does.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { BROWSERS, launch, open } from "./lib/browsers.js";
import { DESKTOP, PHONE, size, watchShifts } from "./lib/layout.js";
import { Server } from "./lib/program.js";
import { Relay } from "./lib/relay.js";
import { StubServer, stubProgram } from "./lib/stub.js";

const STUB = process.env.PAVANE_TEST_STUB === "1";
const PATIENCE = 30_000;
const BUTTON = { browser: "#connect", program: "#let-program-offer" };
const CLIP = { size: "320×240", rate: 15 };
const SEED = 20261123;

/**
 * Who makes the connection's offer (`session`) and who that of the pictures and the sound (`offerer`); between them the cases
 * have every codec, both sources and both sides in both parts.
 */
const CASES = [
  { codec: "VP8", source: "synthetic", session: "browser", offerer: "page", seconds: 20 },
  { codec: "VP8", source: "camera", session: "program", offerer: "program", seconds: 6 },
  { codec: "VP9", source: "synthetic", session: "program", offerer: "page", seconds: 6 },
  { codec: "H264", source: "camera", session: "browser", offerer: "program", seconds: 6 },
  { codec: "AV1", source: "synthetic", session: "browser", offerer: "page", seconds: 6 },
];
/** What Debian's browsers can encode. */
const CODECS = { chromium: ["VP8", "VP9", "H264", "AV1"], firefox: ["VP8", "VP9", "AV1"] };

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The page's figures by their names, as numbers where they are, and the time in ms at which they were taken. */
function figures(page) {
  return page.$eval("#media-figures", (table) => ({
    time: Number(table.dataset.time),
    ...Object.fromEntries([...table.querySelectorAll("td")].map(({ id, dataset: { value } }) =>
      [id.replace("media-", ""), value === undefined || Number.isNaN(Number(value)) ? value : Number(value)])),
  }));
}

/** How much the figures grow in about this time, and in how many seconds they did. */
async function growth(page, seconds) {
  const first = await figures(page);
  await sleep(seconds);
  const last = await figures(page);
  const grown = Object.fromEntries(Object.keys(last).map((name) => [name, last[name] - (first[name] ?? 0)]));
  return { ...grown, seconds: grown.time / 1000 };
}

async function until(page, what, condition, ...args) {
  try {
    await page.waitForFunction(condition, { timeout: PATIENCE, polling: 100 }, ...args);
  } catch (error) {
    const state = await page.$eval("#media-state", ({ textContent }) => textContent);
    throw new Error(`not ${what} within ${PATIENCE / 1000} s; the page says “${state}”, ${JSON.stringify(await figures(page))}`, { cause: error });
  }
}

async function connect(page, session) {
  await page.click(BUTTON[session]);
  await page.waitForSelector('#state[data-state="connected"]', { timeout: PATIENCE });
}

/** Starts, and waits until pictures come back. */
async function begin(page, { source = "synthetic", codec = "VP8", offerer = "page" } = {}) {
  await page.select("#media-source", source);
  await page.select("#media-codec", codec);
  await page.select("#media-offerer", offerer);
  const started = performance.now();
  await page.click("#media-toggle");
  await flowing(page);
  return performance.now() - started;
}

/** Waits for `more` pictures. */
async function flowing(page, more = 25) {
  const { "frames-in": before = 0 } = await figures(page);
  await until(page, `${more} pictures further`, (goal) => Number(document.getElementById("media-frames-in").dataset.value) >= goal, before + more);
}

/** That as many come as are sent, and nothing is lost. */
function assertSmooth(grown, name) {
  const share = grown["frames-in"] / grown["frames-out"];
  const words = `${name}: ${grown["frames-in"]} pictures of ${grown["frames-out"]} in ${grown.seconds.toFixed(1)} s`;
  assert.ok(Math.abs(share - 1) <= 0.1, words);
  assert.ok(grown["frames-out"] / grown.seconds > 10, `the source is slow: ${words}`);
  assert.equal(grown["lost-in"], 0, "packets lost on the way back");
  assert.ok(!grown["lost-out"], "packets lost on the way there");
  // The stub's second encoder may be too much for the machine.
  if (!STUB) assert.ok(!grown["freezes-in"], "freezes");
  return words;
}

/** A description whose section of pictures is rejected, and of no bundle. */
function withoutVideo(sdp) {
  const [head, ...sections] = sdp.split(/^(?=m=)/m);
  const mid = /^a=mid:(.*)\r$/m.exec(sections.find((section) => section.startsWith("m=video")))[1];
  return [
    head.replace(/^a=group:BUNDLE.*/m, (line) => line.split(" ").filter((word) => word !== mid).join(" ")),
    ...sections.map((section) => section.replace(/^m=video \d+/, "m=video 0")),
  ].join("");
}

async function chat(page) {
  await page.type("#chat-input", "Hello");
  await page.click("#chat-send");
  await page.waitForFunction(() => document.getElementById("chat-log").textContent.includes("olleH"), { timeout: PATIENCE });
}

async function picture(page, name) {
  const folder = process.env.PAVANE_TEST_SCREENSHOTS;
  if (!folder) return;
  fs.mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

for (const name of BROWSERS) {
  describe(`${name}, pictures and sound`, { concurrency: false }, () => {
    let browser;
    let server;
    const log = [];

    before(async () => {
      server = await (STUB ? StubServer : Server).start(log);
      browser = await launch(name, { names: false, media: true });
    });
    after(async () => {
      await browser?.close();
      await server?.kill();
    });

    /** A test with a page of its own; `relay` is between it and the program, where one is wanted. */
    const withPage = (title, body, relayed = false) =>
      test(title, { timeout: 120_000 }, async (t) => {
        log.length = 0;
        const page = await open(browser, log);
        const relay = relayed ? await Relay.start(SEED) : null;
        try {
          await page.setViewport(DESKTOP);
          if (STUB) await page.evaluateOnNewDocument(stubProgram);
          await relay?.join(page);
          await page.goto(server.url);
          await body(page, t, relay);
          assert.deepEqual(log.filter((line) => line.startsWith("page error") || line.startsWith("console error")), []);
        } catch (error) {
          const steps = await page.$$eval("#timeline li", (items) => items.map((item) => item.innerText)).catch(() => []);
          console.error([`${name}, ${title}:`, ...steps, ...log].join("\n"));
          await picture(page, `${name}, ${title}, failed`).catch(() => {});
          throw error;
        } finally {
          await page.close();
          relay?.close();
        }
      });

    for (const { codec, source, session, offerer, seconds } of CASES.filter(({ codec }) => CODECS[name].includes(codec))) {
      withPage(`${codec}, ${source}, connection offered by the ${session}, media by the ${offerer}`, async (page, t) => {
        await connect(page, session);
        const started = await begin(page, { source, codec, offerer });
        // Encoders find their rate in the first moments.
        await sleep(1);
        const words = assertSmooth(await growth(page, seconds), codec);
        const now = await figures(page);
        assert.equal(now["codec-in"], codec);
        assert.equal(now["codec-out"], codec);
        assert.ok(now["bitrate-in"] > 10_000, `${now["bitrate-in"]} bit/s come back`);
        assert.ok(now["sound-in"] > 1000, `${now["sound-in"]} bit/s of it sound`);
        t.diagnostic(`${words}, a second of pictures after ${started.toFixed(0)} ms, ${now["size-in"]}, ${now["bitrate-out"].toFixed(0)} bit/s out, ${now["bitrate-in"].toFixed(0)} in`);
        await picture(page, `${name}, ${codec}, ${source}`);
      });
    }

    withPage("nothing, a clip, and back; stop and start again", async (page) => {
      await page.setViewport(PHONE);
      await page.goto(server.url);
      const before = await size(page);
      assert.equal(before.overflow, false, "everything is within the width");
      await watchShifts(page);
      await connect(page, "browser");
      await begin(page);
      await page.select("#media-mode", "mute");
      await until(page, "mute", () => Number(document.getElementById("media-rate-in").dataset.value) === 0);
      assert.equal((await growth(page, 1.5))["frames-in"], 0);

      await page.select("#media-mode", "picture");
      await until(page, "the clip", (size) => document.getElementById("media-size-in").dataset.value === size, CLIP.size);
      await sleep(1);
      const clip = await growth(page, 3);
      const rate = clip["frames-in"] / clip.seconds;
      assert.ok(Math.abs(rate / CLIP.rate - 1) <= 0.1, `${rate} pictures of the clip a second`);

      await page.select("#media-mode", "echo");
      await until(page, "back", () => {
        const [sent, received] = ["out", "in"].map((way) => document.getElementById(`media-size-${way}`).dataset.value);
        return sent === received;
      });

      await page.click("#media-toggle");
      await page.waitForSelector('#media-toggle[aria-pressed="false"]');
      await until(page, "stopped", () => document.getElementById("signaling-state").textContent === "stable"
        && document.getElementById("media-state").textContent === "");
      await sleep(1);
      const after = await growth(page, 1.5);
      assert.ok(!after["frames-in"] && !after["frames-out"], JSON.stringify(after));
      await chat(page);

      await begin(page);
      assertSmooth(await growth(page, 3), "again");
      await page.click("#disconnect");
      await page.waitForSelector('#state[data-state="closed"]', { timeout: PATIENCE });
      assert.equal(await page.$eval("#media-controls", (fields) => fields.disabled), true);
      assert.deepEqual(await page.evaluate(() => shifts), []);
      assert.deepEqual(await size(page), before);
    });

    withPage("another codec while it goes", async (page) => {
      await page.waitForFunction(() => document.getElementById("media-rate-plot").width > 300);
      const before = await size(page);
      await watchShifts(page);
      await connect(page, "browser");
      await begin(page);
      await page.select("#media-codec", "VP9");
      await until(page, "VP9", () => ["in", "out"].every((way) => document.getElementById(`media-codec-${way}`).dataset.value === "VP9"));
      await flowing(page);
      assert.deepEqual(await page.evaluate(() => shifts), []);
      assert.deepEqual(await size(page), before);
    });

    withPage("what is refused is said to be", async (page, t, relay) => {
      await connect(page, "browser");
      relay.rewrite = (line) => (line.type === "answer" ? { ...line, sdp: withoutVideo(line.sdp) } : line);
      await page.click("#media-toggle");
      await until(page, "refused", () => document.getElementById("media-state").textContent === "The program refuses pictures");
      await chat(page);
    }, true);

    withPage("pictures keep coming over a path that loses, and come back after darkness", async (page, t, relay) => {
      await connect(page, "browser");
      await begin(page);
      relay.loss = 0.05;
      const lossy = await growth(page, 7);
      relay.loss = 0;
      t.diagnostic(`5 % lost: ${lossy["frames-in"]} pictures of ${lossy["frames-out"]} in 7 s, ${lossy["nacks-in"]} NACKs, ${lossy["plis-in"]} PLIs, ${relay.lost} of ${relay.passed + relay.lost} packets lost`);
      assert.ok(relay.lost > 0, "nothing went by the relay");
      assert.ok(lossy["frames-in"] > lossy["frames-out"] / 2, JSON.stringify(lossy));
      assert.ok(lossy["nacks-in"] > 0, "lost packets are asked for again");

      const bright = await figures(page);
      relay.dark = true;
      await sleep(4);
      relay.dark = false;
      await flowing(page);
      const dark = await figures(page);
      assert.ok(dark["plis-in"] > bright["plis-in"], "a key picture is asked for");
      // Firefox does not count them.
      if (dark["keys-in"] !== undefined) assert.ok(dark["keys-in"] > bright["keys-in"], "a key picture came");
      await sleep(1);
      const again = await growth(page, 3);
      assert.ok(again["frames-in"] > again["frames-out"] * 0.8, JSON.stringify(again));
    }, true);
  });
}
