// A canvas that follows its size, the screen's density and the colour scheme. What is on it is the subclass's affair.

import { $, dark } from "./dom.js";

const MARGIN = { side: 12, top: 26, bottom: 26 };
/** From a line to the words on it. */
const LIFT = 5;

export class Plot {
  /** `empty` is what the canvas says as long as there is nothing to paint. */
  constructor(id, empty) {
    this.canvas = $(id);
    this.context = this.canvas.getContext("2d");
    this.empty = empty;
    // Not before the subclass is whole.
    queueMicrotask(() => new ResizeObserver(() => this.draw()).observe(this.canvas));
    dark.addEventListener("change", () => this.draw());
  }

  /** Paints; returns false where there is nothing to show. */
  paint() {
    return false;
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (width === 0 || height === 0) return;
    this.fit(width, height);
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.area = { left: MARGIN.side, top: MARGIN.top, right: width - MARGIN.side, bottom: height - MARGIN.bottom };
    this.context.font = `12.5px ${style.getPropertyValue("--sans")}`;
    if (this.paint() === false) this.say(this.empty, width / 2, height / 2 + 4, "center", "soft");
  }

  fit(width, height) {
    const scale = devicePixelRatio;
    const [pixels, lines] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.canvas.width !== pixels || this.canvas.height !== lines) {
      this.canvas.width = pixels;
      this.canvas.height = lines;
    }
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.clearRect(0, 0, width, height);
  }

  /** From shares of the area to places on the canvas. */
  x(share) {
    return this.area.left + share * (this.area.right - this.area.left);
  }

  y(share) {
    return this.area.bottom - share * (this.area.bottom - this.area.top);
  }

  say(text, x, y, align, colour) {
    const c = this.context;
    c.textAlign = align;
    c.fillStyle = this.colour(colour);
    c.fillText(text, x, y);
  }

  /** Words on a line, or below it, readable over whatever is drawn there. */
  words(text, x, y, align, colour, below = false) {
    const c = this.context;
    const place = [this.x(x), this.y(y) + (below ? LIFT + 9 : -LIFT)];
    c.save();
    c.textAlign = align;
    c.strokeStyle = this.colour("sunken");
    c.lineWidth = 4;
    c.lineJoin = "round";
    c.strokeText(text, ...place);
    c.restore();
    this.say(text, ...place, align, colour);
  }

  /** What the ends of the horizontal axis stand for. */
  feet(left, right) {
    this.say(left, this.area.left, this.area.bottom + 18, "left", "soft");
    this.say(right, this.area.right, this.area.bottom + 18, "right", "soft");
  }

  line(points, colour, width = 1, dashes = []) {
    const c = this.context;
    c.strokeStyle = this.colour(colour);
    c.lineWidth = width;
    c.lineJoin = "round";
    c.setLineDash(dashes);
    c.beginPath();
    points.forEach(([x, y], i) => (i === 0 ? c.moveTo(this.x(x), this.y(y)) : c.lineTo(this.x(x), this.y(y))));
    c.stroke();
    c.setLineDash([]);
  }
}
