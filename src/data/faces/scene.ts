/**
 * What stands between a face and the camera's bytes: pose, background, glasses, occluders, light, contrast, blur, noise.
 * None of it depends on the expression, except that a tilt adds to the roll.
 */
import type { Random } from "../../tensor/random.ts";
import { type Canvas, type Frame, type Pose, paint } from "./canvas.ts";
import { anyColor, type Color, dim, luma } from "./color.ts";
import type { DrawnExpression } from "./expression.ts";
import type { Identity } from "./identity.ts";
import { arc, ellipse, outline, rectangle, stroke } from "./shapes.ts";

/** Where the head stands in a picture of `size` pixels. */
export function drawPose(random: Random, size: number, { units, side }: DrawnExpression): Pose {
  const spread = (reach: number) => reach * (2 * random.uniform() - 1);
  return {
    scale: size * (0.39 + spread(0.035)),
    centreX: size * (0.5 + spread(0.04)),
    centreY: size * (0.5 + spread(0.035)),
    roll: spread(0.15) + side * 0.1 * units.tilt,
    yaw: spread(0.25),
    pitch: spread(0.04),
  };
}

/** A gradient between two colours, with soft stripes, blots or nothing on it. */
export function paintBackground(canvas: Canvas, random: Random): void {
  const { size, channels, planes } = canvas;
  const from = anyColor(random, 15, 240);
  const to = anyColor(random, 15, 240);
  const angle = 2 * Math.PI * random.uniform();
  const kind = random.below(4);
  const frequency = (0.15 + 0.6 * random.uniform()) * (48 / size);
  const depth = kind === 0 ? 0.16 : 0;
  const stepX = Math.cos(angle) / size;
  const stepY = Math.sin(angle) / size;
  for (let c = 0; c < channels; c++) {
    const a = channels === 1 ? luma(from) : from[c]!;
    const b = channels === 1 ? luma(to) : to[c]!;
    for (let y = 0, i = c * size * size; y < size; y++)
      for (let x = 0; x < size; x++, i++) {
        const t = 0.5 + stepX * (x - size / 2) + stepY * (y - size / 2);
        const wave = depth === 0 ? 1 : 1 + depth * Math.sin(frequency * (y * stepX - x * stepY) * size);
        planes[i] = (a + (b - a) * Math.min(1, Math.max(0, t))) * wave;
      }
  }
  if (kind > 1)
    for (let i = 0; i < 4; i++) {
      const blot = ellipse(
        3 * random.uniform() - 1.5,
        3 * random.uniform() - 1.5,
        0.2 + 0.5 * random.uniform(),
        0.2 + 0.5 * random.uniform(),
      );
      paint(canvas, canvas.body, blot, anyColor(random, 15, 240), 0.7, kind === 2 ? 0.5 : 0);
    }
}

/** Glasses on one face in six: round or square frames, sometimes tinted. */
export function paintGlasses(canvas: Canvas, identity: Identity, random: Random): void {
  const worn = random.uniform() < 0.17;
  if (!worn) return;
  const { eyeSpacing, eyeHeight, eyeWidth } = identity;
  const color: Color = random.uniform() < 0.7 ? [24, 20, 20] : anyColor(random, 60, 200);
  const round = random.uniform() < 0.5;
  const tint = random.uniform() < 0.3 ? 0.25 : 0.06;
  const half = 0.018 + 0.012 * random.uniform();
  for (const side of [-1, 1]) {
    const centre = side * eyeSpacing * 1.02;
    const lens = round
      ? ellipse(centre, eyeHeight + 0.02, eyeWidth * 1.32, 0.22)
      : rectangle(centre, eyeHeight + 0.03, eyeWidth * 1.3, 0.18);
    paint(canvas, canvas.face, lens, [70, 74, 80], tint);
    paint(canvas, canvas.face, outline(lens, half), color);
    const temple = stroke([side * (eyeSpacing + eyeWidth * 1.3), eyeHeight, side * 0.86, eyeHeight - 0.03], half, half);
    paint(canvas, canvas.face, temple, color);
  }
  const bridge = eyeSpacing - eyeWidth * 1.3;
  paint(canvas, canvas.face, arc(-bridge, eyeHeight, 0, eyeHeight - 0.07, bridge, eyeHeight, half), color);
}

