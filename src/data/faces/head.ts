/** Everything around the features: neck and clothes, ears, the head's outline, hair and beard. */
import { type Canvas, paint } from "./canvas.ts";
import { dim, mix } from "./color.ts";
import type { Identity } from "./identity.ts";
import { arc, type Box, between, difference, ellipse, inflate, intersection, rectangle, type Shape } from "./shapes.ts";

/**
 * The head's outline, `|a|² + |b|² - s²|a|²|b|² = 1` with a = u/W(v), b = v/H: an ellipse drawn towards a square by s
 * (Fernández-Guasti 1992), narrower towards the chin; `drop` lowers the chin.
 */
export function headShape(identity: Identity, drop: number): Shape {
  const { headWidth, headTop, taper, square } = identity;
  const bottom = identity.headBottom + drop;
  const k = square * square;
  return {
    box: [-headWidth * 1.02, -headTop, headWidth * 1.02, bottom],
    measure(u, v, from, to, out) {
      for (let i = from; i < to; i++) {
        const y = v[i]!;
        const below = y > 0 ? y / bottom : 0;
        const a = u[i]! / (headWidth * (1 - taper * Math.min(1, below * below)));
        const b = y > 0 ? below : y / headTop;
        const aa = a * a;
        const bb = b * b;
        const f = aa + bb - (y > 0 ? k : 0.4 * k) * Math.min(1, aa) * Math.min(1, bb);
        const g = Math.sqrt(Math.max(f, 1e-6));
        out[i - from] = (Math.sqrt(u[i]! * u[i]! + y * y) * (g - 1)) / g;
      }
    },
  };
}

/** Shoulders, neck, and the hair that falls behind them. */
export function paintBehind(canvas: Canvas, identity: Identity, head: Shape): void {
  const { body, head: frame } = canvas;
  const { hair, clothes, skin, headWidth, hairStyle } = identity;
  const dark = dim(hair, 0.72);
  if (hairStyle === "long" || hairStyle === "curtains")
    paint(canvas, frame, locks(headWidth + identity.hairVolume + 0.04, identity.partingSide), dark);
  if (hairStyle === "curly")
    for (let i = 0; i < 9; i++) {
      const angle = Math.PI * (1.02 + (i / 8) * 0.96);
      const reach = 0.2 + identity.hairVolume;
      paint(canvas, frame, ellipse(headWidth * Math.cos(angle), 0.9 * Math.sin(angle), reach, reach), hair);
    }
  if (hairStyle === "bun") paint(canvas, frame, ellipse(0, -identity.headTop - 0.14, 0.3, 0.24), hair);
  if (hairStyle === "scarf") paint(canvas, frame, inflate(head, 0.12 + identity.hairVolume), dark);
  paint(canvas, body, ellipse(0, 1.75, 1.25, 0.72), clothes);
  paint(canvas, body, rectangle(0, 1.05, 0.36, 0.3), dim(hairStyle === "scarf" ? hair : skin, 0.72));
}

/** Hair down to the shoulders, wider and wavy towards its ends. */
function locks(half: number, side: number): Shape {
  return {
    box: [-half - 0.3, -0.5, half + 0.3, 1.25],
    measure(u, v, from, to, out) {
      for (let i = from; i < to; i++) {
        const widened = half + 0.09 * v[i]! + 0.025 * Math.sin(9 * v[i]! + side * u[i]!);
        out[i - from] = Math.max(Math.abs(u[i]!) - widened, v[i]! - 1.12 + 0.35 * u[i]! * u[i]!, -0.5 - v[i]!);
      }
    },
  };
}

/** The bare head with its ears, shaded towards the edge. */
export function paintHead(canvas: Canvas, identity: Identity, head: Shape, yaw: number): void {
  const { skin, headWidth, earSize, hairStyle } = identity;
  if (hairStyle !== "scarf" && hairStyle !== "long")
    for (const side of [-1, 1]) {
      const ear = ellipse(side * (headWidth + 0.02) - yaw * 0.25, 0.02, earSize * 0.7, earSize);
      paint(canvas, canvas.head, ear, dim(skin, 0.86));
      paint(canvas, canvas.head, inflate(ear, -0.06), dim(skin, 0.7), 0.7);
    }
  paint(canvas, canvas.head, head, dim(skin, 0.84));
  paint(canvas, canvas.face, inflate(head, -0.09), skin, 1, 0.2);
}

