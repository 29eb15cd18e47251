/**
 * Numbers as people read them, for the terminal and the page alike. Pure text: no locale, no clock, no Node modules.
 * Prefixes are decimal (1 kB = 1000 B). Missing values (`null`) print as an en dash.
 */

const missing = "–";

/** `value` to three significant digits without an exponent, for values of 1 and more. */
function threeDigits(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return rounded.toFixed(rounded >= 100 ? 0 : rounded >= 10 ? 1 : 2);
}

function scaled(value: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (Number(rest.toPrecision(3)) >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(rest) : threeDigits(rest)} ${units[unit]}`.trimEnd();
}

/** A size in bytes: `947 B`, `1.86 MB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, ["B", "kB", "MB", "GB", "TB"]);
}

/** A count: `947`, `464 k`, `69.1 M`. */
export function formatCount(count: number): string {
  return scaled(count, ["", "k", "M", "G", "T"]);
}

/** A count in full, thousands apart: `10,000`. */
export function formatInteger(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A ratio (before / after): `6.2×`, `0.83×`, `120×`. */
export function formatRatio(ratio: number | null): string {
  if (ratio === null) return missing;
  if (Number(ratio.toFixed(1)) >= 100) return `${Math.round(ratio)}×`;
  return `${ratio >= 0.995 ? ratio.toFixed(1) : ratio >= 0.1 ? ratio.toFixed(2) : Number(ratio.toPrecision(2))}×`;
}

/** A fraction in [0, 1] as a percentage: `92.6%`. */
export function formatPercent(fraction: number | null, digits = 1): string {
  return fraction === null ? missing : `${(fraction * 100).toFixed(digits)}%`;
}

/** A difference of two fractions in percentage points, with its sign: `−0.4`, `+0.3`, `0.0`. */
export function formatPoints(delta: number): string {
  const text = Math.abs(delta * 100).toFixed(1);
  return text === "0.0" ? text : `${delta < 0 ? "−" : "+"}${text}`;
}

/** A short time in milliseconds: `8.20 µs`, `0.84 ms`, `1.20 s`. */
export function formatMs(ms: number | null): string {
  if (ms === null) return missing;
  if (Number(ms.toPrecision(3)) >= 1000) return `${threeDigits(ms / 1000)} s`;
  if (Number(ms.toFixed(2)) >= 0.1 || ms === 0) return `${ms < 1 ? ms.toFixed(2) : threeDigits(ms)} ms`;
  return `${Number((ms * 1000).toPrecision(3))} µs`;
}

/** An energy in joules: `947 pJ`, `64.0 µJ`, `1.86 kJ`. */
export function formatJoules(joules: number | null): string {
  return joules === null ? missing : scaled(joules * 1e12, ["pJ", "nJ", "µJ", "mJ", "J", "kJ", "MJ"]);
}

/** A long time in seconds: `42 s`, `12 min 5 s`, `3 h 20 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 10 && seconds !== whole) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  const [large, small, units] =
    whole < 3600
      ? [Math.floor(whole / 60), whole % 60, ["min", "s"] as const]
      : [Math.floor(Math.round(whole / 60) / 60), Math.round(whole / 60) % 60, ["h", "min"] as const];
  return small === 0 ? `${large} ${units[0]}` : `${large} ${units[0]} ${small} ${units[1]}`;
}

/** An ISO time as `2026-03-14 09:30 UTC`; text that is no time comes back as it is. */
export function formatDate(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const text = date.toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

/** A tensor shape: `1×16×32×32`; a named dimension prints its name. */
export function formatShape(shape: readonly (number | string)[]): string {
  return shape.length === 0 ? "scalar" : shape.join("×");
}

/** One option's value on one line: text bare, everything else as JSON. */
export function formatValue(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? missing);
}

/** A stage's or trial's options on one line: `sparsity=0.5 steps=4`. */
export function formatParams(params: Readonly<Record<string, unknown>>): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${formatValue(value)}`)
    .join(" ");
}
