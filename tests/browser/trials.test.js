// What Chromium can do of data channels behind trials: the peers introduced by their descriptions (SNAP), messages interleaved.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { BROWSERS, launch } from "./lib/browsers.js";
import { Session, serveAgent } from "./lib/session.js";

const TRIALS = ["WebRTC-Sctp-Snap", "WebRTC-DataChannelMessageInterleaving"];

const SUPPORTED_EXTENSIONS = 0x8008;
const I_DATA = 64;

/** The types of the chunks that the INIT in a description names as supported. */
function supported(sdp) {
  const [, base64] = /^a=sctp-init:(.*)\r$/m.exec(sdp);
  const chunk = Buffer.from(base64, "base64");
  assert.equal(chunk[0], 1, "it is an INIT");
  for (let at = 20; at < chunk.length; at += (chunk.readUInt16BE(at + 2) + 3) & ~3) {
    if (chunk.readUInt16BE(at) === SUPPORTED_EXTENSIONS) return [...chunk.subarray(at + 4, at + chunk.readUInt16BE(at + 2))];
  }
  return [];
}

/** Which part of so many connections were introduced, as Chromium counts them; it asks its processes while they live. */
async function introduced(browser, connections) {
  const page = await browser.newPage();
  try {
    for (let rest = 40; rest > 0; rest--) {
      await page.goto("chrome://histograms/#WebRTC.PeerConnection.NegotiatedSctpSnap");
      await new Promise((resolve) => setTimeout(resolve, 250));
      const text = await page.evaluate(() => document.body.innerText);
      const [, samples, mean] = /NegotiatedSctpSnap recorded (\d+) samples?, mean = ([\d.]+)/.exec(text) ?? [];
      if (Number(samples) === connections) return Number(mean);
      await page.goto("about:blank");
    }
  } finally {
    await page.close();
  }
  throw new Error("Chromium does not say whether connections were introduced");
}

describe("chromium, with trials", { concurrency: false, skip: !BROWSERS.includes("chromium") }, () => {
  let browser;
  let server;

  before(async () => {
    server = await serveAgent();
    browser = await launch("chromium", { trials: TRIALS });
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  for (const [number, offerer] of ["browser", "program"].entries()) {
    test(`introduced and interleaved, offer by the ${offerer}`, { timeout: 120_000 }, async () => {
      const session = await Session.open(browser, server.url);
      try {
        await session.connect({ offerer, channels: [["large", {}], ["small", {}]] });
        const sides = () => session.page.evaluate(() => [agent.peer.localDescription.sdp, agent.peer.remoteDescription.sdp]);
        for (const sdp of await sides()) assert.ok(supported(sdp).includes(I_DATA), sdp);

        assert.equal(await introduced(browser, number + 1), 1);

        const large = Array.from({ length: 16 }, (_, seed) => ({ size: 256 * 1024, seed }));
        const all = session.echo("large", ...large);
        for (let round = 0; round < 20; round++) {
          assert.equal(await session.echo("small", { text: `${round}, in between` }), null);
        }
        assert.equal(await all, null);

        // Who is introduced stays who it is.
        const before = await sides();
        await session.page.evaluate(() => {
          agent.peer.restartIce();
          return agent.describe();
        });
        await session.until("restarted", () => agent.peer.signalingState === "stable" && agent.peer.iceConnectionState === "connected");
        const line = (sdp) => /^a=sctp-init:.*$/m.exec(sdp)[0];
        assert.deepEqual((await sides()).map(line), before.map(line));
        assert.equal(await session.echo("small", { text: "again" }), null);
        assert.deepEqual(session.peer.all("error"), []);
        await session.close();
      } catch (error) {
        console.error(`offer by the ${offerer}:\n${await session.report()}`);
        await session.abandon();
        throw error;
      }
    });
  }
});
