// Where the page's pictures and sound come from: the camera and the microphone, or a dance that the page draws itself.

import { element } from "./dom.js";

const SIZE = { width: 480, height: 270 };
const RATE = 25;
/** Timers are not exact: one looks this often whether the next picture is due. */
const TICK = 1000 / RATE / 4;
const TONE = 220;
const VOLUME = 0.04;
/** Radians in a second. */
const PACE = 1.2;

/** Opens "camera" or "synthetic"; resolves to {stream, stop}. */
export function open(kind) {
  return kind === "camera" ? camera() : synthetic();
}

async function camera() {
  if (!navigator.mediaDevices) throw new Error("Browsers give the camera to pages from localhost and by https alone.");
  const video = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: RATE } };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video });
  return { stream, stop: () => stop(stream) };
}

async function synthetic() {
  const canvas = element("canvas", SIZE);
  const context = canvas.getContext("2d", { alpha: false });
  const stream = canvas.captureStream();
  const begun = performance.now();
  let drawn = 0;
  draw(context, drawn);
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) * RATE) / 1000);
    if (due === drawn) return;
    drawn = due;
    draw(context, drawn);
  }, TICK);
  const sound = tone();
  stream.addTrack(sound.track);
  return {
    stream,
    stop() {
      clearInterval(timer);
      stop(stream);
      sound.close();
    },
  };
}

function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** A tone so quiet that one has to listen for it. */
function tone() {
  const context = new AudioContext();
  const [oscillator, gain, out] = [context.createOscillator(), context.createGain(), context.createMediaStreamDestination()];
  oscillator.frequency.value = TONE;
  gain.gain.value = VOLUME;
  oscillator.connect(gain).connect(out);
  oscillator.start();
  // Without a device for sound a context may stay asleep; the track is silent then.
  context.resume().catch(() => {});
  return { track: out.stream.getAudioTracks()[0], close: () => context.close() };
}

/** The page's dancer on its round, and the number of the picture, by which two pictures can be told apart. */
function draw(c, number) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const { width, height } = SIZE;
  const time = number / RATE;
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.fillStyle = colour("page-wash");
  c.fillRect(0, 0, width, height);
  c.strokeStyle = c.fillStyle = colour("page");
  c.lineWidth = 2;
  c.beginPath();
  c.arc(width / 2, height / 2, height * 0.36, 0, 2 * Math.PI);
  c.stroke();
  c.textAlign = "center";
  c.font = `600 34px ${style.getPropertyValue("--mono")}`;
  c.fillText(String(number).padStart(6, "0"), width / 2, height / 2 + 2);
  c.font = `500 17px ${style.getPropertyValue("--sans")}`;
  c.fillText(`${time.toFixed(2)} s`, width / 2, height / 2 + 30);
  dancer(c, time * PACE, colour("panel"));
}

/** A ring whose filled half shows where it faces, as on the floor. */
function dancer(c, angle, ground) {
  const radius = SIZE.height * 0.36;
  c.translate(SIZE.width / 2 + radius * Math.cos(angle), SIZE.height / 2 + radius * Math.sin(angle));
  c.rotate(angle);
  const ink = c.strokeStyle;
  c.lineWidth = 4;
  c.beginPath();
  c.arc(0, 0, 22, 0, 2 * Math.PI);
  c.fillStyle = ground;
  c.fill();
  c.stroke();
  c.beginPath();
  c.arc(0, 0, 22, 0, Math.PI);
  c.fillStyle = ink;
  c.fill();
}
