// The dance floor: how far the two have come towards each other.

import { $, calm } from "./dom.js";

const PARTNERS = ["page", "program"].map((name) => ({ track: $(`track-${name}`), dancer: $(`dancer-${name}`) }));
const CENTRE = [360, 100];
const RADIUS = 44;

/** Where on the tracks the steps of a connection are. */
export const APART = 0;
export const DESCRIBED = 0.25;
export const FOUND = 0.5;
export const KEYED = 0.75;
export const TOGETHER = 1;
/** From here on they turn round each other. */
const TOUCHING = 0.97;

let at = APART;
let goal = APART;
let turned = 0;
let last = 0;
let running = false;

/** Has both step forward, unless they are further already. */
export function stepTo(next) {
  if (next > goal) dance(next);
}

export function stepApart() {
  dance(APART);
}

function dance(next) {
  goal = next;
  if (calm.matches) {
    at = goal;
    draw();
  } else if (!running) {
    running = true;
    last = performance.now();
    requestAnimationFrame(step);
  }
}

function step(now) {
  const passed = Math.min(100, now - last);
  last = now;
  at += (goal - at) * (1 - Math.exp(-passed / 260));
  if (Math.abs(goal - at) < 0.001) at = goal;
  turned = at > TOUCHING ? turned + passed * 0.0004 : turned * 0.9;
  draw();
  running = !calm.matches && (at !== goal || goal === TOGETHER);
  if (running) requestAnimationFrame(step);
}

function draw() {
  PARTNERS.forEach(({ track, dancer }, i) => {
    const [x, y, angle] = at > TOUCHING ? onCircle(turned + (i === 0 ? Math.PI : 0)) : onTrack(track);
    dancer.setAttribute("transform", `translate(${x} ${y}) rotate(${(angle * 180) / Math.PI})`);
  });
}

function onCircle(angle) {
  return [CENTRE[0] + RADIUS * Math.cos(angle), CENTRE[1] + RADIUS * Math.sin(angle), angle + Math.PI];
}

function onTrack(track) {
  const length = track.getTotalLength();
  const here = track.getPointAtLength(length * at);
  // The end of a track has nothing ahead of it.
  const behind = track.getPointAtLength(Math.max(0, length * at - 2));
  const ahead = track.getPointAtLength(Math.min(length, length * at + 2));
  return [here.x, here.y, Math.atan2(ahead.y - behind.y, ahead.x - behind.x)];
}

draw();
