// The page's half of the browser example: what it says to the program, and the buttons that set it going.
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
// page -> program, about pictures and sound
//   {"type":"media","mode":"echo"|"mute"|"picture"}   what the program does with what it gets: it sends it back, it sends
//       nothing, or it sends its own clip. At first and whenever the reader chooses.
//   {"type":"media","mode":M,"offerer":"program"}     the same, and the program shall offer a section of audio and one of
//       video, both sendrecv, unless it has; the page's tracks are in its answer.
//
// program -> page
//   {"type":"stats","state":"connected","ice":"connected","rttMs":0.4,"bytesSent":N,"bytesReceived":N,...}
//       about once a second while a connection exists. The page shows every figure in it by its name, in the order in which
//       they come; nested objects are flattened. Names ending in `Ms` are milliseconds, in `Bytes` or starting with
//       `bytes` bytes.
//   {"type":"error","message":S}                       something went wrong; shown in the timeline
//
// Once connected, either side may offer again, at any time; of offers that cross, the page's stands. To send pictures and
// sound the page offers with one track of each in sections that are sendrecv; the program answers sendrecv with tracks of its
// own. To stop, the page offers the same sections inactive; to start again, sendrecv.
//
// # Data channels
//
// The side that offers creates all three, with these settings; the other side takes them by their labels.
//
// "chat"        ordered, reliable. Text, UTF-8, each message shown as it is. The program answers every message with a text.
//
// "echo"        ordered: false, maxRetransmits: 0. Binary; the program returns every message as it is. A probe is a u32
//               sequence number, the f64 performance.now() of its sender, both big-endian, and zeros up to the size that was
//               chosen.
//
// "throughput"  ordered, reliable. Control messages are JSON text, bulk is binary. One transfer at a time.
//   upload:     page    {"op":"upload","bytes":N}, then binary messages of 16 KiB (the last may be shorter), N bytes in all
//               program {"op":"uploaded","bytes":N,"sha256":"lowercase hex of the bytes received"}
//   download:   page    {"op":"download","bytes":N}
//               program binary messages of any size (16 KiB suits every browser), N bytes in all, minding the buffer,
//                       then {"op":"downloaded","bytes":N,"sha256":"lowercase hex of the bytes sent"}
//   either:     program {"op":"error","message":S}       the transfer is off (N too large, for instance)

import * as figures from "./figures.js";
import * as timeline from "./timeline.js";
import { $ } from "./dom.js";
import { Session } from "./session.js";

/** The one session, or null. */
let session = null;

function connect(offerer) {
  timeline.begin();
  figures.clear();
  showState("connecting", offerer === "browser" ? "Connecting: the page offers" : "Connecting: the program offers");
  session = new Session(offerer, showState);
}

function showState(state, words) {
  $("state").dataset.state = state;
  $("state").textContent = words;
  const live = state === "connecting" || state === "connected";
  if (!live) session = null;
  keepFocus(live ? $("disconnect") : $("connect"), () => {
    $("connect").disabled = live;
    $("let-program-offer").disabled = live;
    $("disconnect").disabled = !live;
  });
}

/** A button that is disabled loses the focus; whoever uses the keyboard goes on with the one that takes its place. */
function keepFocus(heir, change) {
  const focused = document.activeElement;
  change();
  if (focused instanceof HTMLButtonElement && focused.disabled) heir.focus();
}

$("connect").addEventListener("click", () => connect("browser"));
$("let-program-offer").addEventListener("click", () => connect("program"));
$("disconnect").addEventListener("click", () => session?.end("closed", "Disconnected"));
addEventListener("pagehide", () => session?.end("closed", "Disconnected"));
