/**
 * Shapes as signed distances in face units: negative inside, 0 on the outline. Distances are exact for strokes and boxes,
 * first-order for the rest, which is enough for outlines one pixel soft.
 */

/** A point's signed distance to a shape, and the box [left, top, right, bottom] outside which the shape has nothing. */
export interface Shape {
  readonly box: Box;
  distance(u: number, v: number): number;
}

/** [left, top, right, bottom]. */
export type Box = readonly [number, number, number, number];

/** An ellipse with half-axes `ru`, `rv`, turned by `angle` radians. */
export function ellipse(cu: number, cv: number, ru: number, rv: number, angle = 0): Shape {
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const reach = angle === 0 ? [ru, rv] : [Math.max(ru, rv), Math.max(ru, rv)];
  return {
    box: [cu - reach[0]!, cv - reach[1]!, cu + reach[0]!, cv + reach[1]!],
    distance(u, v) {
      const x = ((u - cu) * cos + (v - cv) * sin) / ru;
      const y = ((v - cv) * cos - (u - cu) * sin) / rv;
      const k = x * x + y * y;
      if (k === 0) return -Math.min(ru, rv);
      const radius = Math.sqrt(k);
      return (radius * (radius - 1)) / Math.sqrt((x * x) / (ru * ru) + (y * y) / (rv * rv));
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
    distance(u, v) {
      const x = Math.abs((u - cu) * cos + (v - cv) * sin) - hu;
      const y = Math.abs((v - cv) * cos - (u - cu) * sin) - hv;
      if (x > 0 && y > 0) return Math.sqrt(x * x + y * y);
      return Math.max(x, y);
    },
  };
}

/** A line through `points` (u0, v0, u1, v1, …) whose half-width goes from `from` to `to`. */
export function stroke(points: readonly number[], from: number, to: number): Shape {
  const segments = points.length / 2 - 1;
  const reach = Math.max(from, to);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 2) {
    left = Math.min(left, points[i]! - reach);
    right = Math.max(right, points[i]! + reach);
    top = Math.min(top, points[i + 1]! - reach);
    bottom = Math.max(bottom, points[i + 1]! + reach);
  }
  return {
    box: [left, top, right, bottom],
    distance(u, v) {
      let nearest = Infinity;
      for (let i = 0; i < segments; i++) {
        const pu = points[2 * i]!;
        const pv = points[2 * i + 1]!;
        const du = points[2 * i + 2]! - pu;
        const dv = points[2 * i + 3]! - pv;
        const along = ((u - pu) * du + (v - pv) * dv) / (du * du + dv * dv || 1);
        const t = along < 0 ? 0 : along > 1 ? 1 : along;
        const eu = u - pu - t * du;
        const ev = v - pv - t * dv;
        const half = from + ((to - from) * (i + t)) / segments;
        const d = Math.sqrt(eu * eu + ev * ev) - half;
        if (d < nearest) nearest = d;
      }
      return nearest;
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
  from: number,
  to = from,
): Shape {
  const steps = 6;
  const points: number[] = [];
  for (let i = 0; i <= steps; i++) {
    const t = i / steps;
    const a = (1 - t) * (1 - t);
    const b = 2 * t * (1 - t);
    points.push(a * u0 + b * cu + t * t * u1, a * v0 + b * cv + t * t * v1);
  }
  return stroke(points, from, to);
}

/** The region of `[left, right]` between the curves v = `upper(u)` and v = `lower(u)`, inside `[top, bottom]`. */
export function between(box: Box, upper: (u: number) => number, lower: (u: number) => number): Shape {
  const [left, , right] = box;
  return {
    box,
    distance(u, v) {
      const side = Math.max(left - u, u - right);
      if (side > 0) return side;
      return Math.max(side, upper(u) - v, v - lower(u));
    },
  };
}

/** What lies in both. */
export function intersection(a: Shape, b: Shape): Shape {
  return {
    box: [
      Math.max(a.box[0], b.box[0]),
      Math.max(a.box[1], b.box[1]),
      Math.min(a.box[2], b.box[2]),
      Math.min(a.box[3], b.box[3]),
    ],
    distance: (u, v) => Math.max(a.distance(u, v), b.distance(u, v)),
  };
}

/** What lies in `a` and not in `b`. */
export function difference(a: Shape, b: Shape): Shape {
  return { box: a.box, distance: (u, v) => Math.max(a.distance(u, v), -b.distance(u, v)) };
}

/** The band of half-width `half` along the outline of `a`. */
export function outline(a: Shape, half: number): Shape {
  return { box: grow(a.box, half), distance: (u, v) => Math.abs(a.distance(u, v)) - half };
}

/** `a` made larger by `by` on all sides. */
export function inflate(a: Shape, by: number): Shape {
  return { box: grow(a.box, by), distance: (u, v) => a.distance(u, v) - by };
}

function grow(box: Box, by: number): Box {
  return [box[0] - by, box[1] - by, box[2] + by, box[3] + by];
}
