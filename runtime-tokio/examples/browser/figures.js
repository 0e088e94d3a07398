// What both sides know of the connection: the page's figures from getStats, the program's own from signalling.

import { $, element } from "./dom.js";
import { inBytes, inMs } from "./units.js";

const OURS = ["signaling-state", "ice-state", "dtls-state", "pair", "rtt", "setup-time", "bytes-sent", "bytes-received", "encryption"];
const NONE = "–";
const LONG = 22;

export function clear() {
  for (const id of OURS) $(id).textContent = NONE;
  $("program-figures").replaceChildren();
}

/** The states as they are, which change more often than statistics are asked for. */
export function showStates(peer) {
  // have-remote-offer -> remote offer
  $("signaling-state").textContent = peer.signalingState.replace("have-", "").replace("-", " ");
  $("ice-state").textContent = peer.iceConnectionState;
  $("dtls-state").textContent = peer.sctp?.transport.state ?? "new";
}

export function showSetupTime(time) {
  $("setup-time").textContent = inMs(time);
}

/** `report` is what getStats gives. */
export function showOurs(report) {
  const all = [...report.values()];
  const transport = all.find(({ type }) => type === "transport");
  // Firefox names the pair in no transport.
  const pair = report.get(transport?.selectedCandidatePairId)
    ?? all.find(({ type, selected, nominated, state }) => type === "candidate-pair" && (selected ?? (nominated && state === "succeeded")));
  if (pair) showPair(pair, report, transport);
  const version = { FEFD: "DTLS 1.2", FEFC: "DTLS 1.3" }[transport?.tlsVersion?.toUpperCase()] ?? "DTLS";
  $("encryption").textContent = [version, transport?.dtlsCipher].filter(Boolean).join("\n");
}

function showPair(pair, report, transport) {
  $("pair").textContent = `${endpoint(report.get(pair.localCandidateId))}\n${endpoint(report.get(pair.remoteCandidateId))}`;
  const rtt = pair.currentRoundTripTime;
  // Browsers count in whole milliseconds.
  $("rtt").textContent = rtt === undefined ? NONE : rtt < 0.001 ? "< 1 ms" : `${Math.round(rtt * 1000)} ms`;
  $("bytes-sent").textContent = inBytes(pair.bytesSent ?? transport?.bytesSent ?? 0);
  $("bytes-received").textContent = inBytes(pair.bytesReceived ?? transport?.bytesReceived ?? 0);
}

function endpoint(candidate) {
  if (!candidate) return NONE;
  return `${host(candidate.address || candidate.ip || "hidden")}:${candidate.port} ${candidate.candidateType} ${candidate.protocol}`;
}

/** An address as it is written before a port; of an mDNS name, enough to tell it from others. */
function host(address = "") {
  if (address.endsWith(".local")) return `${address.slice(0, 8)}….local`;
  return address.includes(":") ? `[${address}]` : address;
}

/** candidate:1 1 udp 2130706431 10.77.0.1 50000 typ host -> host 10.77.0.1:50000 udp */
export function inShort(candidate) {
  const words = candidate.split(" ");
  return `${words[7]} ${host(words[4])}:${words[5]} ${words[2]?.toLowerCase()}`;
}

/** Every figure of the program by its name, once it is known. Rows stay while the names do, so that they can be selected. */
export function showProgram(message) {
  const figures = flatten(message).filter(([name, value]) => name !== "type" && value !== null);
  const list = $("program-figures");
  const rows = [...list.children];
  if (rows.length !== figures.length || figures.some(([name], i) => rows[i].dataset.name !== name)) {
    list.replaceChildren(...figures.map(programRow));
  } else {
    figures.forEach(([name, value], i) => { rows[i].lastElementChild.textContent = inFigures(name, value); });
  }
}

function programRow([name, value]) {
  const figure = inFigures(name, value);
  // Addresses get a line of their own, lest they come and go with the length of a port.
  const row = element("div", { className: figure.length > LONG ? "long" : "" },
    element("dt", { textContent: inWords(name) }),
    element("dd", { textContent: figure }));
  row.dataset.name = name;
  return row;
}

function flatten(object, prefix = "") {
  return Object.entries(object).flatMap(([name, value]) =>
    value !== null && typeof value === "object" ? flatten(value, `${prefix}${name} `) : [[prefix + name, value]]);
}

/** bytesSent, bytes_sent -> Bytes sent; rttMs -> Round trip. */
function inWords(name) {
  const words = name
    .replace(/_/g, " ")
    .replace(/([a-z0-9])([A-Z])/g, (_, end, start) => `${end} ${start.toLowerCase()}`)
    .replace(/ (ms|bytes)$/, "")
    .replace(/\b(rtt|round trip time)\b/, "round trip")
    .replace(/\b(ice|dtls|sctp|udp|tcp)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function inFigures(name, value) {
  if (value === "") return NONE;
  if (typeof value !== "number") return String(value);
  if (/Ms$|_ms$/.test(name)) return inMs(value);
  if (/bytes/i.test(name)) return inBytes(value);
  return value.toLocaleString("en");
}
