// The examples whose pages are their own: one publishes and many watch, and browsers chat.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { BROWSERS, launch, open } from "./lib/browsers.js";
import { Server } from "./lib/program.js";

/** Pages that are not in front draw nothing, and so are not asked whenever they draw. */
const WAIT = { timeout: 30_000, polling: 50 };
/** Pictures that a watcher has to see before it is believed. */
const PICTURES = 30;

/** That others find pictures and sound in a file, at the rate of their source, and nothing to complain about. */
function assertRecording(file) {
  const probe = run("ffprobe", ["-v", "error", "-count_frames", "-show_streams", "-of", "json", file]);
  const { streams } = JSON.parse(probe);
  assert.deepEqual(streams.map(({ codec_name: codec }) => codec), ["vp8", "opus"]);
  const [pictures, sound] = streams.map(({ nb_read_frames: frames }) => Number(frames));
  assert.ok(pictures >= 50 && sound >= 150, `${pictures} pictures, ${sound} packets of sound`);
  // In the file's own measure of time: in that of a steady rate of pictures, two of a browser's may have the same moment.
  assert.equal(run("ffmpeg", ["-v", "error", "-i", file, "-enc_time_base", "-1", "-f", "null", "-"]), "");
}

function run(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.equal(status, 0, `${program}: ${stderr}`);
  return stdout + stderr;
}

/** Leaves a picture of the file where somebody wants to look at it. */
function savePicture(file, name) {
  const folder = process.env.PAVANE_TEST_SCREENSHOTS;
  if (!folder) return;
  fs.mkdirSync(folder, { recursive: true });
  run("ffmpeg", ["-v", "error", "-y", "-ss", "1", "-i", file, "-frames:v", "1", path.join(folder, `${name}.png`)]);
}

describe("examples", { concurrency: false }, () => {
  const log = [];
  const browsers = new Map();

  before(async () => {
    for (const name of BROWSERS) browsers.set(name, await launch(name, { media: true }));
  });
  after(async () => {
    for (const browser of browsers.values()) await browser.close();
  });

  async function press(name, url, button) {
    const page = await open(browsers.get(name), log);
    await page.goto(url);
    await page.click(button);
    await page.waitForFunction(() => document.getElementById("state").textContent === "connected", WAIT);
    return page;
  }

  /** Waits until a page has shown some more pictures. */
  async function seesPictures(page) {
    await page.bringToFront();
    const shown = page.evaluate((pictures) => new Promise((resolve) => {
      const video = document.getElementById("video");
      const next = () => { if (pictures-- > 0) video.requestVideoFrameCallback(next); else resolve(true); };
      next();
    }), PICTURES);
    const late = new Promise((resolve) => setTimeout(resolve, WAIT.timeout, false).unref());
    assert.ok(await Promise.race([shown, late]), `not ${PICTURES} pictures within ${WAIT.timeout / 1000} s`);
    assert.ok(await page.evaluate(() => document.getElementById("video").videoWidth) > 0);
  }

  for (const publisher of BROWSERS) {
    test(`${publisher} publishes by WHIP, all watch by WHEP, and whoever comes late does too`, { timeout: 180_000 }, async () => {
      const server = await Server.start(log, "broadcast", ["0"]);
      try {
        const publishing = await press(publisher, server.url, "#publish");
        const watchers = [];
        for (const name of [...BROWSERS, publisher]) {
          watchers.push(await press(name, server.url, "#watch"));
          await seesPictures(watchers.at(-1));
        }
        await publishing.close();
        // Another takes over, and nobody has to do anything about it.
        const other = BROWSERS.find((name) => name !== publisher) ?? publisher;
        const next = await press(other, server.url, "#publish");
        for (const watcher of watchers) await seesPictures(watcher);
        for (const page of [next, ...watchers]) await page.close();
      } catch (error) {
        console.error(log.slice(-50).join("\n"));
        throw error;
      } finally {
        await server.kill();
      }
    });
  }

  for (const name of BROWSERS) {
    test(`what ${name} sends is recorded, and plays`, { timeout: 120_000 }, async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "recording-"));
      const file = path.join(folder, "recording.webm");
      const recorder = await Server.start(log, "record", [file, "--port", "0"]);
      try {
        const page = await press(name, recorder.url, "#record");
        await new Promise((resolve) => setTimeout(resolve, 4000));
        const recorded = once(recorder.lines, "line");
        await page.click("#stop");
        const [line] = await recorded;
        assert.match(line, /^Recorded \d+ frames\.$/);
        await page.close();
        assertRecording(file);
        savePicture(file, `recorded-${name}`);

        const player = await Server.start(log, "play", [file, "--port", "0"]);
        const watcher = await press(name, player.url, "#watch");
        // The recording is shorter than that, so that it has to begin anew.
        for (let part = 0; part < 6; part++) await seesPictures(watcher);
        await watcher.close();
        await player.kill();
      } catch (error) {
        console.error(log.slice(-50).join("\n"));
        throw error;
      } finally {
        await recorder.kill();
        fs.rmSync(folder, { recursive: true });
      }
    });
  }

  test("browsers hear each other", { timeout: 60_000 }, async () => {
    const server = await Server.start(log, "chat", ["0"]);
    try {
      const pages = [];
      for (const name of [...BROWSERS, BROWSERS[0]]) {
        const page = await open(browsers.get(name), log);
        await page.goto(server.url);
        await page.waitForFunction(() => !document.getElementById("line").disabled, WAIT);
        pages.push(page);
      }
      for (const [number, page] of pages.entries()) {
        await page.bringToFront();
        await page.type("#line", `This is ${number}.`);
        await page.keyboard.press("Enter");
        for (const hearer of pages) {
          await hearer.waitForFunction((text) => document.getElementById("said").innerText.includes(text), WAIT, `This is ${number}.`);
        }
      }
    } catch (error) {
      console.error(log.slice(-50).join("\n"));
      throw error;
    } finally {
      await server.kill();
    }
  });
});
