// The page without the program: its files from the source tree, and in the page a WebSocket whose other end is a second
// RTCPeerConnection that does what the program does. A test that fails with the program and not with this knows where to look.

import http from "node:http";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const PAGE = fileURLToPath(new URL("../../../runtime-tokio/examples/browser/", import.meta.url));
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8" };

/** Serves the page as the program does. */
export class StubServer {
  static async start() {
    const stub = new StubServer();
    stub.server = http.createServer(({ url }, response) => {
      const name = url === "/" ? "index.html" : url.slice(1);
      const content = /^[\w-]+\.\w+$/.test(name) && fs.readFileSync(path.join(PAGE, name), { flag: "r" });
      if (content) response.setHeader("content-type", TYPES[path.extname(name)]);
      response.writeHead(content ? 200 : 404).end(content || "");
    });
    await new Promise((resolve) => stub.server.listen(0, "127.0.0.1", resolve));
    stub.url = `http://localhost:${stub.server.address().port}/`;
    return stub;
  }

  async kill() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** To be run in the page before its own scripts. */
export function stubProgram() {
  const CHANNELS = ["chat", "echo", "throughput"];
  const CLIP = { width: 320, height: 240, rate: 15 };

  class Program {
    constructor(say) {
      this.say = say;
      this.mode = "echo";
      this.turn = Promise.resolve();
      this.peer = new RTCPeerConnection();
      this.peer.onicecandidate = ({ candidate }) => {
        if (candidate?.candidate) say({ type: "candidate", ...candidate.toJSON() });
        if (!candidate) say({ type: "candidate", candidate: "", sdpMid: null, sdpMLineIndex: null });
      };
      this.peer.ondatachannel = ({ channel }) => this.serve(channel);
    }

    hear(line) {
      this.turn = this.turn.then(() => this.take(line)).catch((error) => this.say({ type: "error", message: error.message }));
    }

    async take(line) {
      if (line.type === "start" && line.offerer === "program") {
        for (const label of CHANNELS) this.serve(this.peer.createDataChannel(label));
        await this.describe();
      } else if (line.type === "offer" || line.type === "answer") {
        await this.peer.setRemoteDescription(line);
        if (line.type === "offer") {
          for (const transceiver of this.peer.getTransceivers()) if (transceiver.direction !== "stopped") transceiver.direction = "sendrecv";
        }
        await this.play();
        if (line.type === "offer") await this.describe();
      } else if (line.type === "candidate") {
        const { candidate, sdpMid, sdpMLineIndex } = line;
        await this.peer.addIceCandidate(candidate === "" ? undefined : { candidate, sdpMid, sdpMLineIndex });
      } else if (line.type === "media") {
        this.mode = line.mode;
        await this.play();
        if (line.offerer !== "program") return;
        const has = (kind) => this.peer.getTransceivers().find(({ receiver }) => receiver.track.kind === kind);
        for (const kind of ["audio", "video"]) (has(kind) ?? this.peer.addTransceiver(kind)).direction = "sendrecv";
        await this.describe();
      }
    }

    async describe() {
      await this.peer.setLocalDescription();
      const { type, sdp } = this.peer.localDescription;
      this.say({ type, sdp });
    }

    serve(channel) {
      channel.binaryType = "arraybuffer";
      channel.onmessage = ({ data }) => channel.send(channel.label === "chat" ? [...data].reverse().join("") : data);
    }

    async play() {
      for (const { sender, receiver, direction } of this.peer.getTransceivers()) {
        if (direction === "stopped") continue;
        const { kind } = receiver.track;
        const track = { echo: receiver.track, mute: null, picture: kind === "video" ? this.clip() : null }[this.mode];
        await sender.replaceTrack(track);
        // Without a track Firefox goes on with black pictures.
        const parameters = sender.getParameters();
        for (const encoding of parameters.encodings) encoding.active = track !== null;
        if (parameters.encodings.length > 0) await sender.setParameters(parameters);
      }
    }

    clip() {
      if (this.track) return this.track;
      const canvas = Object.assign(document.createElement("canvas"), CLIP);
      const context = canvas.getContext("2d");
      let number = 0;
      this.timer = setInterval(() => {
        context.fillStyle = `hsl(${(number += 6)} 70% 50%)`;
        context.fillRect(0, 0, CLIP.width, CLIP.height);
      }, 1000 / CLIP.rate);
      this.track = canvas.captureStream().getVideoTracks()[0];
      return this.track;
    }

    close() {
      clearInterval(this.timer);
      this.peer.close();
    }
  }

  globalThis.WebSocket = class extends EventTarget {
    static OPEN = 1;
    readyState = 0;
    program = new Program((line) => {
      const data = JSON.stringify(line);
      setTimeout(() => this.readyState === 1 && this.dispatchEvent(new MessageEvent("message", { data })));
    });

    constructor() {
      super();
      setTimeout(() => {
        this.readyState = 1;
        this.dispatchEvent(new Event("open"));
      });
    }

    send(data) {
      this.program.hear(JSON.parse(data));
    }

    close() {
      this.readyState = 3;
      this.program.close();
    }
  };
}
