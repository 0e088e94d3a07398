// Figures as people read them.

function inUnits(value, base, units) {
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

export const inBytes = (value) => inUnits(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
export const inBits = (value) => inUnits(value, 1000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);

export function inMs(value) {
  if (value < 10) return `${value.toFixed(2)} ms`;
  return value < 1000 ? `${value.toFixed(1)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** The value below which this share of the sorted values lies. */
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The least of 1, 2 and 5 times a power of ten that is not less than the value. */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find((step) => step * power >= value * 0.9999);
}
