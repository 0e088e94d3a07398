// A path that loses packets: a UDP relay between the page and the program, which each take for the other.
//
// The page's candidates are kept from the program and the program's are replaced by the relay's one. Each address that the
// page sends from gets a socket of its own towards the program, as with a NAT; the program finds the page by its checks.

import dgram from "node:dgram";
import { once } from "node:events";

/** Where both the browser and the program have an address, in the tests' network. */
const ADDRESS = process.env.PAVANE_TEST_ADDRESS ?? "10.77.0.1";
/** RTP and RTCP begin with these (RFC 7983). */
const isMedia = (packet) => packet[0] >= 128 && packet[0] <= 191;
/** RTCP's types, where RTP has its marker and payload type (RFC 5761). */
const isRtcp = (packet) => packet[1] >= 192 && packet[1] <= 223;

/** Numbers from 0 to 1, the same for the same seed. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

export class Relay {
  /** The share of packets of any kind that is lost, either way. */
  loss = 0;
  /** Whether all RTP from the program to the page is lost; RTCP passes. */
  dark = false;
  /** What the page hears in place of a line from the program. */
  rewrite = (line) => line;
  passed = 0;
  lost = 0;
  /** From the page's addresses to the sockets that stand for them. */
  guests = new Map();

  static async start(seed) {
    const relay = new Relay();
    relay.random = random(seed);
    relay.near = dgram.createSocket("udp4");
    relay.near.bind(0, ADDRESS);
    await once(relay.near, "listening");
    relay.near.on("message", (packet, { address, port }) => relay.fromPage(packet, address, port));
    return relay;
  }

  /** Puts itself between a page and whatever is behind its WebSocket; to be called before the page is loaded. */
  async join(page) {
    await page.exposeFunction("relayed", (line) => this.relayed(line));
    await page.evaluateOnNewDocument(between);
  }

  /** What the page gets to see of a line from the program: null for nothing. */
  relayed(line) {
    if (line.sdp) return this.rewrite({ ...line, sdp: withoutCandidates(line.sdp) });
    if (line.type !== "candidate" || line.candidate === "") return line;
    const words = line.candidate.split(" ");
    if (words[2].toLowerCase() !== "udp" || words[4] !== ADDRESS || this.told) return null;
    this.told = true;
    this.program = Number(words[5]);
    words[5] = String(this.near.address().port);
    return { ...line, candidate: words.join(" ") };
  }

  fromPage(packet, address, port) {
    const key = `${address}:${port}`;
    let guest = this.guests.get(key);
    if (!guest) {
      guest = dgram.createSocket("udp4");
      guest.on("message", (back) => this.pass(back, this.dark && isMedia(back) && !isRtcp(back), () => this.near.send(back, port, address)));
      guest.bind(0, ADDRESS);
      this.guests.set(key, guest);
    }
    if (this.program) this.pass(packet, false, () => guest.send(packet, this.program, ADDRESS));
  }

  pass(packet, doomed, send) {
    if (doomed || this.random() < this.loss) {
      this.lost += 1;
    } else {
      this.passed += 1;
      send();
    }
  }

  close() {
    for (const socket of [this.near, ...this.guests.values()]) socket.close();
  }
}

const withoutCandidates = (sdp) => sdp.replace(/^a=(candidate|end-of-candidates).*\r\n/gm, "");

/** Runs in the page: its WebSocket, with what is said through it passed on as the relay wants it. */
function between() {
  const Plain = globalThis.WebSocket;
  globalThis.WebSocket = class extends EventTarget {
    static OPEN = 1;
    turn = Promise.resolve();

    constructor(url) {
      super();
      this.plain = new Plain(url);
      for (const name of ["open", "close"]) this.plain.addEventListener(name, () => this.dispatchEvent(new Event(name)));
      this.plain.addEventListener("message", ({ data }) => {
        this.turn = this.turn.then(() => relayed(JSON.parse(data))).then((line) => {
          if (line) this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(line) }));
        });
      });
    }

    get readyState() {
      return this.plain.readyState;
    }

    send(data) {
      const line = JSON.parse(data);
      if (line.type === "candidate" && line.candidate !== "") return;
      if (line.sdp) line.sdp = line.sdp.replace(/^a=(candidate|end-of-candidates).*\r\n/gm, "");
      this.plain.send(JSON.stringify(line));
    }

    close() {
      this.plain.close();
    }
  };
}
