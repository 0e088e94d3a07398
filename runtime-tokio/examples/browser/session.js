// One connection from the first word to the last: signalling, the browser's RTCPeerConnection, and the channels on it.

import * as chat from "./chat.js";
import * as echo from "./echo.js";
import * as figures from "./figures.js";
import * as floor from "./floor.js";
import * as media from "./media.js";
import * as throughput from "./throughput.js";
import * as timeline from "./timeline.js";

/** The channels, as whoever offers creates them, and who they belong to. */
const CHANNELS = {
  chat: { init: { ordered: true }, part: chat },
  echo: { init: { ordered: false, maxRetransmits: 0 }, part: echo },
  throughput: { init: { ordered: true }, part: throughput },
};

const STATS_INTERVAL = 500;

export class Session {
  /**
   * `offerer` is "browser" or "program". `onstate` hears of "connecting", "connected" and the three ends of a session,
   * "closed", "disconnected" and "failed", each with words for the reader.
   */
  constructor(offerer, onstate) {
    this.offerer = offerer;
    this.onstate = onstate;
    this.open = new Set();
    this.early = [];
    this.over = false;
    this.turn = Promise.resolve();
    this.peer = new RTCPeerConnection();
    this.socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/signal`);
    this.watchPeer();
    this.watchSocket();
    if (offerer === "browser") {
      for (const [label, { init }] of Object.entries(CHANNELS)) this.adopt(this.peer.createDataChannel(label, init));
    }
  }

  watchSocket() {
    const { socket } = this;
    socket.addEventListener("open", () => {
      timeline.add("page", "Signalling is open");
      this.say({ type: "start", offerer: this.offerer });
      if (this.offerer === "browser") this.negotiate();
    });
    socket.addEventListener("message", ({ data }) => this.next(() => this.hear(JSON.parse(data))));
    socket.addEventListener("close", () => this.end("disconnected", "The program has gone"));
  }

  /** One step after the other: no candidate overtakes the description before it, no offer of ours comes into an answer. */
  next(step) {
    this.turn = this.turn.then(step).catch((error) => this.complain(error));
  }

  watchPeer() {
    const { peer } = this;
    const states = {
      icegatheringstatechange: () => timeline.add("page", `Gathering is ${peer.iceGatheringState}`),
      signalingstatechange: () => timeline.add("page", `Signalling is ${peer.signalingState}`),
      iceconnectionstatechange: () => {
        timeline.add("page", `ICE is ${peer.iceConnectionState}`);
        if (peer.iceConnectionState === "connected") floor.stepTo(floor.FOUND);
      },
      connectionstatechange: () => this.follow(peer.connectionState),
    };
    for (const [name, tell] of Object.entries(states)) {
      peer.addEventListener(name, () => {
        if (this.over) return;
        tell();
        figures.showStates(peer);
      });
    }
    peer.addEventListener("icecandidate", ({ candidate }) => this.tellCandidate(candidate));
    peer.addEventListener("track", (event) => {
      timeline.add("program", event.track.kind === "video" ? "Pictures announced" : "Sound announced");
      media.hear(event);
    });
    peer.addEventListener("datachannel", ({ channel }) => {
      timeline.add("program", `Channel “${channel.label}” announced`);
      this.adopt(channel);
    });
  }

  follow(state) {
    timeline.add("page", `Connection is ${state}`, state === "failed");
    if (state === "connected") {
      floor.stepTo(floor.KEYED);
      this.announce();
    }
    if (state === "disconnected") this.onstate("connecting", "The connection is interrupted");
    if (state === "failed") this.end("failed", "The connection has failed");
  }

  say(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  async hear(message) {
    if (this.over) return;
    switch (message.type) {
      case "offer":
      case "answer":
        await this.hearDescription(message);
        break;
      case "candidate":
        await this.hearCandidate(message);
        break;
      case "stats":
        figures.showProgram(message);
        break;
      case "error":
        timeline.add("program", message.message, true);
        break;
    }
  }

  async hearDescription({ type, sdp }) {
    timeline.add("program", type === "offer" ? "Offer received" : "Answer received");
    // Of offers that cross, the page's stands.
    if (type === "offer" && this.peer.signalingState !== "stable") return;
    await this.peer.setRemoteDescription({ type, sdp }).catch((error) => this.refuse(type, error));
    for (const candidate of this.early.splice(0)) await this.peer.addIceCandidate(candidate);
    if (type === "offer") await this.describe();
    floor.stepTo(floor.DESCRIBED);
    media.told();
    await this.offerDue();
  }

  /** What cannot be taken leaves everything as it was before. */
  async refuse(type, error) {
    media.failed(error);
    if (type === "answer" && this.peer.signalingState === "have-local-offer") await this.peer.setLocalDescription({ type: "rollback" });
    throw error;
  }

  /** Offers what has changed, as soon as nothing else is being agreed on. */
  negotiate() {
    this.due = true;
    this.next(() => this.offerDue());
  }

  async offerDue() {
    if (!this.due || this.over || this.peer.signalingState !== "stable") return;
    this.due = false;
    await this.describe();
  }

  async hearCandidate({ candidate, sdpMid, sdpMLineIndex, usernameFragment }) {
    timeline.add("program", candidate === "" ? "No more candidates" : `Candidate: ${figures.inShort(candidate)}`);
    // Without a section the end of candidates is for all of them, which addIceCandidate wants to be told in this way.
    const init = candidate === "" && sdpMid == null && sdpMLineIndex == null
      ? undefined
      : { candidate, sdpMid, sdpMLineIndex, usernameFragment };
    if (this.peer.remoteDescription === null) this.early.push(init);
    else await this.peer.addIceCandidate(init);
  }

  tellCandidate(candidate) {
    // The end of candidates is told once, by null; some browsers say "" before it.
    if (candidate !== null && candidate.candidate === "") return;
    if (candidate) timeline.add("page", `Candidate: ${figures.inShort(candidate.candidate)}`);
    this.say({ type: "candidate", ...(candidate ? candidate.toJSON() : { candidate: "", sdpMid: null, sdpMLineIndex: null }) });
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
    if (channel.readyState === "open") this.opened(channel);
    else channel.addEventListener("open", () => this.opened(channel));
    channel.addEventListener("close", () => {
      if (this.over) return;
      timeline.add("program", `Channel “${channel.label}” is closed`);
      this.end("disconnected", "The program has closed the connection");
    });
  }

  opened(channel) {
    if (this.over) return;
    timeline.add("page", `Channel “${channel.label}” is open`);
    CHANNELS[channel.label]?.part.start(channel);
    this.open.add(channel.label);
    if (this.readyAfter !== undefined || !Object.keys(CHANNELS).every((label) => this.open.has(label))) return;
    this.readyAfter = timeline.passed();
    this.timer = setInterval(() => this.measure(), STATS_INTERVAL);
    media.start(this);
    floor.stepTo(floor.TOGETHER);
    this.announce();
    this.measure();
  }

  announce() {
    if (this.readyAfter === undefined) return;
    figures.showSetupTime(this.readyAfter);
    figures.showStates(this.peer);
    this.onstate("connected", "Connected");
  }

  async measure() {
    // It may be closed in the meantime.
    const report = await this.peer.getStats().catch(() => null);
    if (report === null || this.over) return;
    figures.showOurs(report);
    media.showStats(report);
    figures.showStates(this.peer);
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
    for (const { part } of Object.values(CHANNELS)) part.stop();
    media.stop();
    this.peer.close();
    this.socket.close();
    timeline.add(state === "closed" ? "page" : "program", words, state === "failed");
    figures.showStates(this.peer);
    floor.stepApart();
    this.onstate(state, words);
  }
}
