// What the peers find between them when each sits behind a NAT of the kernel's: the best way that there is, and always one.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { Coturn } from "../browser/lib/coturn.js";
import { Peer } from "../browser/lib/program.js";

const PATIENCE = 15_000;

const within = (space) => ["ip", "netns", "exec", space];

/** What a router does with what comes from the inside. */
const RULES = {
  // A port of its own for each destination, drawn at random.
  symmetric: "oifname wan masquerade random,fully-random",
  // The port stays as it is, whatever the destination.
  cone: "oifname wan masquerade",
};

/** Of what comes from the outside a tenth is lost. */
const LOSS = "iifname wan ip protocol udp numgen random mod 10 < 1 drop;";

function router(side, kind, { udp = true, lossy = false } = {}) {
  const forward = `${udp ? "" : "ip protocol udp drop;"} ${lossy ? LOSS : ""}`;
  const rules = `flush ruleset
    table ip nat {
      chain out { type nat hook postrouting priority 100; ${RULES[kind]}; }
      chain unasked { type filter hook input priority 0; iifname wan ct state new drop; }
      chain forward { type filter hook forward priority 0; ${forward} }
    }`;
  execFileSync("ip", ["netns", "exec", side, "nft", "-f", "-"], { input: rules });
}

/** One peer each in the two homes, and everything that they say passed on. */
class Homes {
  constructor() {
    this.log = [];
    [this.alice, this.bob] = ["alice", "bob"].map((space) => new Peer(this.log, within(space)));
    this.pass(this.alice, this.bob);
    this.pass(this.bob, this.alice);
  }

  pass(from, to) {
    from.onsignal = (line) => {
      if (["offer", "answer", "candidate"].includes(line.type)) to.say(line);
    };
  }

  async connect(alices, bobs) {
    await Promise.all([this.alice.line("hello"), this.bob.line("hello")]);
    this.alice.say({ type: "start", scenario: "data-echo", role: "offerer", trickle: true, onMessage: "report", iceServers: alices });
    this.bob.say({ type: "start", scenario: "data-echo", role: "answerer", trickle: true, iceServers: bobs });
    await this.alice.do("channel", { label: "first" });
    await this.alice.do("offer");
    await Promise.all([this.alice, this.bob].map((peer) => peer.line("channel-open", { label: "first" })));
    await this.alice.do("send", { label: "first", text: "through the wall" });
    await this.alice.line("message", { text: "through the wall" });
  }

  /** The ways that the two take. */
  async ways() {
    const figures = await Promise.all([this.alice, this.bob].map((peer) => peer.do("stats")));
    return figures.map(({ stats }) => `${stats.pair.transport} ${stats.pair.local} ${stats.pair.remote}`);
  }

  /** Those that they take when `are` holds of them; where datagrams are lost the best is found in a while. */
  async settle(are) {
    let ways = await this.ways();
    for (const began = Date.now(); !are(ways) && Date.now() - began < PATIENCE; ways = await this.ways()) await pause(100);
    return ways;
  }

  async quit() {
    await Promise.all([this.alice.quit(), this.bob.quit()]);
  }

  async kill() {
    await Promise.all([this.alice.kill(), this.bob.kill()]);
  }
}

/** The routers, and whether the two have to go through the relay. */
const CASES = [
  { left: "cone", right: "cone", relayed: false },
  { left: "symmetric", right: "symmetric", relayed: true },
  { left: "symmetric", right: "cone", relayed: true },
  { left: "cone", right: "symmetric", relayed: true },
];

describe("behind the kernel's NATs", { concurrency: false }, () => {
  let turn;

  before(async () => {
    turn = await Coturn.start("203.0.113.9", { prefix: within("inet") });
  });
  after(() => turn?.stop());

  const run = (title, prepare, by, are) => test(title, { timeout: 60_000 }, async (t) => {
    prepare();
    const homes = new Homes();
    try {
      const began = Date.now();
      await homes.connect(by.map((transport) => turn.by(transport)), [turn.by("udp")]);
      const after = Date.now() - began;
      const ways = await homes.settle(are);
      t.diagnostic(`connected after ${after} ms: ${ways.join(" and ")}`);
      assert.ok(are(ways), String(ways));
      await homes.quit();
    } catch (error) {
      console.error(`${homes.log.slice(-80).join("\n")}\n${turn.log().slice(-3000)}`);
      await homes.kill();
      throw error;
    }
  });

  for (const lossy of [false, true]) {
    for (const { left, right, relayed } of CASES) {
      run(`${left} and ${right}${lossy ? ", a tenth lost" : ""}`, () => {
        router("left", left, { lossy });
        router("right", right, { lossy });
      }, ["udp"], (ways) => ways.some((way) => way.includes("relayed")) === relayed);
    }
  }

  run("no UDP on one side, and the server by TCP", () => {
    router("left", "symmetric", { udp: false });
    router("right", "symmetric");
  }, ["tcp"], ([alices]) => / relayed /.test(alices));
});
