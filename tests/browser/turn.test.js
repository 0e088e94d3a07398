// The scriptable peer and browsers through a TURN server, when one or both of them may be reached in no other way.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { BROWSERS, launch } from "./lib/browsers.js";
import { Coturn } from "./lib/coturn.js";
import { Session, serveAgent } from "./lib/session.js";

/** Where both the browser and the program have an address, in the tests' network. */
const ADDRESS = process.env.PAVANE_TEST_ADDRESS ?? "10.77.0.1";

/** How the page and the program reach the server; null for who has all of its candidates and no server. */
const WAYS = [
  { page: "udp", program: null },
  { page: "tcp", program: null },
  { page: null, program: "udp" },
  { page: null, program: "tcp" },
  { page: null, program: "tls" },
  { page: "udp", program: "tls" },
  { page: "tcp", program: "udp" },
];

const named = (way) => way ?? "no server";

const configuration = (server, way) => (way ? { iceServers: [server.by(way)], iceTransportPolicy: "relay" } : {});

/** The types of a side's candidates. */
function types(lines) {
  const all = lines.flatMap((line) => line.sdp?.match(/^a=candidate:.*$/gm) ?? (line.candidate ? [line.candidate] : []));
  return new Set(all.map((line) => / typ (\w+)/.exec(line)[1]));
}

for (const name of BROWSERS) {
  describe(name, { concurrency: false }, () => {
    let browser;
    let server;
    let turn;

    before(async () => {
      turn = await Coturn.start(ADDRESS);
      process.env.SSL_CERT_FILE = turn.certificate;
      server = await serveAgent();
      // A relay is not told names: who hides behind them is not reached through one.
      browser = await launch(name, { names: false });
    });
    after(async () => {
      await browser?.close();
      server?.close();
      await turn?.stop();
    });

    for (const { page, program } of WAYS) {
      for (const offerer of ["browser", "program"]) {
        test(`page by ${named(page)}, program by ${named(program)}, offer by the ${offerer}`, { timeout: 120_000 }, async (t) => {
          const session = await Session.open(browser, server.url);
          try {
            await session.connect({ offerer, page: configuration(turn, page), program: configuration(turn, program) });
            assert.equal(await session.echo("first", { text: "through the relay" }, { size: 100_000, seed: 3 }), null);
            const { stats } = await session.peer.do("stats");
            const after = await session.page.evaluate(() => agent.connectedAfter);
            t.diagnostic(`connected after ${after.toFixed(0)} ms, ${stats.pair.local} to ${stats.pair.remote}`);
            const ours = session.peer.seen.filter(({ type }) => ["offer", "answer", "candidate"].includes(type));
            if (page) assert.deepEqual(types([...session.descriptions, ...session.candidates]), new Set(["relay"]));
            if (program) assert.deepEqual(types(ours), new Set(["relay"]));
            if (program) assert.equal(stats.pair.local, "relayed");
            assert.deepEqual(session.peer.all("error"), []);
            await session.close();
          } catch (error) {
            console.error(`${name}: ${await session.report()}\n${turn.log().slice(-3000)}`);
            await session.abandon();
            throw error;
          }
        });
      }
    }
  });
}
