// A bare page and a scriptable peer, joined: each one's descriptions and candidates are passed on to the other.

import http from "node:http";
import fs from "node:fs";

import { open } from "./browsers.js";
import { Peer } from "./program.js";

const PATIENCE = 30_000;

/** Serves the bare page; browsers have SHA-256 for secure contexts alone, which loopback addresses are. */
export async function serveAgent() {
  const script = fs.readFileSync(new URL("agent.js", import.meta.url), "utf8");
  const server = http.createServer((_, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><title>Agent</title><link rel="icon" href="data:,"><script>${script}</script>`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.url = `http://127.0.0.1:${server.address().port}/`;
  return server;
}

/** A line without its addresses; null when nothing is left of it. */
const placeless = (line) => only(line, () => false);

/** A line with those candidates alone that `keep` is true of; null when nothing is left of it. */
function only(line, keep) {
  if (line.type === "candidate") return keep(line.candidate) ? line : null;
  const sdp = line.sdp.replace(/^a=(candidate:.*)\r\n/gm, (whole, candidate) => (keep(candidate) ? whole : ""));
  return { ...line, sdp: sdp.replace(/^a=end-of-candidates.*\r\n/gm, "") };
}

export class Session {
  /** Everything that was said on the way, for when a test fails. */
  log = [];
  descriptions = [];
  candidates = [];

  /** Whose candidates are not passed on: "page" or "program". */
  withhold = null;

  /** Which of the program's candidates are passed on; all, and what says that they are all, unless it is set. */
  keep = null;

  static async open(browser, url) {
    const session = new Session();
    session.page = await open(browser, session.log);
    await session.page.exposeFunction("emit", (line) => session.fromPage(line));
    await session.page.goto(url);
    session.peer = new Peer(session.log);
    session.turn = Promise.resolve();
    session.peer.onsignal = (line) => {
      if (["offer", "answer", "candidate"].includes(line.type)) session.toPage(line);
    };
    await session.peer.line("hello");
    return session;
  }

  fromPage(line) {
    (line.type === "candidate" ? this.candidates : this.descriptions).push(line);
    const passed = this.withhold === "page" ? placeless(line) : line;
    if (passed) this.peer.say(passed);
  }

  toPage(given) {
    let line = given;
    if (this.withhold === "program") line = placeless(given);
    else if (this.keep) line = only(given, this.keep);
    if (!line) return;
    this.turn = this.turn
      .then(() => this.page.evaluate((line) => agent.hear(line), line))
      .catch((error) => this.log.push(`the page refused ${line.type}: ${error.message}`));
  }

  /** Makes the connection; `channels` are [label, init] of what the offerer creates, `page` and `program` their configurations. */
  async connect({ offerer, trickle = true, channels = [["first", {}]], page = {}, program = {} }) {
    this.offerer = offerer;
    const role = offerer === "browser" ? "answerer" : "offerer";
    this.peer.say({ type: "start", scenario: "data-echo", role, trickle, iceServers: [], ...program });
    await this.page.evaluate((options) => agent.start(options), { trickle, offerer, configuration: page });
    for (const [label, init] of channels) await this.create(offerer, label, init);
    if (offerer === "browser") await this.page.evaluate(() => agent.describe());
    else await this.peer.do("offer");
    await this.until("connected", () => agent.peer.connectionState === "connected");
    await this.peer.line("state", { connection: "connected" });
    for (const [label] of channels) await this.opened(label);
  }

  /** `init` as for createDataChannel, with `id` for negotiated channels. */
  async create(side, label, init = {}) {
    if (side === "browser") return this.page.evaluate((label, init) => agent.create(label, init), label, init);
    const { id, ...rest } = init;
    return this.peer.do("channel", { label, ...rest, ...(id === undefined ? {} : { channelId: id }) });
  }

  async opened(label) {
    await this.until(`${label} open in the page`, (label) => agent.channels.get(label)?.channel.readyState === "open", label);
    await this.peer.line("channel-open", { label });
  }

  /** Passes nothing more on to the page, and waits until it has taken what there was. */
  async settle() {
    this.peer.onsignal = null;
    await this.turn;
  }

  /** Waits for a condition in the page. */
  async until(what, condition, ...args) {
    try {
      await this.page.waitForFunction(condition, { timeout: PATIENCE, polling: 20 }, ...args);
    } catch (error) {
      throw new Error(`not ${what} within ${PATIENCE / 1000} s`, { cause: error });
    }
  }

  /** Sends messages from the page and waits for them to come back the same, in order. */
  async echo(label, ...messages) {
    await this.page.evaluate((label, messages) => {
      agent.channels.get(label).messages = [];
      agent.send(label, ...messages);
    }, label, messages);
    await this.until(`${messages.length} messages back on ${label}`,
      (label, count) => agent.channels.get(label).messages.length >= count, label, messages.length);
    return this.page.evaluate((label, messages) => agent.compare(label, ...messages), label, messages);
  }

  async close() {
    await this.page.close();
    await this.peer.quit();
  }

  /** What there is to know after a failure. */
  async report() {
    const summary = await Promise.race([
      this.page.evaluate(() => agent.summary()).catch((error) => error.message),
      new Promise((resolve) => setTimeout(resolve, 3000, "the page does not answer")),
    ]);
    return [...this.log.slice(-150), `page: ${JSON.stringify(summary)}`].join("\n");
  }

  async abandon() {
    await this.page.close().catch(() => {});
    await this.peer.kill();
  }
}
