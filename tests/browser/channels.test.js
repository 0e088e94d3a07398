// Data channels between a bare page and the scriptable peer: every kind, both ways, whoever offers.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";

import { BROWSERS, launch } from "./lib/browsers.js";
import { Session, serveAgent } from "./lib/session.js";

const BULK = { size: 64 * 1024, count: 256 };
const LARGEST = 256 * 1024;

// Firefox announces a gigabyte, and takes what its receive window holds: a Firefox does not get 16 MiB from another.
const LARGE = { size: 4 * 1024 * 1024, count: 1 };

/** The SHA-256 of the messages that both sides make of {size, count}. */
function bulkHash({ size, count }) {
  const hash = createHash("sha256");
  const message = Buffer.alloc(size);
  for (let seed = 0; seed < count; seed++) {
    for (let i = 0; i < size; i++) message[i] = (i * 7 + (i >> 8) + seed) & 255;
    hash.update(message);
  }
  return hash.digest("hex");
}

const MESSAGES = [
  { text: "plain" },
  { text: "Grüße, 你好, 💃🕺 \u0000 \r\n" },
  { size: 1 },
  { text: "" },
  { size: 0 },
  { size: 1200, seed: 3 },
  { text: "é", times: LARGEST / 2 },
  { size: LARGEST, seed: 5 },
  { text: "last" },
];

const texts = (count) => Array.from({ length: count }, (_, n) => ({ text: `number ${n}` }));

/** Echoes on a channel that may reorder: all have to come back, in whatever order. */
async function echoUnordered(session, label, count) {
  const messages = texts(count);
  await session.page.evaluate((label, messages) => agent.send(label, ...messages), label, messages);
  await session.until(`${count} messages back`, (label, count) => agent.channels.get(label).messages.length >= count, label, count);
  const came = await session.page.evaluate((label) => agent.channels.get(label).messages, label);
  assert.deepEqual(came.sort(), messages.map(({ text }) => text).sort());
}

/** What the side that did not create the channel knows of it. */
async function announced(session, label) {
  if (session.offerer === "browser") {
    const { protocol, ordered, maxRetransmits, maxPacketLifeTime } = await session.peer.line("channel", { label });
    return { protocol, ordered, maxRetransmits, maxPacketLifeTime };
  }
  return session.page.evaluate((label) => {
    const { protocol, ordered, maxRetransmits, maxPacketLifeTime } = agent.channels.get(label).channel;
    return { protocol, ordered, maxRetransmits, maxPacketLifeTime };
  }, label);
}

/** One channel with these settings; all that is sent on it comes back. */
function settingsTest(init) {
  return async (session, offerer) => {
    await session.connect({ offerer, channels: [["special", init]] });
    const defaults = { protocol: "", ordered: true, maxRetransmits: null, maxPacketLifeTime: null };
    assert.deepEqual(await announced(session, "special"), { ...defaults, ...init });
    await echoUnordered(session, "special", 200);
  };
}