/** Beard and moustache, leaving the lips free. */
export function paintBeard(canvas: Canvas, identity: Identity, head: Shape): void {
  const { beard, mouthHeight, mouthWidth } = identity;
  if (beard === "none") return;
  const color = mix(identity.brow, identity.skin, 0.12);
  const mouth = ellipse(0, mouthHeight + 0.01, mouthWidth + 0.07, 0.15);
  const low: Box = [-1, 0.1, 1, 1.3];
  if (beard === "full" || beard === "stubble") {
    const jaw = between(
      low,
      (u) => mouthHeight - 0.03 - 0.35 * u * u - 0.45 * Math.abs(u),
      () => low[3],
    );
    const region = difference(intersection(head, jaw), mouth);
    paint(canvas, canvas.head, region, color, beard === "full" ? 0.9 : 0.25, beard === "full" ? 0.06 : 0.2);
  }
  if (beard === "goatee")
    paint(canvas, canvas.face, difference(ellipse(0, mouthHeight + 0.3, 0.2, 0.2), mouth), color, 0.9, 0.06);
  if (beard !== "stubble") {
    const top = mouthHeight - 0.12;
    paint(
      canvas,
      canvas.face,
      arc(-mouthWidth * 0.85, top + 0.07, 0, top - 0.08, mouthWidth * 0.85, top + 0.07, 0.035),
      color,
      0.9,
    );
  }
}

/** What falls in front of the forehead. */
export function paintHair(canvas: Canvas, identity: Identity, head: Shape): void {
  const { hair, hairStyle, hairVolume, headWidth } = identity;
  const frame = canvas.head;
  if (hairStyle === "scarf") {
    const opening = ellipse(0, 0.12, headWidth * 0.9, 0.86);
    paint(canvas, frame, difference(inflate(head, 0.1 + hairVolume), opening), hair);
    return;
  }
  const line = hairEdge(identity);
  if (!line) return;
  const volume = hairStyle === "receding" ? 0.03 : hairStyle === "beanie" ? hairVolume + 0.03 : hairVolume;
  const above = between([-1.3, -1.6, 1.3, 1.3], () => -1.6, line);
  paint(canvas, frame, intersection(inflate(head, volume), above), hair);
  if (hairStyle === "beanie")
    paint(canvas, frame, rectangle(0, identity.hairline - 0.02, headWidth * 0.98, 0.09), dim(hair, 0.7));
}

/** The lower edge v(u) of the hair on the forehead and temples, where there is any. */
function hairEdge(identity: Identity): ((u: number) => number) | undefined {
  const { hairStyle, hairline, partingSide, headWidth } = identity;
  const temple = (u: number, share: number) => Math.abs(u) > headWidth * share;
  switch (hairStyle) {
    case "bald":
    case "scarf":
      return undefined;
    case "receding":
      return (u) => -0.78 + 0.9 * u * u - 0.5 * Math.min(0, Math.abs(u) - 0.3);
    case "short":
    case "bun":
      return (u) => hairline + 0.75 * u * u;
    case "parted":
      return (u) => hairline + 0.5 * u * u + 0.28 * (u * partingSide + 0.1);
    case "fringe":
      return (u) => Math.max(hairline + 0.2, -0.46) + (temple(u, 0.8) ? 0.35 : 0.03 * Math.sin(21 * u));
    case "long":
      return (u) => hairline + 0.05 + 0.18 * u * partingSide + (temple(u, 0.78) ? 2 : 0.4 * u * u);
    case "curtains":
      return (u) => hairline - 0.16 + 0.55 * Math.abs(u) + (temple(u, 0.8) ? 2 : 0.3 * u * u);
    case "curly":
      return (u) => hairline + 0.06 * Math.sin(14 * u + 1) + 0.6 * u * u;
    case "beanie":
      return () => hairline + 0.04;
  }
}
