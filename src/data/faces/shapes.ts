/**
 * Shapes as signed distances in face units: negative inside, 0 on the outline. Distances are exact for strokes and boxes,
 * first-order for ellipses, vertical for regions between curves: enough for outlines one pixel soft.
 * A shape measures a run of pixels at a call, because a call a pixel would box three numbers each time.
 */

/** [left, top, right, bottom]. */
export type Box = readonly [number, number, number, number];

/** Anything that can be painted. */
export interface Shape {
  /** Outside this box the shape has nothing. */
  readonly box: Box;
  /** Writes the distances of the points `(u[i], v[i])`, `from <= i < to`, to `out[0]`, `out[1]`, … */
  measure(u: Float32Array, v: Float32Array, from: number, to: number, out: Float32Array): void;
}

/** The longest run that is measured at a call: a row of the largest picture. */
export const MAX_RUN = 64;

/** An ellipse with half-axes `ru`, `rv`, turned by `angle` radians. */
export function ellipse(cu: number, cv: number, ru: number, rv: number, angle = 0): Shape {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const reachU = Math.hypot(ru * cos, rv * sin);
  const reachV = Math.hypot(ru * sin, rv * cos);
  return {
    box: [cu - reachU, cv - reachV, cu + reachU, cv + reachV],
    measure(u, v, from, to, out) {
      for (let i = from; i < to; i++) {
        const x = ((u[i]! - cu) * cos + (v[i]! - cv) * sin) / ru;
        const y = ((v[i]! - cv) * cos - (u[i]! - cu) * sin) / rv;
        const k = x * x + y * y + 1e-12;
        out[i - from] = (k - Math.sqrt(k)) / Math.sqrt((x * x) / (ru * ru) + (y * y) / (rv * rv) + 1e-12);
      }
    },
  };
}

/** A box with half-sides `hu`, `hv`, turned by `angle` radians. */
export function rectangle(cu: number, cv: number, hu: number, hv: number, angle = 0): Shape {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const reachU = Math.abs(hu * cos) + Math.abs(hv * sin);
  const reachV = Math.abs(hu * sin) + Math.abs(hv * cos);
  return {
    box: [cu - reachU, cv - reachV, cu + reachU, cv + reachV],
    measure(u, v, from, to, out) {
      for (let i = from; i < to; i++) {
        const x = Math.abs((u[i]! - cu) * cos + (v[i]! - cv) * sin) - hu;
        const y = Math.abs((v[i]! - cv) * cos - (u[i]! - cu) * sin) - hv;
        out[i - from] = x > 0 && y > 0 ? Math.sqrt(x * x + y * y) : Math.max(x, y);
      }
    },
  };
}

/** A line through `points` (u0, v0, u1, v1, …) whose half-width goes from `first` to `last`. */
export function stroke(points: readonly number[], first: number, last: number): Shape {
  const segments = points.length / 2 - 1;
  const reach = Math.max(first, last);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 2) {
    left = Math.min(left, points[i]! - reach);
    right = Math.max(right, points[i]! + reach);
    top = Math.min(top, points[i + 1]! - reach);
    bottom = Math.max(bottom, points[i + 1]! + reach);
  }
  return {
    box: [left, top, right, bottom],
    measure(u, v, from, to, out) {
      out.fill(Infinity, 0, to - from);
      for (let s = 0; s < segments; s++) {
        const pu = points[2 * s]!;
        const pv = points[2 * s + 1]!;
        const du = points[2 * s + 2]! - pu;
        const dv = points[2 * s + 3]! - pv;
        const square = du * du + dv * dv || 1;
        for (let i = from; i < to; i++) {
          const t = Math.max(0, Math.min(1, ((u[i]! - pu) * du + (v[i]! - pv) * dv) / square));
          const eu = u[i]! - pu - t * du;
          const ev = v[i]! - pv - t * dv;
          const d = Math.sqrt(eu * eu + ev * ev) - first - ((last - first) * (s + t)) / segments;
          if (d < out[i - from]!) out[i - from] = d;
        }
      }
    },
  };
}