const TESTS = {
  "texts and bytes of all sizes come back": async (session, offerer, t) => {
    await session.connect({ offerer });
    assert.equal(await session.echo("first", ...MESSAGES), null);
    const { stats } = await session.peer.do("stats");
    const after = await session.page.evaluate(() => agent.connectedAfter);
    t.diagnostic(`connected after ${after.toFixed(0)} ms, ${stats.dtls.version} ${stats.dtls.cipher}, program is ${stats.dtls.role}`);
    assert.equal(stats.connection, "connected");
    assert.equal(session.peer.all("channel-open").length, 1);
  },

  "16 MiB from the page": async (session, offerer, t) => {
    await session.connect({ offerer, channels: [["sink", {}]] });
    const start = performance.now();
    await session.page.evaluate(({ size, count }) => agent.sendBulk("sink", size, count), BULK);
    await session.page.evaluate(() => agent.send("sink", { text: "report" }));
    await session.until("reported", () => agent.channels.get("sink").messages.length > 0);
    const seconds = (performance.now() - start) / 1000;
    const report = JSON.parse(await session.page.evaluate(() => agent.channels.get("sink").messages[0]));
    assert.deepEqual(report, { count: BULK.count, bytes: BULK.size * BULK.count, sha256: bulkHash(BULK) });
    t.diagnostic(`${((BULK.size * BULK.count * 8) / seconds / 1e6).toFixed(0)} Mbit/s`);
  },

  "16 MiB from the program": async (session, offerer, t) => {
    await session.connect({ offerer, channels: [["bulk", {}]] });
    const start = performance.now();
    await session.peer.do("send", { label: "bulk", pattern: BULK });
    await session.until("all there", (bytes) => agent.bytes("bulk") >= bytes, BULK.size * BULK.count);
    const seconds = (performance.now() - start) / 1000;
    assert.equal(await session.page.evaluate(() => agent.channels.get("bulk").messages.length), BULK.count);
    assert.equal(await session.page.evaluate(() => agent.hash("bulk")), bulkHash(BULK));
    t.diagnostic(`${((BULK.size * BULK.count * 8) / seconds / 1e6).toFixed(0)} Mbit/s`);
  },

  "8 MiB there and back, both sides sending at once": async (session, offerer) => {
    const half = { size: BULK.size, count: BULK.count / 2 };
    await session.connect({ offerer, channels: [["echoed", {}], ["bulk", {}]] });
    const given = session.peer.do("send", { label: "bulk", pattern: half });
    await session.page.evaluate(({ size, count }) => agent.sendBulk("echoed", size, count), half);
    await given;
    for (const label of ["echoed", "bulk"]) {
      await session.until("all there", (label, bytes) => agent.bytes(label) >= bytes, label, half.size * half.count);
      assert.equal(await session.page.evaluate((label) => agent.hash(label), label), bulkHash(half), label);
    }
  },

  "a message of 4 MiB, which the other side takes or refuses": async (session, offerer) => {
    await session.connect({ offerer });
    const [theirs, ours] = await session.page.evaluate(() =>
      ["localDescription", "remoteDescription"].map((side) => Number(/a=max-message-size:(.*)/.exec(agent.peer[side].sdp)[1])));
    const sent = session.peer.do("send", { label: "first", pattern: LARGE });
    if (theirs < LARGE.size) {
      await assert.rejects(sent, new RegExp(`the peer takes messages of at most ${theirs} bytes`));
    } else {
      await sent;
      await session.until("there", (bytes) => agent.bytes("first") >= bytes, LARGE.size);
      assert.equal(await session.page.evaluate(() => agent.hash("first")), bulkHash(LARGE));
    }
    assert.equal(ours, LARGEST);
    assert.equal(await session.echo("first", { size: LARGEST, seed: 9 }), null);
    // What was refused is the script's error, and no fault of the connection's.
    session.peer.seen = session.peer.seen.filter(({ type }) => type !== "error");
  },

  "unordered": settingsTest({ ordered: false }),
  "maxRetransmits 0": settingsTest({ ordered: false, maxRetransmits: 0 }),
  "maxRetransmits 3, ordered, with a protocol": settingsTest({ maxRetransmits: 3, protocol: "pavane.test" }),
  "maxPacketLifeTime": settingsTest({ ordered: false, maxPacketLifeTime: 500 }),

  "negotiated ids": async (session, offerer) => {
    await session.connect({ offerer });
    const other = offerer === "browser" ? "program" : "browser";
    for (const id of [6, 1001]) {
      for (const side of [offerer, other]) await session.create(side, `agreed ${id}`, { negotiated: true, id });
      await session.opened(`agreed ${id}`);
      assert.equal(await session.echo(`agreed ${id}`, { text: "agreed" }, { size: 5000, seed: id }), null);
      assert.equal(await session.page.evaluate((label) => agent.channels.get(label).channel.id, `agreed ${id}`), id);
    }
    assert.ok(session.peer.all("channel").every(({ label }) => label === "first"), "negotiated channels are not announced");
  },

  "a hundred channels": async (session, offerer) => {
    const labels = Array.from({ length: 100 }, (_, n) => `channel ${n}`);
    await session.connect({ offerer, channels: labels.map((label) => [label, {}]) });
    await session.page.evaluate((labels) => labels.forEach((label) => agent.send(label, { text: label })), labels);
    await session.until("answered on all", (labels) => labels.every((label) => agent.channels.get(label).messages.length > 0), labels);
    const came = await session.page.evaluate((labels) => labels.map((label) => agent.channels.get(label).messages), labels);
    assert.deepEqual(came, labels.map((label) => [label]));
    const ids = await session.page.evaluate((labels) => labels.map((label) => agent.channels.get(label).channel.id), labels);
    assert.equal(new Set(ids).size, 100);
    assert.equal(new Set(ids.map((id) => id % 2)).size, 1, "all ids are even or all are odd");
  },

  "channels made by the answering side, and later": async (session, offerer) => {
    await session.connect({ offerer });
    const other = offerer === "browser" ? "program" : "browser";
    for (const [side, label] of [[other, "answerer's"], [offerer, "later"], [other, "latest"]]) {
      await session.create(side, label);
      await session.opened(label);
      assert.equal(await session.echo(label, { text: label }, { size: 3000 }), null);
    }
  },

  "a channel closed by the page": async (session, offerer) => {
    await session.connect({ offerer, channels: [["brief", {}], ["lasting", {}]] });
    assert.equal(await session.echo("brief", { text: "before the end" }), null);
    await session.page.evaluate(() => agent.channels.get("brief").channel.close());
    await session.peer.line("channel-closed", { label: "brief" });
    await session.until("closed in the page", () => agent.channels.get("brief").closed === 1);
    assert.equal(await session.echo("lasting", { text: "still here" }), null);
  },

  "a channel closed by the program": async (session, offerer) => {
    await session.connect({ offerer, channels: [["brief", {}], ["lasting", {}]] });
    assert.equal(await session.echo("brief", { text: "before the end" }), null);
    await session.peer.do("close-channel", { label: "brief" });
    await session.until("closed in the page", () => agent.channels.get("brief").closed === 1);
    await session.peer.line("channel-closed", { label: "brief" });
    assert.equal(await session.echo("lasting", { text: "still here" }), null);
  },

  "closed and made again, many times": async (session, offerer) => {
    await session.connect({ offerer, channels: [["lasting", {}]] });
    for (let round = 0; round < 12; round++) {
      const label = `round ${round}`;
      await session.create(round % 2 ? "program" : "browser", label);
      await session.opened(label);
      assert.equal(await session.echo(label, { text: label }), null);
      if (round % 3) await session.page.evaluate((label) => agent.channels.get(label).channel.close(), label);
      else await session.peer.do("close-channel", { label });
      await session.until("closed in the page", (label) => agent.channels.get(label).closed === 1, label);
      await session.peer.line("channel-closed", { label });
    }
  },

  "the connection closed by the page": async (session, offerer) => {
    await session.connect({ offerer, channels: [["one", {}], ["two", {}]] });
    // A connection that is closed refuses candidates that are still on their way to it.
    await session.settle();
    await session.page.evaluate(() => agent.peer.close());
    await session.peer.line("channel-closed", { label: "one" });
    await session.peer.line("channel-closed", { label: "two" });
  },

  "the connection closed by the program": async (session, offerer) => {
    await session.connect({ offerer, channels: [["one", {}], ["two", {}]] });
    await session.peer.do("close");
    await session.until("closed in the page", () => ["one", "two"].every((label) => agent.channels.get(label).closed === 1));
    await session.until("told of the transport's end", () => agent.peer.sctp.transport.state === "closed");
  },

  "the end of the page's process, without a word": async (session, offerer) => {
    await session.connect({ offerer });
    await session.settle();
    await session.page.goto("about:blank");
    await Promise.any(["disconnected", "failed", "closed"].map((connection) => session.peer.line("state", { connection })));
  },

  "the end of the program, without a word": async (session, offerer) => {
    await session.connect({ offerer });
    await session.peer.kill();
    await session.until("noticed", () => ["disconnected", "failed"].includes(agent.peer.connectionState));
  },

  "only the program knows where to": async (session, offerer) => {
    session.withhold = "program";
    await session.connect({ offerer });
    assert.equal(await session.echo("first", { text: "found by name or address" }), null);
  },

  "only the page knows where to": async (session, offerer) => {
    session.withhold = "page";
    await session.connect({ offerer });
    assert.equal(await session.echo("first", { text: "found by its checks" }), null);
  },

  "offers that cross": async (session, offerer) => {
    await session.connect({ offerer });
    for (let round = 0; round < 5; round++) {
      // The scriptable peer is the polite one: whatever comes first, the page's offer stands.
      const offered = session.peer.do("offer", { iceRestart: round % 2 === 1 });
      await session.page.evaluate(() => agent.describe());
      await offered;
      await session.until("settled", () => agent.peer.signalingState === "stable");
      assert.equal(await session.echo("first", { text: `round ${round}` }), null);
    }
  },

  "all candidates in the descriptions": async (session, offerer) => {
    await session.connect({ offerer, trickle: false });
    assert.equal(await session.echo("first", { text: "joined" }), null);
    assert.deepEqual(session.candidates, []);
    assert.deepEqual(session.peer.all("candidate"), []);
    assert.match(session.descriptions[0].sdp, /^a=candidate:/m);
  },

  "ICE restarts, by either side": async (session, offerer) => {
    await session.connect({ offerer });
    const ufrag = () => session.page.evaluate(() => ["localDescription", "remoteDescription"].map((side) => /a=ice-ufrag:(.*)/.exec(agent.peer[side].sdp)[1]));
    for (const restart of [
      () => session.page.evaluate(() => { agent.peer.restartIce(); return agent.describe(); }),
      () => session.peer.do("offer", { iceRestart: true }),
    ]) {
      const before = await ufrag();
      await restart();
      await session.until("restarted", (before) =>
        agent.peer.signalingState === "stable" && ["localDescription", "remoteDescription"].every((side, i) => /a=ice-ufrag:(.*)/.exec(agent.peer[side].sdp)[1] !== before[i]), before);
      assert.equal(await session.echo("first", { text: "restarted" }, { size: 100_000 }), null);
      await session.until("connected again", () => ["connected", "completed"].includes(agent.peer.iceConnectionState));
    }
  },
};

