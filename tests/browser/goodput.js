// Data channels over a bad path, by a browser and by us: `run goodput.js`, with PAVANE_EXAMPLES where the release examples are.
// The relay between the two has 100 Mbit/s, 100 ms of round trip and loses 1 % unless PAVANE_PATH says otherwise ("100 100 1").
// It takes minutes, most of them the browsers'.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import readline from "node:readline";
import { test } from "node:test";

import { BROWSERS, launch } from "./lib/browsers.js";
import { serveAgent, Session } from "./lib/session.js";

const ADDRESS = "10.77.0.1";
const PATH = (process.env.PAVANE_PATH ?? "100 100 1").split(" ");
const MESSAGE = 64 * 1024;
const OURS = 256 * 1024 * 1024;
const THEIRS = 8 * 1024 * 1024;

class Relay {
  static async start() {
    const relay = new Relay();
    relay.process = spawn(path.join(process.env.PAVANE_EXAMPLES, "relay"), [ADDRESS, ...PATH]);
    const [port] = await once(readline.createInterface({ input: relay.process.stdout }), "line");
    relay.port = port;
    return relay;
  }

  /** Puts itself between the page and the program of a session. */
  join(session) {
    session.withhold = "page";
    const { toPage } = session;
    session.toPage = (line) => {
      if (line.sdp) return toPage.call(session, { ...line, sdp: line.sdp.replace(/^a=(candidate|end-of-candidates).*\r\n/gm, "") });
      const words = line.candidate.split(" ");
      if (words[2]?.toLowerCase() !== "udp" || words[4] !== ADDRESS || this.told) return;
      this.told = true;
      this.process.stdin.write(`${words[5]}\n`);
      words[5] = this.port;
      toPage.call(session, { ...line, candidate: words.join(" ") });
    };
  }

  close() {
    this.process.kill();
  }
}

for (const name of BROWSERS) {
  test(`${name} over ${PATH[0]} Mbit/s, ${PATH[1]} ms, ${PATH[2]} %`, { timeout: 1_800_000 }, async (t) => {
    const server = await serveAgent();
    const browser = await launch(name);
    const relay = await Relay.start();
    try {
      const session = await Session.open(browser, server.url);
      relay.join(session);
      await session.connect({ offerer: "browser", channels: [["sink", {}], ["down", {}]] });
      const down = await receive(session);
      const up = await send(session);
      t.diagnostic(`from us ${down.toFixed(1)} Mbit/s, from ${name} ${up.toFixed(2)} Mbit/s: ${(down / up).toFixed(1)} times`);
      assert.ok(down >= up * 10, `${down} against ${up} Mbit/s`);
      await session.close();
    } finally {
      relay.close();
      await browser.close();
      server.close();
    }
  });
}

/** Megabits a second from the program to the page. */
async function receive(session) {
  await session.page.evaluate(() => {
    const kept = agent.channels.get("down");
    kept.bytes = 0;
    kept.channel.onmessage = ({ data }) => {
      kept.began ??= performance.now();
      kept.bytes += data.byteLength;
      kept.ended = performance.now();
    };
  });
  session.peer.say({ type: "do", id: 9001, op: "send", label: "down", pattern: { size: MESSAGE, count: OURS / MESSAGE } });
  const began = Date.now();
  for (;;) {
    const [bytes, time] = await session.page.evaluate(() => {
      const { bytes, began, ended } = agent.channels.get("down");
      return [bytes, ended - began];
    });
    if (bytes === OURS) return (bytes * 8) / time / 1000;
    assert.ok(Date.now() - began < 600_000, `${bytes} bytes have come`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Megabits a second from the page to the program. */
async function send(session) {
  const time = await session.page.evaluate(async (size, count) => {
    const { channel } = agent.channels.get("sink");
    const answered = new Promise((resolve) => { channel.onmessage = resolve; });
    const began = performance.now();
    await agent.sendBulk("sink", size, count);
    channel.send("report");
    await answered;
    return performance.now() - began;
  }, MESSAGE, THEIRS / MESSAGE);
  return (THEIRS * 8) / time / 1000;
}
