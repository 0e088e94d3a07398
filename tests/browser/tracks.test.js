// Pictures and sound between a bare page and the scriptable peer, which sends them back, whoever offers and whatever is added
// later.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { BROWSERS, launch } from "./lib/browsers.js";
import { Session, serveAgent } from "./lib/session.js";

/** Waits for that many pictures more on each of the tracks that come. */
async function flowing(session, tracks, more = 20) {
  const before = await session.page.evaluate(() => agent.decoded());
  await session.until(`${more} pictures more of ${tracks}`, async (tracks, goals, more) => {
    const decoded = await agent.decoded();
    const mids = Object.keys(decoded);
    return mids.length >= tracks && mids.every((mid) => decoded[mid] >= (goals[mid] ?? 0) + more);
  }, tracks, before, more);
}

const TESTS = {
  "pictures and sound come back": async (session, offerer, t) => {
    await session.page.evaluate(() => agent.prepare());
    await session.connect({ offerer });
    if (offerer === "program") {
      for (const kind of ["audio", "video"]) await session.peer.do("transceiver", { kind, direction: "sendrecv" });
      await session.page.evaluate(() => agent.sendOnOffer());
      await session.peer.do("offer");
    } else {
      await session.page.evaluate(() => agent.sendTracks());
      await session.page.evaluate(() => agent.describe());
    }
    await flowing(session, 1);
    const { stats } = await session.peer.do("stats");
    t.diagnostic(`${stats.dtls.srtp}; ${stats.inbound.map(({ kind, packets }) => `${kind} ${packets}`).join(", ")}`);
    assert.deepEqual(stats.inbound.map(({ kind }) => kind).sort(), ["audio", "video"]);
    assert.ok(stats.inbound.every(({ packets, mid }) => packets > 10 && typeof mid === "string"));
    assert.match(stats.dtls.srtp, /^SRTP_/);
    assert.equal(session.peer.all("track").length, 2);
  },

  "a second picture is added, and the first is taken away": async (session, offerer) => {
    await session.page.evaluate(() => agent.prepare());
    await session.connect({ offerer });
    await session.page.evaluate(() => agent.sendTracks());
    await session.page.evaluate(() => agent.describe());
    await flowing(session, 1);
    await session.page.evaluate(() => agent.sendTracks());
    await session.page.evaluate(() => agent.describe());
    await flowing(session, 2);
    await session.page.evaluate(() => agent.stopFirst());
    await session.page.evaluate(() => agent.describe());
    await session.until("settled", () => agent.peer.signalingState === "stable");
    await flowing(session, 1);
  },
};

for (const name of BROWSERS) {
  describe(`${name}, tracks`, { concurrency: false }, () => {
    let browser;
    let server;

    before(async () => {
      server = await serveAgent();
      browser = await launch(name, { names: false, media: true });
    });
    after(async () => {
      await browser?.close();
      server?.close();
    });

    for (const offerer of ["browser", "program"]) {
      for (const [title, body] of Object.entries(TESTS)) {
        test(`${title}, offer by the ${offerer}`, { timeout: 120_000 }, async (t) => {
          const session = await Session.open(browser, server.url);
          try {
            await body(session, offerer, t);
            assert.deepEqual(session.peer.all("error"), []);
            assert.deepEqual(session.log.filter((line) => line.startsWith("page ") || line.startsWith("the page refused")), []);
            await session.close();
            assert.deepEqual(session.log.filter((line) => line.startsWith("stdio: ")), [], "standard error is empty");
          } catch (error) {
            console.error(`${name}, ${title}, offer by the ${offerer}:\n${await session.report()}`);
            await session.abandon();
            throw error;
          }
        });
      }
    }
  });
}
