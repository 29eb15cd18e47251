/**
 * The drawing surface: float planes, and for each pixel its place in three frames: `body` (moved and scaled), `head` (also
 * leant) and `face`, where features sit, on a sphere turned by yaw: `u_face = R sin(asin(u/R) - yaw)`, moved by pitch.
 * Head units: the head's centre is (0, 0), its half-height about 1, u to the right, v down.
 * `paint` covers a pixel by how far it lies inside the shape, one pixel soft.
 */
import { type Color, luma } from "./color.ts";
import { MAX_RUN, type Shape } from "./shapes.ts";

/** Where the head is: `scale` in pixels a unit, the centre in pixels, angles in radians. */
export interface Pose {
  readonly scale: number;
  readonly centreX: number;
  readonly centreY: number;
  readonly roll: number;
  readonly yaw: number;
  readonly pitch: number;
}

/** One coordinate system: each pixel's (u, v), and the pixel of a (u, v). */
export interface Frame {
  readonly u: Float32Array;
  readonly v: Float32Array;
  toPixel: (u: number, v: number) => readonly [number, number];
}

/** `planes: (C, size, size)`, 0 to 255. */
export interface Canvas {
  readonly size: number;
  readonly channels: 1 | 3;
  readonly planes: Float32Array;
  readonly scratch: Float32Array;
  readonly run: Float32Array;
  readonly body: Frame;
  readonly head: Frame;
  readonly face: Frame;
  scale: number;
}

/** Radius of the sphere on which features turn. */
const SPHERE = 1.05;

/** A canvas of `size` x `size` pixels, to be used again for any number of faces. */
export function createCanvas(size: number, channels: 1 | 3): Canvas {
  const plane = size * size;
  const frame = (): Frame => ({
    u: new Float32Array(plane),
    v: new Float32Array(plane),
    toPixel: () => [0, 0],
  });
  return {
    size,
    channels,
    planes: new Float32Array(channels * plane),
    scratch: new Float32Array(plane),
    run: new Float32Array(MAX_RUN),
    body: frame(),
    head: frame(),
    face: frame(),
    scale: 1,
  };
}

/** Lays the three frames for `pose`. */
export function setPose(canvas: Canvas, pose: Pose): void {
  const { size, body, head, face } = canvas;
  const { scale, centreX, centreY, yaw, pitch } = pose;
  const cosRoll = Math.cos(pose.roll);
  const sinRoll = Math.sin(pose.roll);
  const cosYaw = Math.cos(yaw);
  const sinYaw = Math.sin(yaw);
  canvas.scale = scale;
  for (let y = 0, i = 0; y < size; y++)
    for (let x = 0; x < size; x++, i++) {
      const u = (x + 0.5 - centreX) / scale;
      const v = (y + 0.5 - centreY) / scale;
      const hu = u * cosRoll + v * sinRoll;
      const hv = v * cosRoll - u * sinRoll;
      const depth = Math.sqrt(Math.max(0, SPHERE * SPHERE - hu * hu));
      body.u[i] = u;
      body.v[i] = v;
      head.u[i] = hu;
      head.v[i] = hv;
      face.u[i] = hu * cosYaw - depth * sinYaw;
      face.v[i] = hv - pitch;
    }
  body.toPixel = (u, v) => [u * scale + centreX, v * scale + centreY];
  head.toPixel = (u, v) => body.toPixel(u * cosRoll - v * sinRoll, v * cosRoll + u * sinRoll);
  face.toPixel = (u, v) => {
    const depth = Math.sqrt(Math.max(0, SPHERE * SPHERE - u * u));
    return head.toPixel(u * cosYaw + depth * sinYaw, v + pitch);
  };
}

/** Paints `shape`, in `frame`, with `alpha` in [0, 1] and an edge `soft` units wide (at least a pixel). */
export function paint(canvas: Canvas, frame: Frame, shape: Shape, color: Color, alpha = 1, soft = 0): void {
  if (alpha <= 0) return;
  const { size, channels, planes, run } = canvas;
  const plane = size * size;
  const sharpness = 1 / Math.max(soft, 1 / canvas.scale);
  const [x0, y0, x1, y1] = pixelBox(canvas, frame, shape, soft);
  if (x0 >= x1) return;
  const grey = luma(color);
  for (let y = y0; y < y1; y++) {
    const from = y * size + x0;
    const to = y * size + x1;
    shape.measure(frame.u, frame.v, from, to, run);
    for (let i = from; i < to; i++) {
      const cover = 0.5 - run[i - from]! * sharpness;
      if (cover <= 0) continue;
      const weight = cover >= 1 ? alpha : alpha * cover;
      if (channels === 1) planes[i]! += (grey - planes[i]!) * weight;
      else for (let c = 0; c < 3; c++) planes[c * plane + i]! += (color[c]! - planes[c * plane + i]!) * weight;
    }
  }
}

function pixelBox(canvas: Canvas, frame: Frame, shape: Shape, soft: number): readonly [number, number, number, number] {
  const [left, top, right, bottom] = shape.box;
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [u, v] of [
    [left, top],
    [right, top],
    [left, bottom],
    [right, bottom],
  ] as const) {
    const [x, y] = frame.toPixel(u, v);
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x);
    y0 = Math.min(y0, y);
    y1 = Math.max(y1, y);
  }
  const margin = 1 + (soft * canvas.scale) / 2;
  const clamp = (at: number) => Math.max(0, Math.min(canvas.size, at));
  return [
    clamp(Math.floor(x0 - margin)),
    clamp(Math.floor(y0 - margin)),
    clamp(Math.ceil(x1 + margin)),
    clamp(Math.ceil(y1 + margin)),
  ];
}
