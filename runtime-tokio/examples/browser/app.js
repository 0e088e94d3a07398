"use strict";

// The page's half of the browser example.
//
// # Signalling
//
// One WebSocket at `/signal`, one JSON object in each text message. A session lasts as long as its WebSocket: closing either
// the socket or the connection ends both.
//
// page -> program
//   {"type":"start","offerer":"browser"|"program"}   first message: who makes the offer and creates the channels
//
// both ways
//   {"type":"offer","sdp":S}  {"type":"answer","sdp":S}
//   {"type":"candidate","candidate":C,"sdpMid":M,"sdpMLineIndex":I,"usernameFragment":U}
//       as RTCIceCandidate.toJSON() writes it. C = "" is the end of candidates (M, I and U may then be null or missing).
//       Candidates may come before the description that they belong to; both sides keep them until then.
//
// program -> page
//   {"type":"stats","state":"connected","ice":"connected","rttMs":0.4,"bytesSent":N,"bytesReceived":N,...}
//       about once a second while a connection exists. The page shows every figure in it by its name, in the order in which
//       they come; nested objects are flattened. Names ending in `Ms` are milliseconds, in `Bytes` or starting with
//       `bytes` bytes.
//   {"type":"error","message":S}                       something went wrong; shown in the timeline
//
// # Data channels
//
// The side that offers creates all three, with these settings; the other side takes them by their labels.
//
// "chat"        ordered, reliable. Text, UTF-8, each message shown as it is. The program answers every message with a text.
//
// "echo"        ordered: false, maxRetransmits: 0. Binary; the program returns every message as it is. A probe is
//               PROBE_BYTES long: u32 sequence number, f64 performance.now() of the sender, both big-endian, then zeros.
//
// "throughput"  ordered, reliable. Control messages are JSON text, bulk is binary. One transfer at a time.
//   upload:     page    {"op":"upload","bytes":N}, then binary messages of 16 KiB (the last may be shorter), N bytes in all
//               program {"op":"uploaded","bytes":N,"sha256":"lowercase hex of the bytes received"}
//   download:   page    {"op":"download","bytes":N}
//               program binary messages of any size (16 KiB suits every browser), N bytes in all, minding the buffer,
//                       then {"op":"downloaded","bytes":N,"sha256":"lowercase hex of the bytes sent"}
//   either:     program {"op":"error","message":S}       the transfer is off (N too large, for instance)



const CHANNELS = {
  chat: { ordered: true },
  echo: { ordered: false, maxRetransmits: 0 },
  throughput: { ordered: true },
};

const PROBE_BYTES = 64;
const PROBE_INTERVAL = 40;
/** A probe that has not come back after this many milliseconds is lost. */
const PROBE_PATIENCE = 2000;
/** Median and percentile are taken over this many round trips. */
const PROBE_MEMORY = 1000;
const ECHO_WINDOW = 20_000;

const CHUNK = 16 * 1024;
/** Sending pauses above the first and goes on below the second. */
const BUFFER_HIGH = 1024 * 1024;
const BUFFER_LOW = 256 * 1024;
const SAMPLE_INTERVAL = 50;

const STATS_INTERVAL = 500;
const MAX_TIMELINE = 300;
const MAX_CHAT = 500;

const $ = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** The one session, or null. */
let session = null;

// ---------------------------------------------------------------------------------------------------------------------------
// Figures