/** A quadratic Bézier curve from (u0, v0) towards (cu, cv) to (u1, v1), as a stroke. */
export function arc(
  u0: number,
  v0: number,
  cu: number,
  cv: number,
  u1: number,
  v1: number,
  first: number,
  last = first,
): Shape {
  const steps = 5;
  const points: number[] = [];
  for (let i = 0; i <= steps; i++) {
    const t = i / steps;
    const a = (1 - t) * (1 - t);
    const b = 2 * t * (1 - t);
    points.push(a * u0 + b * cu + t * t * u1, a * v0 + b * cv + t * t * v1);
  }
  return stroke(points, first, last);
}

/** A stroke along v = `height(u)` over `[left, right]`. */
export function along(height: (u: number) => number, left: number, right: number, half: number, steps = 8): Shape {
  const points: number[] = [];
  for (let i = 0; i <= steps; i++) {
    const u = left + ((right - left) * i) / steps;
    points.push(u, height(u));
  }
  return stroke(points, half, half);
}

const SAMPLES = 48;

/** The region of `box` between the curves v = `upper(u)` and v = `lower(u)`, each taken at 49 places. */
export function between(box: Box, upper: (u: number) => number, lower: (u: number) => number): Shape {
  const [left, , right] = box;
  const step = (right - left) / SAMPLES;
  const uppers = new Float32Array(SAMPLES + 2);
  const lowers = new Float32Array(SAMPLES + 2);
  for (let i = 0; i < SAMPLES + 2; i++) {
    const u = left + Math.min(i, SAMPLES) * step;
    uppers[i] = upper(u);
    lowers[i] = lower(u);
  }
  return {
    box,
    measure(u, v, from, to, out) {
      for (let i = from; i < to; i++) {
        const at = Math.max(0, Math.min(SAMPLES, (u[i]! - left) / step));
        const k = Math.floor(at);
        const t = at - k;
        const top = uppers[k]! + t * (uppers[k + 1]! - uppers[k]!);
        const bottom = lowers[k]! + t * (lowers[k + 1]! - lowers[k]!);
        out[i - from] = Math.max(left - u[i]!, u[i]! - right, top - v[i]!, v[i]! - bottom);
      }
    },
  };
}

/** What lies in both. */
export function intersection(a: Shape, b: Shape): Shape {
  const box: Box = [
    Math.max(a.box[0], b.box[0]),
    Math.max(a.box[1], b.box[1]),
    Math.min(a.box[2], b.box[2]),
    Math.min(a.box[3], b.box[3]),
  ];
  const other = new Float32Array(MAX_RUN);
  return {
    box,
    measure(u, v, from, to, out) {
      a.measure(u, v, from, to, out);
      b.measure(u, v, from, to, other);
      for (let i = 0; i < to - from; i++) out[i] = Math.max(out[i]!, other[i]!);
    },
  };
}

/** What lies in `a` and not in `b`. */
export function difference(a: Shape, b: Shape): Shape {
  const other = new Float32Array(MAX_RUN);
  return {
    box: a.box,
    measure(u, v, from, to, out) {
      a.measure(u, v, from, to, out);
      b.measure(u, v, from, to, other);
      for (let i = 0; i < to - from; i++) out[i] = Math.max(out[i]!, -other[i]!);
    },
  };
}

/** The band of half-width `half` along the outline of `a`. */
export function outline(a: Shape, half: number): Shape {
  return {
    box: grow(a.box, half),
    measure(u, v, from, to, out) {
      a.measure(u, v, from, to, out);
      for (let i = 0; i < to - from; i++) out[i] = Math.abs(out[i]!) - half;
    },
  };
}

/** `a` made larger by `by` on all sides, or smaller where `by` is negative. */
export function inflate(a: Shape, by: number): Shape {
  return {
    box: grow(a.box, by),
    measure(u, v, from, to, out) {
      a.measure(u, v, from, to, out);
      for (let i = 0; i < to - from; i++) out[i] = out[i]! - by;
    },
  };
}

function grow(box: Box, by: number): Box {
  return [box[0] - by, box[1] - by, box[2] + by, box[3] + by];
}
