// Bulk in either direction, one transfer at a time, hashed at both ends.

import { $, element } from "./dom.js";
import { Plot } from "./plot.js";
import { sha256 } from "./sha256.js";
import { inBits, inBytes, roundUp } from "./units.js";

const CHUNK = 16 * 1024;
/** Sending pauses above the first and goes on below the second. */
const BUFFER_HIGH = 1024 * 1024;
const BUFFER_LOW = 256 * 1024;
const SAMPLE_INTERVAL = 50;

const NAMES = {
  upload: { way: "Up", colour: "page" },
  download: { way: "Down", colour: "program" },
};

let channel = null;
/** The transfer in progress, or null. */
let transfer = null;
/** The last of each: samples of [share of the whole, bit/s]. */
const samples = { upload: [], download: [] };

export function start(opened) {
  channel = opened;
  channel.bufferedAmountLowThreshold = BUFFER_LOW;
  channel.addEventListener("message", ({ data }) => take(data));
  $("throughput-controls").disabled = false;
}

export function stop() {
  channel = null;
  if (transfer) fail("The connection ended.");
  $("throughput-controls").disabled = true;
}

function begin(kind, bytes, more) {
  const now = performance.now();
  samples[kind] = [];
  transfer = { kind, bytes, passed: 0, begun: now, last: now, lastPassed: 0, ...more };
  $("throughput-controls").disabled = true;
  const result = $(`${kind}-result`);
  result.dataset.checksum = "none";
  result.replaceChildren();
  $("throughput-progress").className = `of-${NAMES[kind].colour}`;
  progress();
  return transfer;
}

async function upload(bytes) {
  const sending = channel;
  const data = bulk(bytes);
  const mine = begin("upload", bytes, { sha256: sha256(data) });
  sending.send(JSON.stringify({ op: "upload", bytes }));
  for (let at = 0; at < bytes; at += CHUNK) {
    if (sending.bufferedAmount > BUFFER_HIGH) await drained(sending);
    if (transfer !== mine) return;
    sending.send(data.subarray(at, Math.min(bytes, at + CHUNK)));
    moved(at + CHUNK - sending.bufferedAmount);
  }
  while (transfer === mine && sending.bufferedAmount > 0) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_INTERVAL));
    moved(bytes - sending.bufferedAmount);
  }
}

function download(bytes) {
  begin("download", bytes, { data: new Uint8Array(bytes) });
  channel.send(JSON.stringify({ op: "download", bytes }));
}

function take(data) {
  if (!transfer) return;
  if (typeof data === "string") {
    const message = JSON.parse(data);
    if (message.op === "error") fail(message.message);
    else if (message.op === `${transfer.kind}ed`) finish(message);
  } else if (transfer.kind === "download") {
    if (transfer.passed + data.byteLength > transfer.bytes) return fail("More came than was asked for.");
    transfer.data.set(new Uint8Array(data), transfer.passed);
    moved(transfer.passed + data.byteLength);
  }
}

function moved(passed) {
  if (!transfer) return;
  transfer.passed = Math.max(transfer.passed, Math.min(passed, transfer.bytes));
  const now = performance.now();
  if (now - transfer.last < SAMPLE_INTERVAL) return;
  transfer.rate = ((transfer.passed - transfer.lastPassed) * 8000) / (now - transfer.last);
  samples[transfer.kind].push([transfer.passed / transfer.bytes, transfer.rate]);
  transfer.last = now;
  transfer.lastPassed = transfer.passed;
  progress();
}

function progress() {
  const { kind, passed, bytes, rate } = transfer;
  $("throughput-progress").value = passed / bytes;
  $("throughput-label").textContent = `${NAMES[kind].way}: ${inBytes(passed)} of ${inBytes(bytes)}${rate ? `, ${inBits(rate)}` : ""}`;
  plot.draw();
}