/** Those that are about how the two find each other. */
const FINDING = [
  "texts and bytes of all sizes come back",
  "only the program knows where to",
  "only the page knows where to",
  "all candidates in the descriptions",
];

/** The host candidates of the page, from all that it sent. */
function hosts(session) {
  const lines = session.descriptions.flatMap(({ sdp }) => sdp.match(/^a=candidate:.*$/gm) ?? []);
  return [...lines, ...session.candidates.map(({ candidate }) => candidate)]
    .map((line) => line.split(" "))
    .filter((words) => words[7] === "host")
    .map((words) => words[4]);
}

for (const name of BROWSERS) {
  for (const names of [true, false]) {
    describe(`${name}, ${names ? "addresses hidden by mDNS names" : "addresses shown"}`, { concurrency: false }, () => {
      let browser;
      let server;

      before(async () => {
        server = await serveAgent();
        browser = await launch(name, { names });
      });
      after(async () => {
        await browser?.close();
        server?.close();
      });

      for (const offerer of ["browser", "program"]) {
        for (const [title, body] of Object.entries(TESTS)) {
          if (!names && !FINDING.includes(title)) continue;
          test(`${title}, offer by the ${offerer}`, { timeout: 180_000 }, async (t) => {
            const session = await Session.open(browser, server.url);
            try {
              await body(session, offerer, t);
              assert.ok(hosts(session).length > 0);
              assert.deepEqual(hosts(session).filter((host) => host.endsWith(".local") !== names), [], "candidates of the other kind");
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
}
