// Pictures and sound: added to the connection that there is, sent back by the program, and taken away again.

import * as figures from "./mediafigures.js";
import { $, element } from "./dom.js";
import { open } from "./source.js";

const NAMES = { video: "pictures", audio: "sound" };
/** What belongs to a codec, and is none by itself. */
const AIDS = ["rtx", "red", "ulpfec", "flexfec-03"];

/** The connection, while there is one that is ready. */
let session = null;
/** What the page sends: {source}, without the source as long as it is being opened; null when stopped. */
let sending = null;
/** From "video" and "audio" to the transceiver that the page sends by, which lasts from one start to the next. */
const transceivers = new Map();
/** What the program sends. */
let incoming = new MediaStream();

export function start(ready) {
  session = ready;
  figures.begin();
  $("media-controls").disabled = false;
  told();
}

export function stop() {
  release();
  session = null;
  transceivers.clear();
  incoming = new MediaStream();
  $("media-theirs").srcObject = null;
  $("media-controls").disabled = true;
  say("");
}

async function toggle() {
  if (sending) return end();
  const mine = (sending = {});
  pressed(true);
  say("Opening the source");
  try {
    const source = await open($("media-source").value);
    // Stopped, or disconnected, in the meantime.
    if (sending !== mine) return source.stop();
    mine.source = source;
    $("media-mine").srcObject = source.stream;
    await send(source.stream);
  } catch (error) {
    if (sending !== mine) return;
    release();
    say(`There is nothing to send: ${error.message}`, true);
  }
}

async function send(stream) {
  for (const track of stream.getTracks()) await attach(track, stream);
  prefer();
  say("Agreeing with the program");
  if ($("media-offerer").value === "program") {
    session.say({ type: "media", mode: $("media-mode").value, offerer: "program" });
  } else {
    choose();
    session.negotiate();
  }
}

async function attach(track, stream) {
  const { peer } = session;
  const old = transceivers.get(track.kind);
  // One that the program has refused is over and done with.
  if (old && old.direction !== "stopped" && old.currentDirection !== "stopped") {
    await old.sender.replaceTrack(track);
    old.sender.setStreams?.(stream);
    old.direction = "sendrecv";
  } else {
    const sender = peer.addTrack(track, stream);
    transceivers.set(track.kind, peer.getTransceivers().find((transceiver) => transceiver.sender === sender));
  }
}

function end() {
  release();
  for (const transceiver of transceivers.values()) {
    if (transceiver.currentDirection === "stopped") continue;
    session.peer.removeTrack(transceiver.sender);
    transceiver.direction = "inactive";
  }
  $("media-theirs").srcObject = null;
  session.negotiate();
}

function release() {
  sending?.source?.stop();
  sending = null;
  $("media-mine").srcObject = null;
  pressed(false);
}

/** The program is told what to do with what it gets. */
function choose() {
  session.say({ type: "media", mode: $("media-mode").value });
}

/** The codec that the reader has chosen, with what goes along with it, or all of them. */
function prefer() {
  const transceiver = transceivers.get("video");
  if (!transceiver?.setCodecPreferences) return;
  const name = $("media-codec").value;
  transceiver.setCodecPreferences(name === "" ? [] : codecs().filter((codec) => [name, "rtx"].includes(nameOf(codec))));
}

/** Some browsers answer with what they prefer and send what the other side does. */
async function insist() {
  const name = $("media-codec").value;
  const sender = transceivers.get("video")?.sender;
  const parameters = sender?.getParameters();
  const codec = parameters?.codecs?.find((codec) => nameOf(codec) === name);
  if (!codec || !parameters.encodings?.length) return;
  parameters.encodings[0].codec = codec;
  await sender.setParameters(parameters);
}

/** Those that can be sent and received. */
function codecs() {
  const { codecs: received } = RTCRtpReceiver.getCapabilities("video");
  return RTCRtpSender.getCapabilities("video").codecs.filter(({ mimeType, sdpFmtpLine }) =>
    received.some((other) => other.mimeType === mimeType && other.sdpFmtpLine === sdpFmtpLine));
}

const nameOf = ({ mimeType }) => mimeType.split("/")[1];

function offerCodecs() {
  const names = new Set(codecs().map(nameOf).filter((name) => !AIDS.includes(name.toLowerCase())));
  $("media-codec").append(...[...names].map((name) => element("option", { textContent: name, value: name })));
}

/** A track of the program's, whoever offered. */
export function hear({ track }) {
  for (const old of incoming.getTracks()) if (old.kind === track.kind) incoming.removeTrack(old);
  incoming.addTrack(track);
  $("media-theirs").srcObject = incoming;
}

/** What has been agreed on last, as far as it is about pictures and sound. */
export function told() {
  if (session === null || (sending && !sending.source)) return;
  if (sending && $("media-offerer").value === "program") insist().catch((error) => session?.complain(error));
  const all = session.peer.getTransceivers();
  if (sending) {
    const refused = kinds((kind) => !/^send/.test(transceivers.get(kind)?.currentDirection ?? ""));
    const unanswered = kinds((kind) => transceivers.get(kind)?.currentDirection === "sendonly");
    if (refused) say(`The program refuses ${refused}`, true);
    else if (unanswered) say(`The program takes everything, and sends no ${unanswered.replace(" and ", " and no ")}`);
    else say("Pictures and sound go both ways");
  } else {
    const comes = kinds((kind) => all.some(({ receiver, currentDirection }) =>
      receiver.track.kind === kind && ["sendrecv", "recvonly"].includes(currentDirection)));
    say(comes ? `The program sends ${comes}` : "");
    if (!comes) $("media-theirs").srcObject = null;
  }
}

/** The program's description could not be taken. */
export function failed(error) {
  if (sending) say(`There is no agreement: ${error.message}`, true);
}

const kinds = (fits) => Object.keys(NAMES).filter(fits).map((kind) => NAMES[kind]).join(" and ");

export function showStats(report) {
  figures.show(report, transceivers);
}

function pressed(on) {
  $("media-toggle").setAttribute("aria-pressed", on);
  $("media-toggle").textContent = on ? "Stop" : "Start";
  for (const id of ["media-source", "media-offerer"]) $(id).disabled = on;
}

function say(words, bad = false) {
  $("media-state").textContent = words;
  $("media-state").classList.toggle("bad", bad);
}

function listen() {
  const video = $("media-theirs");
  video.muted = !video.muted;
  $("media-hear").setAttribute("aria-pressed", !video.muted);
  $("media-hear").textContent = video.muted ? "Hear it" : "Mute it";
}

offerCodecs();
$("media-toggle").addEventListener("click", toggle);
$("media-hear").addEventListener("click", listen);
$("media-mode").addEventListener("change", choose);
$("media-codec").addEventListener("change", () => {
  if (!sending?.source) return;
  prefer();
  session.negotiate();
});
