// What getStats knows of pictures and sound, as figures for both directions and as curves of the last minute.

import { $, element } from "./dom.js";
import { Plot } from "./plot.js";
import { inBits, roundUp } from "./units.js";

const NONE = "–";
const WINDOW = 60_000;
/** Rates are taken over at least this many milliseconds. */
const SPAN = 950;

const count = (value) => value.toLocaleString("en");

/** Name, words, and how a value is written. */
const ROWS = [
  ["bitrate", "Bitrate", inBits],
  ["sound", "Of it, sound", inBits],
  ["rate", "Pictures a second", (value) => value.toFixed(1)],
  ["size", "Size", String],
  ["codec", "Codec", String],
  ["frames", "Pictures", count],
  ["packets", "Packets", count],
  ["lost", "Packets lost", count],
  ["nacks", "Asked for again", count],
  ["keys", "Key pictures", count],
  ["plis", "Key requests", count],
  ["freezes", "Freezes", count],
  ["rtt", "Round trip", (value) => `${(value * 1000).toFixed(1)} ms`],
];

const WAYS = {
  out: { type: "outbound-rtp", colour: "page", name: "to the program" },
  in: { type: "inbound-rtp", colour: "program", name: "from it" },
};

/** [time, {out: the figures of the rows, and what rates are taken of, in: the same}], oldest first. */
let samples = [];

export function begin() {
  samples = [];
  for (const way of Object.keys(WAYS)) for (const [name] of ROWS) write(way, name, undefined, null);
  for (const plot of plots) plot.draw();
}

/** `report` is what getStats gives. */
export function show(report) {
  const all = [...report.values()];
  if (!all.some(({ type }) => type === "outbound-rtp" || type === "inbound-rtp")) return;
  const now = performance.now();
  const sample = {};
  for (const [way, { type }] of Object.entries(WAYS)) {
    const figures = way === "out" ? outgoing(report, all, type) : arriving(report, all, type);
    Object.assign(figures, rates(way, figures, now));
    for (const [name, , written] of ROWS) write(way, name, figures[name], written);
    sample[way] = figures;
  }
  samples.push([now, sample]);
  $("media-figures").dataset.time = now;
  while (now - samples[0][0] > WINDOW + SPAN) samples.shift();
  for (const plot of plots) plot.draw();
}

function outgoing(report, all, type) {
  const { streams, video } = those(all, type);
  const heard = all.find(({ id }) => id === video?.remoteId) ?? all.find(({ type, kind }) => type === "remote-inbound-rtp" && kind === "video");
  const told = all.filter((stats) => stats.type === "remote-inbound-rtp");
  return {
    bytes: sum(streams, "bytesSent"),
    soundBytes: sum(sounds(streams), "bytesSent"),
    packets: sum(streams, "packetsSent"),
    lost: told.length > 0 ? sum(told, "packetsLost") : undefined,
    frames: video?.framesSent ?? video?.framesEncoded,
    keys: video?.keyFramesEncoded,
    rtt: heard?.roundTripTime ?? told.find(({ roundTripTime }) => roundTripTime !== undefined)?.roundTripTime,
    ...common(report, streams, video),
  };
}

function arriving(report, all, type) {
  const { streams, video } = those(all, type);
  return {
    bytes: sum(streams, "bytesReceived"),
    soundBytes: sum(sounds(streams), "bytesReceived"),
    packets: sum(streams, "packetsReceived"),
    lost: sum(streams, "packetsLost"),
    frames: video?.framesDecoded,
    keys: video?.keyFramesDecoded,
    freezes: video?.freezeCount,
    ...common(report, streams, video),
  };
}

function those(all, type) {
  const streams = all.filter((stats) => stats.type === type);
  const videos = streams.filter(({ kind }) => kind === "video");
  // Of several, the one on which most has come: others are left over from before.
  const most = (stats) => stats.packetsSent ?? stats.packetsReceived ?? 0;
  return { streams, video: videos.sort((a, b) => most(b) - most(a))[0] };
}

const sounds = (streams) => streams.filter(({ kind }) => kind === "audio");

function common(report, streams, video) {
  const codec = report.get(video?.codecId)?.mimeType?.split("/")[1];
  return {
    codec,
    size: video?.frameWidth ? `${video.frameWidth}×${video.frameHeight}` : undefined,
    nacks: streams.length > 0 ? sum(streams, "nackCount") : undefined,
    plis: video?.pliCount,
  };
}

function sum(streams, name) {
  return streams.length === 0 ? undefined : streams.reduce((total, stats) => total + (stats[name] ?? 0), 0);
}

/** By the youngest sample that is old enough. */
function rates(way, figures, now) {
  const [then, sample] = samples.findLast(([time]) => now - time >= SPAN) ?? [];
  const before = sample?.[way];
  const rate = (name, unit) => {
    const grown = figures[name] - before?.[name];
    return grown >= 0 ? (grown * unit * 1000) / (now - then) : undefined;
  };
  return { bitrate: rate("bytes", 8), sound: rate("soundBytes", 8), rate: rate("frames", 1) };
}

/** What is shown has its plain value beside it. */
function write(way, name, value, written) {
  const cell = $(`media-${name}-${way}`);
  cell.textContent = value === undefined ? NONE : written(value);
  if (value === undefined) delete cell.dataset.value;
  else cell.dataset.value = value;
}

function rows() {
  return ROWS.map(([name, words]) => element("tr", {},
    element("th", { scope: "row", textContent: words }),
    ...Object.keys(WAYS).map((way) => {
      const cell = element("td", { id: `media-${name}-${way}`, textContent: NONE });
      cell.dataset.testid = cell.id;
      return cell;
    })));
}

/** One figure of both directions over time. */
class MediaPlot extends Plot {
  constructor(id, empty, figure, written, least) {
    super(id, empty);
    Object.assign(this, { figure, written, least });
  }

  paint() {
    const curves = Object.keys(WAYS).map((way) => samples
      .map(([time, sample]) => [time, sample[way][this.figure]])
      .filter(([, value]) => value !== undefined));
    if (curves.every((curve) => curve.length < 2)) return false;
    const now = samples.at(-1)[0];
    const top = roundUp(curves.flat().reduce((most, [, value]) => Math.max(most, value), this.least));
    for (const share of [0, 0.5, 1]) this.line([[0, share], [1, share]], "line");
    this.feet(`${WINDOW / 1000} s ago`, "now");
    Object.values(WAYS).forEach(({ colour }, i) => this.curve(curves[i].map(([time, value]) => [Math.max(0, 1 - (now - time) / WINDOW), value / top]), colour));
    for (const share of [0.5, 1]) this.words(this.written(top * share), 0, share, "left", "soft");
    this.legend();
  }

  curve(points, colour) {
    if (points.length > 1) this.line(points, colour, 2);
  }

  /** From right to left. */
  legend() {
    let right = this.area.right;
    for (const { colour, name } of Object.values(WAYS).reverse()) {
      this.say(name, right, this.area.top - 9, "right", colour);
      right -= this.context.measureText(name).width + 14;
    }
  }
}

$("media-figures").append(...rows());
const plots = [
  new MediaPlot("media-bitrate-plot", "Bitrates will be drawn here", "bitrate", inBits, 1000),
  new MediaPlot("media-rate-plot", "Pictures a second will be drawn here", "rate", (value) => `${Math.round(value * 10) / 10} a second`, 10),
];
