// The bare page's half of a test: a connection, and channels that remember what came over them.

/* global emit */

const agent = {
  channels: new Map(),
  early: [],

  start({ trickle, offerer, configuration }) {
    const peer = (this.peer = new RTCPeerConnection(configuration));
    this.trickle = trickle;
    this.offerer = offerer;
    this.states = [];
    this.started = performance.now();
    peer.onicecandidate = ({ candidate }) => {
      if (!trickle || candidate?.candidate === "") return;
      emit({ type: "candidate", ...(candidate?.toJSON() ?? { candidate: "", sdpMid: null, sdpMLineIndex: null }) });
    };
    peer.onconnectionstatechange = () => {
      this.states.push(peer.connectionState);
      if (peer.connectionState === "connected") this.connectedAfter ??= performance.now() - this.started;
    };
    peer.ondatachannel = ({ channel }) => this.adopt(channel);
  },

  create(label, init) {
    this.adopt(this.peer.createDataChannel(label, init));
  },

  adopt(channel) {
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = 256 * 1024;
    const kept = { channel, messages: [], opened: 0, closed: 0 };
    this.channels.set(channel.label, kept);
    if (channel.readyState === "open") kept.opened = 1;
    channel.onopen = () => { kept.opened += 1; };
    channel.onclose = () => { kept.closed += 1; };
    channel.onmessage = ({ data }) => { kept.messages.push(data); };
  },

  /** Makes a moving picture and a tone. */
  async prepare() {
    const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 120 });
    const context = canvas.getContext("2d");
    let angle = 0;
    setInterval(() => {
      context.fillStyle = `hsl(${(angle += 7) % 360} 80% 50%)`;
      context.fillRect(0, 0, 160, 120);
      context.fillStyle = "white";
      context.fillRect(angle % 160, 40, 20, 20);
    }, 40);
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    const sound = audio.createMediaStreamDestination();
    tone.connect(sound);
    tone.start();
    this.stream = new MediaStream([...canvas.captureStream(25).getTracks(), ...sound.stream.getTracks()]);
  },

  /** Adds copies of the tracks. */
  sendTracks() {
    const stream = this.stream.clone();
    for (const track of stream.getTracks()) this.peer.addTrack(track, stream);
  },

  /** Has the answer to the next offer send what the offer takes. */
  sendOnOffer() {
    this.sending = true;
  },

  /** Takes the first picture away. */
  stopFirst() {
    this.peer.getTransceivers().find(({ receiver }) => receiver.track.kind === "video").stop();
  },

  /** How many pictures of each section have been decoded. */
  async decoded() {
    const frames = {};
    for (const stats of (await this.peer.getStats()).values()) {
      if (stats.type === "inbound-rtp" && stats.kind === "video") frames[stats.mid ?? stats.ssrc] = stats.framesDecoded ?? 0;
    }
    return frames;
  },

  async describe() {
    this.describing = true;
    try {
      await this.peer.setLocalDescription();
    } finally {
      this.describing = false;
    }
    if (!this.trickle && this.peer.iceGatheringState !== "complete") {
      await new Promise((resolve) => {
        this.peer.addEventListener("icegatheringstatechange", () => this.peer.iceGatheringState === "complete" && resolve());
      });
    }
    const { type, sdp } = this.peer.localDescription;
    emit({ type, sdp });
  },

  async hear(line) {
    const add = ({ candidate, sdpMid, sdpMLineIndex, usernameFragment }) =>
      this.peer.addIceCandidate(candidate === "" && sdpMid == null ? undefined : { candidate, sdpMid, sdpMLineIndex, usernameFragment });
    if (line.type === "candidate") {
      if (this.peer.remoteDescription) await add(line);
      else this.early.push(line);
      return;
    }
    // Of offers that cross, the page's stands.
    if (line.type === "offer" && (this.describing || this.peer.signalingState !== "stable")) return;
    await this.peer.setRemoteDescription({ type: line.type, sdp: line.sdp });
    for (const candidate of this.early.splice(0)) await add(candidate);
    if (line.type !== "offer") return;
    if (this.sending) {
      this.sending = false;
      this.sendTracks();
    }
    await this.describe();
  },

  /** Sends what is described: {text}, {text, times}, or {size} bytes of the number `seed`. */
  message({ text, times = 1, size, seed = 0 }) {
    if (text !== undefined) return text.repeat(times);
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) bytes[i] = i * 7 + (i >> 8) + seed;
    return bytes;
  },

  send(label, ...messages) {
    for (const message of messages) this.channels.get(label).channel.send(this.message(message));
  },

  /** Compares what came with what is described; null or what is wrong. */
  compare(label, ...messages) {
    const came = this.channels.get(label).messages;
    if (came.length !== messages.length) return `${came.length} messages instead of ${messages.length}`;
    for (const [n, description] of messages.entries()) {
      const expected = this.message(description);
      const got = came[n];
      if (typeof expected !== "string") {
        if (!(got instanceof ArrayBuffer)) return `message ${n} is a text`;
        const bytes = new Uint8Array(got);
        if (bytes.length !== expected.length) return `message ${n} has ${bytes.length} bytes instead of ${expected.length}`;
        const at = bytes.findIndex((byte, i) => byte !== expected[i]);
        if (at >= 0) return `message ${n} differs at byte ${at}`;
      } else if (got !== expected) {
        return `message ${n} is not the text that was sent, but ${String(got?.slice?.(0, 40))}`;
      }
    }
    return null;
  },

  /** Sends `count` binary messages, minding the buffer. */
  async sendBulk(label, size, count) {
    const { channel } = this.channels.get(label);
    for (let seed = 0; seed < count; seed++) {
      if (channel.bufferedAmount > 1024 * 1024) {
        await new Promise((resolve, reject) => {
          channel.addEventListener("bufferedamountlow", resolve, { once: true });
          channel.addEventListener("close", () => reject(new Error("closed")), { once: true });
        });
      }
      channel.send(this.message({ size, seed }));
    }
  },

  /** The SHA-256 of all binary messages that came, joined. */
  async hash(label) {
    const joined = await new Blob(this.channels.get(label).messages).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  },

  bytes(label) {
    return this.channels.get(label).messages.reduce((sum, message) => sum + message.byteLength, 0);
  },

  summary() {
    return {
      states: this.states,
      ice: this.peer?.iceConnectionState,
      channels: [...this.channels.values()].slice(0, 10).map(({ channel, messages, opened, closed }) =>
        `${channel.label} ${channel.readyState} opened ${opened} closed ${closed} messages ${messages.length}`),
    };
  },
};
