// Ways to the scriptable peer that a browser finds by nothing but what it is told: names, and sockets of TCP that listen.
//
// The page's own candidates are passed to nobody, so that no check of the program's shows it another way.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { BROWSERS, launch } from "./lib/browsers.js";
import { Session, serveAgent } from "./lib/session.js";

const TESTS = {
  "our addresses hide behind names": {
    program: { hideAddresses: true },
    check({ told, pair }) {
      assert.ok(told.some((line) => / udp /.test(line)));
      for (const line of told) assert.match(line, /^candidate:\S+ 1 (udp|tcp) \d+ [0-9a-f-]{36}\.local \d+ typ host/);
      assert.equal(pair.transport, "udp");
    },
  },
  "TCP alone": {
    program: { listen: true },
    keep: (line) => line === "" || / tcptype passive/.test(line),
    check({ pair, protocol }) {
      assert.equal(pair.transport, "tcp");
      assert.equal(protocol, "tcp");
    },
  },
};

/** What the page says of the way in use. */
const protocol = async () => {
  const stats = await agent.peer.getStats();
  const pair = [...stats.values()].find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
  return stats.get(pair.localCandidateId).protocol;
};

for (const name of BROWSERS) {
  describe(name, { concurrency: false }, () => {
    let browser;
    let server;

    before(async () => {
      server = await serveAgent();
      browser = await launch(name);
    });
    after(async () => {
      await browser?.close();
      server?.close();
    });

    for (const [title, { program, keep, check }] of Object.entries(TESTS)) {
      for (const offerer of ["browser", "program"]) {
        test(`${title}, offer by the ${offerer}`, { timeout: 120_000 }, async (t) => {
          const session = await Session.open(browser, server.url);
          session.withhold = "page";
          if (keep) session.keep = keep;
          try {
            await session.connect({ offerer, program });
            assert.equal(await session.echo("first", { text: "by a narrow way" }, { size: 100_000, seed: 3 }), null);
            const after = await session.page.evaluate(() => agent.connectedAfter);
            const { stats: { pair } } = await session.peer.do("stats");
            t.diagnostic(`connected after ${after.toFixed(0)} ms, ${pair.transport} ${pair.local} to ${pair.remote}`);
            const told = session.peer.all("candidate").map(({ candidate }) => candidate).filter(Boolean);
            check({ told, pair, protocol: await session.page.evaluate(protocol) });
            assert.deepEqual(session.peer.all("error"), []);
            await session.close();
          } catch (error) {
            console.error(`${name}: ${await session.report()}`);
            await session.abandon();
            throw error;
          }
        });
      }
    }
  });
}
