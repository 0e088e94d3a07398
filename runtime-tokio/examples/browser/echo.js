// Unordered and never retransmitted: probes there and back, as many and as large as the reader likes.

import { $ } from "./dom.js";
import { Plot } from "./plot.js";
import { inMs, quantile } from "./units.js";

/** Sequence number and time; the rest of a probe is zeros. */
const HEADER_BYTES = 12;
/** Probes leave in small batches where the rate is higher than timers are. */
const TICK = 10;
/** What a throttled timer may make up for at once. */
const MAX_BATCH = 16;
/** A probe that has not come back after this many milliseconds is lost. */
const PATIENCE = 2000;
/** No probes while the path does not keep up with them. */
const MAX_BUFFERED = 1024 * 1024;
/** Median and percentiles are taken over this many round trips. */
const MEMORY = 2000;
const FIGURES_INTERVAL = 250;
const WINDOW = 20_000;

let channel = null;
/** While probes are sent: {timer, begun, sent}. */
let run = null;
let sequence = 0;
let returned = 0;
let lost = 0;
/** From sequence number to the time sent, oldest first. */
const waiting = new Map();
/** The last round trips, for the figures. */
let recent = [];
/** What the plot shows: [time sent, round trip or null]. */
let points = [];
/** When the plot stopped, or null while it moves. */
let until = null;
const quantiles = { median: NaN, p90: NaN, p99: NaN };

export function start(opened) {
  channel = opened;
  channel.addEventListener("message", ({ data }) => take(data));
  forget();
  $("echo-controls").disabled = false;
}

export function stop() {
  pause();
  channel = null;
  $("echo-controls").disabled = true;
}

/** A new connection, rate or size: what was measured before says nothing of it. */
function forget() {
  [sequence, returned, lost] = [0, 0, 0];
  waiting.clear();
  [recent, points] = [[], []];
  if (run) [run.begun, run.sent] = [performance.now(), 0];
  figures();
  plot.draw();
}

function toggle() {
  if (run) return pause();
  until = null;
  run = { begun: performance.now(), sent: 0, timer: setInterval(tick, TICK), figures: setInterval(figures, FIGURES_INTERVAL) };
  pressed(true);
  requestAnimationFrame(frame);
}

function pause() {
  if (!run) return;
  clearInterval(run.timer);
  clearInterval(run.figures);
  run = null;
  until = performance.now();
  pressed(false);
  figures();
  plot.draw();
}

function frame() {
  if (!run) return;
  plot.draw();
  requestAnimationFrame(frame);
}

function pressed(on) {
  $("echo-toggle").setAttribute("aria-pressed", on);
  $("echo-toggle").textContent = on ? "Stop probes" : "Start probes";
}

function tick() {
  const now = performance.now();
  giveUp(now);
  const due = Math.floor(((now - run.begun) * Number($("echo-rate").value)) / 1000) + 1;
  run.sent = Math.max(run.sent, due - MAX_BATCH);
  for (; run.sent < due && channel.bufferedAmount < MAX_BUFFERED; run.sent++) probe();
}

function giveUp(now) {
  for (const [number, sent] of waiting) {
    if (now - sent < PATIENCE) break;
    waiting.delete(number);
    points.push([sent, null]);
    lost += 1;
  }
}

function probe() {
  const now = performance.now();
  const bytes = new DataView(new ArrayBuffer(Number($("echo-size").value)));
  bytes.setUint32(0, sequence);
  bytes.setFloat64(4, now);
  waiting.set(sequence, now);
  sequence += 1;
  channel.send(bytes.buffer);
}

function take(data) {
  const now = performance.now();
  if (!(data instanceof ArrayBuffer) || data.byteLength < HEADER_BYTES) return;
  const header = new DataView(data);
  const number = header.getUint32(0);
  const sent = waiting.get(number);
  // Not one of ours, one that was given up, or one from before the reader chose anew.
  if (sent === undefined || sent !== header.getFloat64(4)) return;
  waiting.delete(number);
  returned += 1;
  recent.push(now - sent);
  if (recent.length > MEMORY) recent.shift();
  points.push([sent, now - sent]);
  while (points.length > 0 && now - points[0][0] > WINDOW + PATIENCE) points.shift();
}

function figures() {
  const sorted = Float64Array.from(recent).sort();
  const some = sorted.length > 0;
  for (const [name, share] of [["median", 0.5], ["p90", 0.9], ["p99", 0.99]]) {
    quantiles[name] = some ? quantile(sorted, share) : NaN;
    $(`echo-${name}`).textContent = some ? inMs(quantiles[name]) : "–";
  }
  $("echo-longest").textContent = some ? inMs(sorted.at(-1)) : "–";
  $("echo-returned").textContent = returned;
  $("echo-lost").textContent = lost;
}

/** Round trips spread over decades, so that the scale is logarithmic: from 0.1 ms to the decade above the longest. */
class EchoPlot extends Plot {
  paint() {
    if (points.length === 0) return false;
    const now = until ?? performance.now();
    const visible = points.filter(([sent]) => now - sent < WINDOW);
    const longest = visible.reduce((most, [, time]) => Math.max(most, time ?? 0), 1);
    this.decades = Math.max(2, Math.ceil(Math.log10(longest)) + 1);
    for (let decade = 0; decade <= this.decades; decade++) this.line([[0, decade / this.decades], [1, decade / this.decades]], "line");
    this.feet(`${WINDOW / 1000} s ago`, "now");
    // Most round trips are near the median, and would be hidden behind its line.
    for (const [time, dashes] of [[quantiles.p99, [5, 4]], [quantiles.median, []]]) this.level(time, dashes);
    this.dots(visible, now);
    for (let decade = 0; decade <= this.decades; decade++) this.words(`${10 ** (decade - 1)} ms`, 0, decade / this.decades, "left", "soft");
    this.name(quantiles.p99, "99 %", false);
    this.name(quantiles.median, "median", true);
  }

  height(time) {
    return Math.min(1, Math.max(0, (Math.log10(time) + 1) / this.decades));
  }

  /** Two paths for all, as there may be thousands. */
  dots(visible, now) {
    const c = this.context;
    const [back, gone] = [new Path2D(), new Path2D()];
    const size = visible.length > 2000 ? 2 : 3.4;
    for (const [sent, time] of visible) {
      const x = this.x(1 - (now - sent) / WINDOW);
      if (time === null) gone.rect(x - 1, this.area.bottom - 8, 2, 8);
      else back.roundRect(x - size / 2, this.y(this.height(time)) - size / 2, size, size, size / 2);
    }
    c.fillStyle = this.colour("page");
    c.fill(back);
    c.fillStyle = this.colour("bad");
    c.fill(gone);
  }

  level(time, dashes) {
    if (!(time > 0)) return;
    const height = this.height(time);
    this.line([[0, height], [1, height]], "program", 1.25, dashes);
  }

  name(time, name, below) {
    if (time > 0) this.words(name, 1, this.height(time), "right", "program", below);
  }
}

const plot = new EchoPlot("echo-plot", "Round-trip times will appear here");

$("echo-toggle").addEventListener("click", toggle);
for (const id of ["echo-rate", "echo-size"]) $(id).addEventListener("change", forget);