function inUnits(value, base, units) {
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

const inBytes = (value) => inUnits(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
const inBits = (value) => inUnits(value, 1000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);
const inMs = (value) => (value < 10 ? `${value.toFixed(2)} ms` : value < 1000 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`);

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The least of 1, 2 and 5 times a power of ten that is not less than the value. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((step) => step * power >= value * 0.9999);
}

// ---------------------------------------------------------------------------------------------------------------------------
// SHA-256, by the browser where it lets the page (secure contexts), otherwise by hand

async function sha256(bytes) {
  const digest = crypto.subtle ? new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) : sha256ByHand(bytes);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The first 32 bits of the fractional part of each prime's root. */
function rootsOfPrimes(count, root) {
  const words = new Uint32Array(count);
  for (let n = 2, found = 0; found < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) prime &&= n % d !== 0;
    if (prime) words[found++] = (root(n) % 1) * 2 ** 32;
  }
  return words;
}

function sha256ByHand(bytes) {
  const k = rootsOfPrimes(64, Math.cbrt);
  const h = rootsOfPrimes(8, Math.sqrt);
  const w = new Uint32Array(64);
  const whole = bytes.length - (bytes.length % 64);
  const tail = new Uint8Array(bytes.length - whole < 56 ? 64 : 128);
  tail.set(bytes.subarray(whole));
  tail[bytes.length - whole] = 0x80;
  new DataView(tail.buffer).setBigUint64(tail.length - 8, BigInt(bytes.length) * 8n);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));

  const compress = (block, at) => {
    for (let i = 0; i < 16; i++, at += 4) w[i] = (block[at] << 24) | (block[at + 1] << 16) | (block[at + 2] << 8) | block[at + 3];
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15];
      const b = w[i - 2];
      w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
    }
    let [a, b, c, d, e, f, g, z] = h;
    for (let i = 0; i < 64; i++) {
      const one = (z + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [z, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, z].forEach((word, i) => { h[i] += word; });
  };
  for (let at = 0; at < whole; at += 64) compress(bytes, at);
  for (let at = 0; at < tail.length; at += 64) compress(tail, at);

  const digest = new DataView(new ArrayBuffer(32));
  h.forEach((word, i) => digest.setUint32(i * 4, word));
  return new Uint8Array(digest.buffer);
}

// ---------------------------------------------------------------------------------------------------------------------------
// The floor: how far the two have come towards each other

const dance = {
  partners: ["page", "program"].map((name) => ({ track: $(`track-${name}`), dancer: $(`dancer-${name}`) })),
  at: 0,
  goal: 0,
  turned: 0,
  last: 0,
  running: false,

  /** 0 apart, 1/4 descriptions exchanged, 2/4 a path, 3/4 keys, 1 channels. */
  goTo(goal) {
    this.goal = goal;
    if (calm.matches) {
      this.at = goal;
      this.draw();
    } else if (!this.running) {
      this.running = true;
      this.last = performance.now();
      requestAnimationFrame((now) => this.step(now));
    }
  },

  step(now) {
    const passed = Math.min(100, now - this.last);
    this.last = now;
    this.at += (this.goal - this.at) * (1 - Math.exp(-passed / 260));
    if (Math.abs(this.goal - this.at) < 0.001) this.at = this.goal;
    this.turned = this.at > 0.97 ? this.turned + passed * 0.0004 : this.turned * 0.9;
    this.draw();
    this.running = this.at !== this.goal || this.goal === 1;
    if (this.running) requestAnimationFrame((next) => this.step(next));
  },

  draw() {
    this.partners.forEach(({ track, dancer }, i) => {
      if (this.at > 0.97) {
        const angle = this.turned + (i === 0 ? Math.PI : 0);
        const [x, y] = [360 + 44 * Math.cos(angle), 100 + 44 * Math.sin(angle)];
        dancer.setAttribute("transform", `translate(${x} ${y}) rotate(${(angle * 180) / Math.PI + 180})`);
        return;
      }
      const length = track.getTotalLength();
      const here = track.getPointAtLength(length * this.at);
      const ahead = track.getPointAtLength(Math.min(length, length * this.at + 2));
      const angle = Math.atan2(ahead.y - here.y, ahead.x - here.x);
      dancer.setAttribute("transform", `translate(${here.x} ${here.y}) rotate(${(angle * 180) / Math.PI})`);
    });
  },
};

// ---------------------------------------------------------------------------------------------------------------------------
// What is said on the page

function showState(state, words) {
  $("state").dataset.state = state;
  $("state").textContent = words;
  const live = state === "connecting" || state === "connected";
  $("connect").disabled = live;
  $("let-program-offer").disabled = live;
  $("disconnect").disabled = !live;
}

const timeline = {
  start: 0,

  clear() {
    this.start = performance.now();
    $("timeline").replaceChildren();
    $("timeline-empty").hidden = true;
  },

  /** `by` is "page" or "program". */
  add(by, words, bad = false) {
    const item = document.createElement("li");
    const time = document.createElement("time");
    const passed = performance.now() - this.start;
    time.textContent = passed < 10_000 ? `${passed.toFixed(0)} ms` : `${(passed / 1000).toFixed(1)} s`;
    const what = document.createElement("span");
    what.textContent = words;
    item.className = `of-${by}${bad ? " bad" : ""}`;
    item.append(time, what);
    const list = $("timeline");
    list.append(item);
    while (list.childElementCount > MAX_TIMELINE) list.firstElementChild.remove();
    list.scrollTop = list.scrollHeight;
  },
};

const programFigures = {
  clear() {
    $("program-figures").replaceChildren();
    $("program-empty").hidden = false;
  },

  show(message) {
    const figures = flatten(message).filter(([name]) => name !== "type");
    $("program-empty").hidden = figures.length > 0;
    $("program-figures").replaceChildren(...figures.map(([name, value]) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const figure = document.createElement("dd");
      term.textContent = inWords(name);
      figure.textContent = inFigures(name, value);
      figure.dataset.name = name;
      if (figure.textContent.length > 22) row.className = "wide";
      row.append(term, figure);
      return row;
    }));
  },
};

function flatten(object, prefix = "") {
  return Object.entries(object).flatMap(([name, value]) =>
    value !== null && typeof value === "object" ? flatten(value, `${prefix}${name} `) : [[prefix + name, value]]);
}

/** bytesSent, bytes_sent -> Bytes sent; rttMs -> Round trip. */
function inWords(name) {
  const words = name
    .replace(/_/g, " ")
    .replace(/([a-z0-9])([A-Z])/g, (_, end, start) => `${end} ${start.toLowerCase()}`)
    .replace(/ ms$/, "")
    .replace(/^(rtt|round trip time)$/, "round trip")
    .replace(/\b(ice|dtls|sctp|rtt|udp|tcp)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function inFigures(name, value) {
  if (value === null || value === "") return "–";
  if (typeof value !== "number") return String(value);
  if (/Ms$|_ms$/.test(name)) return inMs(value);
  if (/bytes/i.test(name)) return inBytes(value);
  return value.toLocaleString("en");
}

// ---------------------------------------------------------------------------------------------------------------------------
// Plots

class Plot {
  constructor(id, empty) {
    this.canvas = $(id);
    this.empty = empty;
    this.paint = () => false;
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Calls `paint`, which returns false where there is nothing to show. */
  draw() {
    const scale = devicePixelRatio;
    const width = this.canvas.clientWidth;
    const height = this.canvas.clientHeight;
    if (width === 0 || height === 0) return;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.area = { left: 12, top: 26, right: width - 12, bottom: height - 26 };
    const c = this.context = this.canvas.getContext("2d");
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, width, height);
    c.font = `12.5px ${style.getPropertyValue("--sans")}`;
    if (this.paint() === false) {
      c.fillStyle = this.colour("soft");
      c.textAlign = "center";
      c.fillText(this.empty, width / 2, height / 2 + 4);
    }
  }

  y(share) {
    return this.area.bottom - share * (this.area.bottom - this.area.top);
  }

  x(share) {
    return this.area.left + share * (this.area.right - this.area.left);
  }

  /** Words on a line, readable over whatever is drawn there. */
  words(text, x, y, align, colour) {
    const c = this.context;
    c.textAlign = align;
    c.strokeStyle = this.colour("sunken");
    c.lineWidth = 4;
    c.strokeText(text, this.x(x), this.y(y) - 5);
    c.fillStyle = this.colour(colour);
    c.fillText(text, this.x(x), this.y(y) - 5);
    c.strokeStyle = this.colour("line");
    c.lineWidth = 1;
  }

  /** What the ends of the horizontal axis stand for. */
  feet(left, right) {
    const c = this.context;
    c.fillStyle = this.colour("soft");
    c.textAlign = "left";
    c.fillText(left, this.area.left, this.area.bottom + 18);
    c.textAlign = "right";
    c.fillText(right, this.area.right, this.area.bottom + 18);
  }

  line(points, dashes = []) {
    const c = this.context;
    c.setLineDash(dashes);
    c.beginPath();
    points.forEach(([x, y], i) => (i === 0 ? c.moveTo(this.x(x), this.y(y)) : c.lineTo(this.x(x), this.y(y))));
    c.stroke();
    c.setLineDash([]);
  }
}

// ---------------------------------------------------------------------------------------------------------------------------
// Chat

const chat = {
  start(channel) {
    this.channel = channel;
    channel.addEventListener("message", ({ data }) => this.show("program", data));
    $("chat-controls").disabled = false;
  },

  stop() {
    this.channel = null;
    $("chat-controls").disabled = true;
  },

  send(text) {
    this.channel.send(text);
    this.show("page", text);
  },

  show(by, text) {
    const log = $("chat-log");
    const line = document.createElement("p");
    line.className = `of-${by}`;
    line.dataset.by = by;
    line.textContent = text;
    log.append(line);
    while (log.childElementCount > MAX_CHAT) log.firstElementChild.remove();
    log.scrollTop = log.scrollHeight;
  },
};

// ---------------------------------------------------------------------------------------------------------------------------
// Echo

const echo = {
  plot: new Plot("echo-plot", "Round-trip times will appear here"),
  timer: null,

  start(channel) {
    this.channel = channel;
    channel.addEventListener("message", ({ data }) => this.take(data));
    this.sequence = 0;
    this.returned = 0;
    this.lost = 0;
    this.waiting = new Map();
    this.recent = [];
    /** What the plot shows: [time sent, round trip or null]. */
    this.points = [];
    this.figures();
    $("echo-controls").disabled = false;
  },

  stop() {
    this.pause();
    this.channel = null;
    $("echo-controls").disabled = true;
  },

  toggle() {
    if (this.timer !== null) return this.pause();
    this.timer = setInterval(() => this.probe(), PROBE_INTERVAL);
    this.pressed(true);
    const frame = () => {
      if (this.timer === null) return;
      this.plot.draw();
      requestAnimationFrame(frame);
    };
    this.until = null;
    frame();
  },

  pause() {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.until = performance.now();
    this.pressed(false);
  },

  pressed(on) {
    $("echo-toggle").setAttribute("aria-pressed", on);
    $("echo-toggle").textContent = on ? "Stop probes" : "Start probes";
  },

  probe() {
    const now = performance.now();
    for (const [sequence, sent] of this.waiting) {
      if (now - sent < PROBE_PATIENCE) break;
      this.waiting.delete(sequence);
      this.points.push([sent, null]);
      this.lost += 1;
    }
    const probe = new DataView(new ArrayBuffer(PROBE_BYTES));
    probe.setUint32(0, this.sequence);
    probe.setFloat64(4, now);
    this.waiting.set(this.sequence, now);
    this.sequence += 1;
    this.channel.send(probe.buffer);
    if (this.sequence % 6 === 0) this.figures();
  },

  take(data) {
    const now = performance.now();
    if (!(data instanceof ArrayBuffer) || data.byteLength !== PROBE_BYTES) return;
    const sequence = new DataView(data).getUint32(0);
    const sent = this.waiting.get(sequence);
    if (sent === undefined) return;
    this.waiting.delete(sequence);
    this.returned += 1;
    this.recent.push(now - sent);
    if (this.recent.length > PROBE_MEMORY) this.recent.shift();
    this.points.push([sent, now - sent]);
    while (this.points.length > 0 && now - this.points[0][0] > ECHO_WINDOW + PROBE_PATIENCE) this.points.shift();
  },

  figures() {
    const sorted = this.recent.slice().sort((a, b) => a - b);
    this.median = quantile(sorted, 0.5);
    this.p99 = quantile(sorted, 0.99);
    $("echo-median").textContent = sorted.length ? inMs(this.median) : "–";
    $("echo-p99").textContent = sorted.length ? inMs(this.p99) : "–";
    $("echo-returned").textContent = this.returned;
    $("echo-lost").textContent = this.lost;
  },
};

/** Round trips spread over decades, so that the scale is logarithmic: from 0.1 ms to the decade above the longest. */
echo.plot.paint = function paint() {
  if (!echo.points || echo.points.length === 0) return false;
  const now = echo.until ?? performance.now();
  const visible = echo.points.filter(([sent]) => now - sent < ECHO_WINDOW);
  const decades = Math.max(2, Math.ceil(Math.log10(Math.max(1, ...visible.map(([, time]) => time ?? 0)))) + 1);
  const height = (time) => Math.max(0, (Math.log10(time) + 1) / decades);
  const c = this.context;
  c.strokeStyle = this.colour("line");
  c.lineWidth = 1;
  for (let decade = 0; decade <= decades; decade++) this.line([[0, decade / decades], [1, decade / decades]]);
  this.feet(`${ECHO_WINDOW / 1000} s ago`, "now");
  for (const [sent, time] of visible) {
    const x = this.x(1 - (now - sent) / ECHO_WINDOW);
    c.fillStyle = this.colour(time === null ? "bad" : "page");
    c.beginPath();
    if (time === null) c.rect(x - 1, this.area.bottom - 8, 2, 8);
    else c.arc(x, this.y(height(time)), 1.8, 0, 2 * Math.PI);
    c.fill();
  }
  for (const [value, name, dashes] of [[echo.median, "median", []], [echo.p99, "99 %", [5, 4]]]) {
    if (value === undefined || height(value) > 1) continue;
    c.strokeStyle = this.colour("program");
    c.lineWidth = 1.25;
    this.line([[0, height(value)], [1, height(value)]], dashes);
    this.words(name, 1, height(value), "right", "program");
  }
  for (let decade = 0; decade <= decades; decade++) this.words(`${10 ** (decade - 1)} ms`, 0, decade / decades, "left", "soft");
};

// ---------------------------------------------------------------------------------------------------------------------------
// Throughput

const throughput = {
  plot: new Plot("throughput-plot", "An upload and a download will be drawn here, one over the other"),
  transfer: null,
  /** The last of each: samples of [share of the whole, bit/s]. */
  samples: { upload: [], download: [] },

  start(channel) {
    this.channel = channel;
    channel.bufferedAmountLowThreshold = BUFFER_LOW;
    channel.addEventListener("message", ({ data }) => this.take(data));
    $("throughput-controls").disabled = false;
  },

  stop() {
    this.channel = null;
    if (this.transfer) this.fail("The connection ended.");
    $("throughput-controls").disabled = true;
  },

  begin(kind, bytes) {
    const samples = [];
    this.samples[kind] = samples;
    this.transfer = { kind, bytes, passed: 0, samples, begun: performance.now(), last: performance.now(), lastPassed: 0 };
    $("throughput-controls").disabled = true;
    const result = $(`${kind}-result`);
    result.dataset.checksum = "none";
    result.replaceChildren();
    $("throughput-progress").className = kind === "upload" ? "" : "of-program";
    this.progress();
    return this.transfer;
  },

  async upload(bytes) {
    const { channel } = this;
    const data = bulk(bytes);
    const ours = sha256(data);
    const transfer = this.begin("upload", bytes);
    transfer.ours = ours;
    channel.send(JSON.stringify({ op: "upload", bytes }));
    for (let at = 0; at < bytes; at += CHUNK) {
      if (channel.bufferedAmount > BUFFER_HIGH) await drained(channel);
      if (this.transfer !== transfer) return;
      channel.send(data.subarray(at, Math.min(bytes, at + CHUNK)));
      this.moved(at + CHUNK - channel.bufferedAmount);
    }
    while (this.transfer === transfer && channel.bufferedAmount > 0) {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_INTERVAL));
      this.moved(bytes - channel.bufferedAmount);
    }
  },

  download(bytes) {
    const transfer = this.begin("download", bytes);
    transfer.data = new Uint8Array(bytes);
    this.channel.send(JSON.stringify({ op: "download", bytes }));
  },

  take(data) {
    const { transfer } = this;
    if (!transfer) return;
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.op === "error") this.fail(message.message);
      if (message.op === "uploaded" && transfer.kind === "upload") this.finish(message, transfer.ours);
      if (message.op === "downloaded" && transfer.kind === "download") this.finish(message, sha256(transfer.data));
    } else if (transfer.kind === "download") {
      if (transfer.passed + data.byteLength > transfer.bytes) return this.fail("More came than was asked for.");
      transfer.data.set(new Uint8Array(data), transfer.passed);
      this.moved(transfer.passed + data.byteLength);
    }
  },

  moved(passed) {
    const { transfer } = this;
    if (!transfer) return;
    transfer.passed = Math.max(transfer.passed, Math.min(passed, transfer.bytes));
    const now = performance.now();
    if (now - transfer.last < SAMPLE_INTERVAL) return;
    const rate = ((transfer.passed - transfer.lastPassed) * 8000) / (now - transfer.last);
    transfer.samples.push([transfer.passed / transfer.bytes, rate]);
    transfer.last = now;
    transfer.lastPassed = transfer.passed;
    transfer.rate = rate;
    this.progress();
  },

  progress() {
    const { kind, passed, bytes, rate } = this.transfer;
    $("throughput-progress").value = passed / bytes;
    const verb = kind === "upload" ? "Uploading" : "Downloading";
    $("throughput-label").textContent = `${verb}: ${inBytes(passed)} of ${inBytes(bytes)}${rate ? `, ${inBits(rate)}` : ""}`;
    this.plot.draw();
  },

  async finish({ bytes, sha256: theirs }, ours) {
    const { transfer } = this;
    this.transfer = null;
    const seconds = (performance.now() - transfer.begun) / 1000;
    const average = (transfer.bytes * 8) / seconds;
    transfer.samples.push([1, transfer.samples.at(-1)?.[1] ?? average]);
    transfer.samples.unshift([0, transfer.samples[0][1]]);
    ours = await ours;
    const match = bytes === transfer.bytes && ours === theirs;
    const result = $(`${transfer.kind}-result`);
    const line = (tag, text, name = "") => Object.assign(document.createElement(tag), { textContent: text, className: name });
    result.replaceChildren(
      line("strong", `${transfer.kind === "upload" ? "Up" : "Down"}: ${inBits(average)}`),
      line("span", `${inBytes(transfer.bytes)} in ${seconds.toFixed(2)} s`),
      line("code", `SHA-256 ${ours}`),
      line("span", match ? "Both ends have the same checksum" : `The checksums differ: the program has ${theirs}`, "verdict"),
    );
    result.dataset.checksum = match ? "match" : "mismatch";
    result.dataset.bytes = bytes;
    result.dataset.page = ours;
    result.dataset.program = theirs;
    $("throughput-progress").value = 1;
    $("throughput-label").textContent = transfer.kind === "upload" ? "Upload finished" : "Download finished";
    $("throughput-controls").disabled = this.channel === null;
    this.plot.draw();
  },

  fail(why) {
    $(`${this.transfer.kind}-result`).dataset.checksum = "failed";
    $("throughput-label").textContent = `The ${this.transfer.kind} failed. ${why}`;
    this.transfer = null;
    $("throughput-controls").disabled = this.channel === null;
  },
};

throughput.plot.paint = function paint() {
  const both = Object.entries(throughput.samples).filter(([, samples]) => samples.length > 1);
  if (both.length === 0) return false;
  const top = roundUp(Math.max(...both.flatMap(([, samples]) => samples.map(([, rate]) => rate))) * 1.05);
  const c = this.context;
  c.strokeStyle = this.colour("line");
  c.lineWidth = 1;
  for (const share of [0, 0.5, 1]) {
    this.line([[0, share], [1, share]]);
    if (share > 0) this.words(inBits(top * share), 0, share, "left", "soft");
  }
  this.feet("start", "all sent");
  let label = this.area.right;
  for (const [kind, samples] of both.reverse()) {
    c.strokeStyle = c.fillStyle = this.colour(kind === "upload" ? "page" : "program");
    c.lineWidth = 2;
    c.lineJoin = "round";
    this.line(samples.map(([share, rate]) => [share, rate / top]));
    c.globalAlpha = 0.1;
    c.lineTo(this.x(samples.at(-1)[0]), this.area.bottom);
    c.lineTo(this.x(samples[0][0]), this.area.bottom);
    c.fill();
    c.globalAlpha = 1;
    c.textAlign = "right";
    c.fillText(kind, label, this.area.top - 9);
    label -= c.measureText(kind).width + 14;
  }
};

/** Bytes that no two chunks of 64 KiB share: one random block, numbered. */
function bulk(bytes) {
  const block = crypto.getRandomValues(new Uint8Array(64 * 1024));
  const data = new Uint8Array(bytes);
  const view = new DataView(data.buffer);
  for (let at = 0; at < bytes; at += block.length) {
    data.set(block.subarray(0, Math.min(block.length, bytes - at)), at);
    if (bytes - at >= 4) view.setUint32(at, at / block.length);
  }
  return data;
}

function drained(channel) {
  return new Promise((resolve) => {
    channel.addEventListener("bufferedamountlow", resolve, { once: true });
    channel.addEventListener("close", resolve, { once: true });
  });
}

// ---------------------------------------------------------------------------------------------------------------------------
// The connection

class Session {
  constructor(offerer) {
    this.offerer = offerer;
    this.channels = new Map();
    this.early = [];
    this.over = false;
    this.peer = new RTCPeerConnection();
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/signal`);
    this.watchPeer();
    this.watchSocket();
    if (offerer === "browser") {
      for (const [label, init] of Object.entries(CHANNELS)) this.adopt(this.peer.createDataChannel(label, init));
    }
  }

  watchSocket() {
    const { socket } = this;
    socket.addEventListener("open", () => {
      timeline.add("page", "Signalling is open");
      this.say({ type: "start", offerer: this.offerer });
      if (this.offerer === "browser") this.describe().catch((error) => this.complain(error));
    });
    // One message after the other: a candidate must not overtake the description before it.
    let turn = Promise.resolve();
    socket.addEventListener("message", ({ data }) => {
      turn = turn.then(() => this.hear(JSON.parse(data))).catch((error) => this.complain(error));
    });
    socket.addEventListener("close", () => this.end("disconnected", "The program has gone"));
  }

  watchPeer() {
    const { peer } = this;
    peer.addEventListener("icecandidate", ({ candidate }) => {
      // The end of candidates is told once, by null; some browsers say "" before it.
      if (candidate !== null && candidate.candidate === "") return;
      if (candidate) timeline.add("page", `Candidate: ${inShort(candidate.candidate)}`);
      this.say({ type: "candidate", ...(candidate ? candidate.toJSON() : { candidate: "", sdpMid: null, sdpMLineIndex: null }) });
    });
    peer.addEventListener("icegatheringstatechange", () => timeline.add("page", `Gathering is ${peer.iceGatheringState}`));
    peer.addEventListener("signalingstatechange", () => timeline.add("page", `Signalling is ${peer.signalingState}`));
    peer.addEventListener("iceconnectionstatechange", () => {
      timeline.add("page", `ICE is ${peer.iceConnectionState}`);
      if (peer.iceConnectionState === "connected" && dance.goal < 0.5) dance.goTo(0.5);
    });
    peer.addEventListener("connectionstatechange", () => {
      const state = peer.connectionState;
      timeline.add("page", `Connection is ${state}`, state === "failed");
      if (state === "connected" && dance.goal < 0.75) dance.goTo(0.75);
      if (state === "disconnected") showState("connecting", "The connection is interrupted");
      if (state === "connected") this.announce();
      if (state === "failed") this.end("failed", "The connection has failed");
    });
    peer.addEventListener("datachannel", ({ channel }) => {
      timeline.add("program", `Channel “${channel.label}” announced`);
      this.adopt(channel);
    });
  }

  say(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  async hear(message) {
    if (this.over) return;
    switch (message.type) {
      case "offer":
      case "answer":
        timeline.add("program", message.type === "offer" ? "Offer received" : "Answer received");
        await this.peer.setRemoteDescription(message);
        for (const candidate of this.early.splice(0)) await this.peer.addIceCandidate(candidate);
        if (message.type === "offer") await this.describe();
        if (dance.goal < 0.25) dance.goTo(0.25);
        break;
      case "candidate":
        await this.hearCandidate(message);
        break;
      case "stats":
        programFigures.show(message);
        break;
      case "error":
        timeline.add("program", message.message, true);
        break;
    }
  }

  async hearCandidate({ candidate, sdpMid, sdpMLineIndex, usernameFragment }) {
    timeline.add("program", candidate === "" ? "No more candidates" : `Candidate: ${inShort(candidate)}`);
    // Without a section the end of candidates is for all of them, which addIceCandidate wants to be told in this way.
    const init = candidate === "" && sdpMid == null && sdpMLineIndex == null
      ? undefined
      : { candidate, sdpMid, sdpMLineIndex, usernameFragment };
    if (this.peer.remoteDescription === null) this.early.push(init);
    else await this.peer.addIceCandidate(init);
  }

  async describe() {
    await this.peer.setLocalDescription();
    if (this.over) return;
    const { type, sdp } = this.peer.localDescription;
    this.say({ type, sdp });
    timeline.add("page", type === "offer" ? "Offer sent" : "Answer sent");
  }

  adopt(channel) {
    channel.binaryType = "arraybuffer";
    const part = { chat, echo, throughput }[channel.label];
    const opened = () => {
      timeline.add("page", `Channel “${channel.label}” is open`);
      this.channels.set(channel.label, channel);
      part?.start(channel);
      if (Object.keys(CHANNELS).every((label) => this.channels.has(label))) {
        this.opened = performance.now();
        dance.goTo(1);
        this.announce();
        this.timer = setInterval(() => this.measure(), STATS_INTERVAL);
        this.measure();
      }
    };
    if (channel.readyState === "open") opened();
    else channel.addEventListener("open", opened);
    channel.addEventListener("close", () => {
      if (this.over) return;
      timeline.add("program", `Channel “${channel.label}” is closed`);
      this.end("disconnected", "The program has closed the connection");
    });
  }

  announce() {
    if (!this.opened) return;
    showState("connected", "Connected");
    $("setup-time").textContent = inMs(this.opened - timeline.start);
  }

  async measure() {
    let stats;
    try {
      stats = await this.peer.getStats();
    } catch {
      return;
    }
    if (this.over) return;
    const all = [...stats.values()];
    const transport = all.find(({ type }) => type === "transport");
    const pair = stats.get(transport?.selectedCandidatePairId)
      ?? all.find(({ type, selected, nominated, state }) => type === "candidate-pair" && (selected ?? (nominated && state === "succeeded")));
    if (pair) {
      $("pair").textContent = `${endpoint(stats.get(pair.localCandidateId))}\n${endpoint(stats.get(pair.remoteCandidateId))}`;
      const rtt = pair.currentRoundTripTime;
      $("rtt").textContent = rtt === undefined ? "–" : rtt < 0.001 ? "< 1 ms" : inMs(rtt * 1000);
      $("bytes-sent").textContent = inBytes(pair.bytesSent ?? transport?.bytesSent ?? 0);
      $("bytes-received").textContent = inBytes(pair.bytesReceived ?? transport?.bytesReceived ?? 0);
    }
    const version = { FEFF: "DTLS 1.0", FEFD: "DTLS 1.2", FEFC: "DTLS 1.3" }[transport?.tlsVersion?.toUpperCase()] ?? "DTLS";
    $("encryption").textContent = [version, transport?.dtlsCipher].filter(Boolean).join(", ");
  }

  complain(error) {
    if (this.over) return;
    console.error(error);
    timeline.add("page", error.message, true);
  }

  end(state, words) {
    if (this.over) return;
    this.over = true;
    clearInterval(this.timer);
    for (const part of [chat, echo, throughput]) part.stop();
    this.peer.close();
    this.socket.close();
    timeline.add(state === "closed" ? "page" : "program", words, state === "failed");
    showState(state, words);
    dance.goTo(0);
    session = null;
  }
}

/** candidate:1 1 udp 2130706431 10.77.0.1 50000 typ host -> host 10.77.0.1:50000 udp */
function inShort(candidate) {
  const words = candidate.split(" ");
  return `${words[7]} ${host(words[4])}:${words[5]} ${words[2]?.toLowerCase()}`;
}

function endpoint(candidate) {
  if (!candidate) return "–";
  return `${host(candidate.address || candidate.ip || "hidden")}:${candidate.port} ${candidate.candidateType} ${candidate.protocol}`;
}

/** An address as it is written before a port; of an mDNS name, enough to tell it from others. */
function host(address = "") {
  if (address.endsWith(".local")) return `${address.slice(0, 8)}….local`;
  return address.includes(":") ? `[${address}]` : address;
}

function connect(offerer) {
  timeline.clear();
  programFigures.clear();
  for (const id of ["pair", "rtt", "setup-time", "bytes-sent", "bytes-received", "encryption"]) $(id).textContent = "–";
  showState("connecting", offerer === "browser" ? "Connecting, by the page’s offer" : "Connecting, by the program’s offer");
  session = new Session(offerer);
}

// ---------------------------------------------------------------------------------------------------------------------------

$("connect").addEventListener("click", () => connect("browser"));
$("let-program-offer").addEventListener("click", () => connect("program"));
$("disconnect").addEventListener("click", () => session?.end("closed", "Disconnected"));
addEventListener("pagehide", () => session?.end("closed", "Disconnected"));

$("chat-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = $("chat-input");
  if (input.value === "") return;
  chat.send(input.value);
  input.value = "";
});
$("echo-toggle").addEventListener("click", () => echo.toggle());
$("upload").addEventListener("click", () => throughput.upload(Number($("throughput-size").value)));
$("download").addEventListener("click", () => throughput.download(Number($("throughput-size").value)));

dance.draw();
