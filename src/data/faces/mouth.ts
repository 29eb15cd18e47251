/**
 * The mouth. Its line at rest is v = 0; corners lift it as `-c·(x/m)²` on either side, m being its half-width; the opening
 * adds a profile `(1 - (x/m)²)^p` above and below, p from 1 (half-moon) over 1/2 (ellipse) to 1/5 (nearly a rectangle).
 */
import { type Canvas, paint } from "./canvas.ts";
import { type Color, dim, mix } from "./color.ts";
import type { DrawnExpression } from "./expression.ts";
import type { Identity } from "./identity.ts";
import { along, arc, type Box, between, ellipse, intersection, stroke } from "./shapes.ts";

const INSIDE: Color = [58, 14, 18];
const TEETH: Color = [248, 244, 234];
const TONGUE: Color = [214, 92, 98];

interface MouthLine {
  readonly height: number;
  readonly half: number;
  readonly upper: (u: number) => number;
  readonly lower: (u: number) => number;
  readonly middle: (u: number) => number;
}

/** Lips, opening, teeth, tongue, and the lines about them. */
export function paintMouth(canvas: Canvas, identity: Identity, expression: DrawnExpression): void {
  const { units } = expression;
  const { lip, line, skin } = identity;
  const { face } = canvas;
  const mouth = layMouth(identity, expression);
  const { half, upper, lower, middle, height } = mouth;
  const thin = Math.max(0.25, 1 - 0.75 * Math.max(0, units.press));
  const lips = identity.lipThickness * thin;
  const taper = (u: number) => Math.sqrt(Math.max(0, 1 - (u / (half * 1.04)) ** 2));
  const box: Box = [-half * 1.04, height - 0.6, half * 1.04, height + 0.7];
  const outer = between(
    box,
    (u) => upper(u) - lips * (0.3 + 0.7 * taper(u)),
    (u) => lower(u) + lips * 1.25 * (0.2 + 0.8 * taper(u)),
  );
  paint(canvas, face, outer, lip);
  if (units.open > 0.08) paintOpening(canvas, mouth, expression);
  else paint(canvas, face, along(middle, -half, half, 0.03), mix(line, [30, 8, 8], 0.5));
  paintCorners(canvas, identity, expression, mouth);
  const chinV = lower(0) + lips * 1.3 + 0.06;
  const pout = Math.max(0, units.chin);
  paint(canvas, face, arc(-0.13, chinV + 0.03, 0, chinV - 0.04, 0.13, chinV + 0.03, 0.016), line, 0.75 * pout);
  paint(canvas, face, ellipse(0, chinV + 0.12, 0.12, 0.06), dim(skin, 0.85), 0.5 * pout, 0.06);
}

function layMouth(identity: Identity, { units, side }: DrawnExpression): MouthLine {
  const half = identity.mouthWidth * (1 + 0.38 * units.stretch);
  const height = identity.mouthHeight + 0.05 * Math.max(0, units.corners) - 0.05 * Math.max(0, units.chin);
  const shift = height - 0.06 * Math.max(0, -units.corners);
  const total = Math.max(0, units.open) * 0.46;
  const power = units.square <= 0.5 ? 1 - units.square : 0.5 - 0.3 * (2 * units.square - 1);
  const middle = (u: number) => {
    const x = Math.max(-1, Math.min(1, u / half));
    const lifted = Math.max(0, side * x + 0.1) ** 2 * 0.27 * units.smirk;
    return shift - 0.2 * units.corners * x * x - lifted;
  };
  const profile = (u: number) => Math.max(0, 1 - (u / half) ** 2) ** power;
  return {
    height,
    half,
    middle,
    upper: (u) => middle(u) - total * units.lift * profile(u),
    lower: (u) => middle(u) + total * (1 - units.lift) * profile(u),
  };
}

function paintOpening(canvas: Canvas, { half, upper, lower, height }: MouthLine, { units }: DrawnExpression): void {
  const { face } = canvas;
  const box: Box = [-half, height - 0.6, half, height + 0.7];
  const opening = between(box, upper, lower);
  paint(canvas, face, opening, INSIDE);
  const at = (share: number) => (u: number) => upper(u) + share * (lower(u) - upper(u));
  if (units.tongue > 0.1) {
    const reach = lower(0) + 0.11 * units.tongue;
    const width = half * 0.5;
    const tongue = ellipse(0, (upper(0) + reach) / 2 + 0.05, width, (reach - upper(0)) / 2 + 0.03);
    const shown = units.tongue > 0.4 ? tongue : intersection(opening, tongue);
    paint(canvas, face, shown, TONGUE);
    if (units.tongue > 0.4)
      paint(canvas, face, stroke([0, upper(0) + 0.08, 0, reach - 0.02], 0.014, 0.01), dim(TONGUE, 0.7));
  }
  const { teethUpper, teethLower } = units;
  if (teethUpper > 0) paint(canvas, face, between(box, upper, at(teethUpper * 0.9)), TEETH);
  if (teethLower > 0) paint(canvas, face, between(box, at(1 - teethLower * 0.9), lower), TEETH);
  if (teethUpper + teethLower >= 0.95)
    for (const x of [-0.6, -0.2, 0.2, 0.6])
      paint(
        canvas,
        face,
        intersection(opening, stroke([x * half, upper(x * half), x * half, lower(x * half)], 0.008, 0.008)),
        INSIDE,
        0.5,
      );
  paint(canvas, face, along(upper, -half, half, 0.018), INSIDE, 0.8);
}

function paintCorners(canvas: Canvas, identity: Identity, { units, side }: DrawnExpression, mouth: MouthLine): void {
  const { line } = identity;
  const { half, middle } = mouth;
  for (const at of [-1, 1]) {
    const smile = Math.max(0, units.corners) * 0.7 + (at === side ? units.smirk : 0);
    const frown = Math.max(0, -units.corners) * 0.6;
    const u = at * half * 1.04;
    const v = middle(u);
    paint(
      canvas,
      canvas.face,
      arc(u, v - 0.06, u + at * 0.05, v - 0.01, u + at * 0.015, v + 0.06, 0.015),
      line,
      0.85 * Math.min(1, smile),
    );
    paint(canvas, canvas.face, arc(u, v, u + at * 0.03, v + 0.03, u + at * 0.03, v + 0.09, 0.014), line, frown);
  }
}