/** `theirs` is the program's report; the page's hash may take a moment. */
async function finish(theirs) {
  const done = over();
  const seconds = (performance.now() - done.begun) / 1000;
  closeCurve(samples[done.kind], (done.bytes * 8) / seconds);
  $("throughput-progress").value = 1;
  plot.draw();
  const ours = await (done.sha256 ?? sha256(done.data));
  // Both matter: a transfer cut short has a hash as well.
  const whole = theirs.bytes === done.bytes && (done.kind === "upload" || done.passed === done.bytes);
  showResult(done, seconds, ours, theirs, whole && ours === theirs.sha256);
  $("throughput-label").textContent = done.kind === "upload" ? "Upload finished" : "Download finished";
}

/** A short transfer has few samples: the curve reaches from end to end all the same. */
function closeCurve(curve, average) {
  curve.push([1, curve.at(-1)?.[1] ?? average]);
  curve.unshift([0, curve[0][1]]);
}

function showResult({ kind, bytes }, seconds, ours, theirs, match) {
  const result = $(`${kind}-result`);
  result.replaceChildren(
    element("strong", { textContent: `${NAMES[kind].way}: ${inBits((bytes * 8) / seconds)}` }),
    element("span", { textContent: `${inBytes(bytes)} in ${seconds.toFixed(2)} s` }),
    element("code", { textContent: `SHA-256 ${ours}`, title: ours }),
    element("span", { className: "verdict", textContent: match ? "Both checksums are equal" : `The checksums differ: the program has ${theirs.sha256}` }),
  );
  Object.assign(result.dataset, { checksum: match ? "match" : "mismatch", bytes: theirs.bytes, page: ours, program: theirs.sha256 });
}

function fail(why) {
  const { kind } = over();
  $(`${kind}-result`).dataset.checksum = "failed";
  $("throughput-label").textContent = `The ${kind} failed. ${why}`;
}

/** Makes room for the next transfer; returns the one that was. */
function over() {
  const was = transfer;
  transfer = null;
  $("throughput-controls").disabled = channel === null;
  return was;
}

class ThroughputPlot extends Plot {
  paint() {
    const both = Object.entries(samples).filter(([, curve]) => curve.length > 1);
    if (both.length === 0) return false;
    const top = roundUp(Math.max(...both.map(([, curve]) => curve.reduce((most, [, rate]) => Math.max(most, rate), 1))) * 1.05);
    for (const share of [0, 0.5, 1]) this.line([[0, share], [1, share]], "line");
    this.feet("start", "all sent");
    for (const [kind, curve] of both) this.curve(curve.map(([share, rate]) => [share, rate / top]), NAMES[kind].colour);
    for (const share of [0.5, 1]) this.words(inBits(top * share), 0, share, "left", "soft");
    this.legend(both.map(([kind]) => kind).reverse());
  }

  curve(points, colour) {
    const c = this.context;
    this.line(points, colour, 2);
    c.lineTo(this.x(points.at(-1)[0]), this.area.bottom);
    c.lineTo(this.x(points[0][0]), this.area.bottom);
    c.fillStyle = this.colour(colour);
    c.globalAlpha = 0.1;
    c.fill();
    c.globalAlpha = 1;
  }

  /** From right to left. */
  legend(kinds) {
    let right = this.area.right;
    for (const kind of kinds) {
      this.say(kind, right, this.area.top - 9, "right", NAMES[kind].colour);
      right -= this.context.measureText(kind).width + 14;
    }
  }
}

const plot = new ThroughputPlot("throughput-plot", "Transfers will be drawn here");

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

/** Resolves when there is room in the buffer again, or will never be. */
function drained(sending) {
  return new Promise((resolve) => {
    const events = ["bufferedamountlow", "close"];
    const done = () => {
      for (const name of events) sending.removeEventListener(name, done);
      resolve();
    };
    for (const name of events) sending.addEventListener(name, done);
  });
}

const size = () => Number($("throughput-size").value);
$("upload").addEventListener("click", () => upload(size()));
$("download").addEventListener("click", () => download(size()));