/** On one picture in seven a bar or a hand in front of one part of the face: an eye, a cheek, the forehead or the chin. */
export function paintOccluder(canvas: Canvas, identity: Identity, random: Random): void {
  if (random.uniform() >= 0.15) return;
  const side = random.uniform() < 0.5 ? -1 : 1;
  const places = [
    [side * 0.5, -0.2],
    [side * 0.68, 0.3],
    [side * 0.3, -0.85],
    [side * 0.25, 0.95],
    [side * 0.55, 0.62],
  ] as const;
  const [u, v] = places[random.below(places.length)]!;
  const frame = canvas.head;
  if (random.uniform() < 0.45) paintHand(canvas, frame, u, v, side, dim(identity.skin, 0.9));
  else {
    const bar = rectangle(
      u,
      v,
      0.12 + 0.12 * random.uniform(),
      0.12 + 0.14 * random.uniform(),
      Math.PI * random.uniform(),
    );
    paint(canvas, frame, bar, anyColor(random, 10, 245));
  }
}

function paintHand(canvas: Canvas, frame: Frame, u: number, v: number, side: number, skin: Color): void {
  const edge = dim(skin, 0.6);
  for (let finger = -1; finger <= 1; finger++) {
    const from = v + finger * 0.1;
    const points = [u + side * 0.6, from + 0.12, u - side * (0.1 - 0.05 * Math.abs(finger)), from - 0.02];
    paint(canvas, frame, stroke(points, 0.075, 0.06), edge);
    paint(canvas, frame, stroke(points, 0.055, 0.042), skin);
  }
}

/** Light from one side, contrast, brightness, blur and noise; then bytes into `out` at `offset`. */
export function develop(canvas: Canvas, random: Random, out: Uint8Array, offset: number): void {
  const { size, channels, planes } = canvas;
  const plane = size * size;
  const angle = 2 * Math.PI * random.uniform();
  const strength = 0.45 * random.uniform();
  const contrast = 0.7 + 0.45 * random.uniform();
  const level = 128 + 60 * (random.uniform() - 0.5);
  const noise = 14 * random.uniform() ** 2;
  const blur = random.uniform() < 0.3 ? random.uniform() : 0;
  const lightX = (strength * Math.cos(angle) * 2) / size;
  const lightY = (strength * Math.sin(angle) * 2) / size;
  for (let c = 0; c < channels; c++) {
    if (blur > 0.1) soften(canvas, c, blur);
    for (let y = 0, i = 0; y < size; y++) {
      let light = 1 + lightY * (y + 0.5 - size / 2) - (lightX * size) / 2;
      for (let x = 0; x < size; x++, i++) {
        light += lightX;
        const value = (planes[c * plane + i]! * light - 128) * contrast + level + noise * grain(random.uniform());
        out[offset + c * plane + i] = value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5;
      }
    }
  }
}

/** Nearly normal, with variance 1, from one uniform number: the sum of its three 16-bit parts. */
function grain(uniform: number): number {
  const high = uniform * 65536;
  const middle = (high - Math.floor(high)) * 65536;
  const low = middle - Math.floor(middle);
  return ((Math.floor(high) + Math.floor(middle)) / 65536 + low - 1.5) * 2;
}

/** Mixes plane `c` with itself under the 3x3 binomial filter. */
function soften(canvas: Canvas, c: number, amount: number): void {
  const { size, scratch } = canvas;
  const plane = canvas.planes.subarray(c * size * size, (c + 1) * size * size);
  const last = size - 1;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const left = plane[y * size + (x > 0 ? x - 1 : 0)]!;
      const right = plane[y * size + (x < last ? x + 1 : last)]!;
      scratch[y * size + x] = (left + 2 * plane[y * size + x]! + right) / 4;
    }
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const up = scratch[(y > 0 ? y - 1 : 0) * size + x]!;
      const down = scratch[(y < last ? y + 1 : last) * size + x]!;
      const smooth = (up + 2 * scratch[y * size + x]! + down) / 4;
      plane[y * size + x]! += amount * (smooth - plane[y * size + x]!);
    }
}
