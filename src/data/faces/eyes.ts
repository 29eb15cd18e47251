/** Eyes and brows, as their action units move them. Local x runs from the nose outwards on either side. */
import { type Canvas, paint } from "./canvas.ts";
import { dim, mix } from "./color.ts";
import type { ActionUnits, DrawnExpression } from "./expression.ts";
import type { Identity } from "./identity.ts";
import { along, arc, type Box, between, ellipse, intersection, type Shape } from "./shapes.ts";

const SIDES: readonly (-1 | 1)[] = [-1, 1];

/** Both eyes: white, iris, pupil, light, lids. */
export function paintEyes(canvas: Canvas, identity: Identity, { units, side: gazeSide }: DrawnExpression): void {
  const { eyeSpacing, eyeHeight, eyeWidth, irisSize, line, lash, skin } = identity;
  const { face } = canvas;
  for (const side of SIDES) {
    const centre = side * eyeSpacing;
    const { upper, lower } = layLids(identity, units, side);
    const box: Box = [centre - eyeWidth, eyeHeight - 0.4, centre + eyeWidth, eyeHeight + 0.2];
    const eye = between(box, upper, lower);
    const irisU = centre + gazeSide * units.gazeX * 0.055;
    const lid = mix(line, [16, 10, 8], 0.6);
    paint(canvas, face, ellipse(centre, eyeHeight - 0.02, eyeWidth + 0.05, 0.17), dim(skin, 0.86), 0.5, 0.12);
    paint(canvas, face, eye, [244, 242, 238]);
    paintIris(canvas, identity, eye, irisU, eyeHeight - 0.01 + units.gazeY * 0.05, irisSize);
    paint(canvas, face, along(upper, centre - eyeWidth * 1.04, centre + eyeWidth * 1.04, 0.022 + 0.014 * lash), lid);
    paint(canvas, face, along(lower, centre - eyeWidth * 0.9, centre + eyeWidth * 0.9, 0.012), line, 0.55);
  }
}

/** The edges of the lids as v(u): half an ellipse above, a parabola below, which a raised lower lid turns upwards. */
function layLids(identity: Identity, units: Readonly<ActionUnits>, side: -1 | 1) {
  const { eyeSpacing, eyeHeight, eyeWidth, eyeTilt } = identity;
  const open = identity.eyeOpen * Math.max(0.12, 1 + 0.75 * units.lidUpper);
  const rise = identity.eyeOpen * (0.62 + 0.25 * Math.max(0, units.lidUpper) - 1.05 * units.lidLower);
  const outward = (u: number) => Math.max(-1, Math.min(1, (side * (u - side * eyeSpacing)) / eyeWidth));
  const bulge = (x: number) => Math.max(0, 1 - x * x);
  const upper = (u: number) => {
    const x = outward(u);
    const cut = Math.max(0, -units.lidSlant * x) * 0.75;
    return eyeHeight - open * Math.sqrt(bulge(x)) * (1 - cut) - eyeTilt * eyeWidth * x;
  };
  const lower = (u: number) => {
    const x = outward(u);
    return Math.max(upper(u), eyeHeight + rise * bulge(x) - eyeTilt * eyeWidth * x);
  };
  return { upper, lower };
}

function paintIris(canvas: Canvas, identity: Identity, eye: Shape, u: number, v: number, radius: number): void {
  paint(canvas, canvas.face, intersection(eye, ellipse(u, v, radius, radius)), identity.iris);
  paint(canvas, canvas.face, intersection(eye, ellipse(u, v, radius * 0.6, radius * 0.6)), [10, 8, 8]);
  paint(canvas, canvas.face, intersection(eye, ellipse(u + 0.03, v - 0.035, 0.022, 0.022)), [255, 255, 255], 0.9);
}

/** Both brows and the furrows between and above them. */
export function paintBrows(canvas: Canvas, identity: Identity, { units, side: skewed }: DrawnExpression): void {
  const { eyeSpacing, eyeWidth, eyeHeight, browHeight, browArch, browThickness, brow, line } = identity;
  const rest = eyeHeight - browHeight;
  for (const side of SIDES) {
    const skew = side === -skewed ? units.browSkew : 0;
    const innerU = side * (eyeSpacing - eyeWidth * 0.95 - 0.06 * units.browKnit);
    const outerU = side * (eyeSpacing + eyeWidth * 1.15);
    const innerV = rest - 0.15 * units.browInner - 0.06 * skew;
    const outerV = rest + 0.03 - 0.15 * units.browOuter - 0.12 * skew;
    const lift = 2 * browArch + 0.12 * Math.max(0, units.browOuter) + 0.16 * skew;
    const middleU = (innerU + 1.3 * outerU) / 2.3;
    const middleV = (innerV + outerV) / 2 - lift;
    const thick = browThickness;
    paint(canvas, canvas.face, arc(innerU, innerV, middleU, middleV, outerU, outerV, thick * 1.15, thick * 0.6), brow);
  }
  const furrow = units.browKnit;
  for (const side of SIDES)
    paint(
      canvas,
      canvas.face,
      arc(side * 0.06, rest - 0.03, side * 0.03, rest + 0.07, side * 0.055, rest + 0.14, 0.014),
      line,
      0.75 * furrow,
    );
}

/** The lines that raised brows, or years, draw across the forehead. */
export function paintForehead(canvas: Canvas, identity: Identity, { units }: DrawnExpression): void {
  const { eyeHeight, browHeight, line, age } = identity;
  const rest = eyeHeight - browHeight;
  const raised = Math.max(0, Math.min(1, (units.browInner + Math.max(0, units.browOuter)) / 2));
  for (const [height, depth] of [
    [0.3, 1],
    [0.4, 0.8],
  ] as const) {
    const v = rest - height;
    const alpha = depth * Math.max(0.7 * raised, 0.35 * age - 0.1);
    paint(canvas, canvas.face, arc(-0.34, v, 0, v - 0.04, 0.34, v, 0.012), line, 0.7 * alpha);
  }
}
