/** The nose, its wrinkles, the folds beside it and the cheeks. */
import { type Canvas, paint } from "./canvas.ts";
import { dim, mix } from "./color.ts";
import type { DrawnExpression } from "./expression.ts";
import type { Identity } from "./identity.ts";
import { arc, ellipse } from "./shapes.ts";

/** Nose and cheeks. */
export function paintNose(canvas: Canvas, identity: Identity, { units }: DrawnExpression): void {
  const { noseWidth, noseSide, skin, line, eyeHeight, eyeSpacing, mouthHeight, age } = identity;
  const { face } = canvas;
  const tip = identity.noseTip - 0.07 * units.noseWrinkle;
  const wing = noseWidth * (1 + 0.3 * units.noseWrinkle);
  const shade = dim(skin, 0.76);
  for (const side of [-1, 1]) {
    const cheekU = side * 0.43;
    const blush = Math.max(0, 0.3 * units.cheek);
    paint(canvas, face, ellipse(cheekU, 0.26, 0.2, 0.15), mix(skin, [216, 84, 84], 0.55), blush, 0.14);
    const below = eyeHeight + 0.2 - 0.04 * units.cheek;
    const bag = Math.max(0.5 * age - 0.15, units.cheek * 0.8, units.noseWrinkle * 0.6);
    paint(
      canvas,
      face,
      arc(
        side * (eyeSpacing - 0.14),
        below,
        side * eyeSpacing,
        below + 0.07,
        side * (eyeSpacing + 0.18),
        below - 0.03,
        0.012,
      ),
      line,
      0.6 * bag,
    );
    const foldDepth = Math.max(units.fold, units.cheek * 0.7, 0.5 * age);
    const out = 0.36 + 0.06 * Math.max(0, units.corners);
    paint(
      canvas,
      face,
      arc(side * (wing + 0.04), tip - 0.03, side * (out + 0.02), tip + 0.08, side * out, mouthHeight - 0.04, 0.013),
      line,
      0.7 * foldDepth,
    );
  }
  paint(
    canvas,
    face,
    arc(noseSide * 0.05, eyeHeight + 0.02, noseSide * 0.07, tip - 0.15, noseSide * wing * 0.8, tip - 0.03, 0.02, 0.028),
    shade,
    0.75,
  );
  paint(canvas, face, arc(-wing, tip - 0.03, 0, tip + 0.1, wing, tip - 0.03, 0.022), dim(skin, 0.6), 0.8);
  for (const side of [-1, 1]) paint(canvas, face, ellipse(side * wing * 0.5, tip + 0.015, 0.035, 0.024), line, 0.85);
  paint(canvas, face, ellipse(0, tip - 0.06, 0.045, 0.06), mix(skin, [255, 250, 240], 0.35), 0.6, 0.06);
  const wrinkle = Math.max(0, units.noseWrinkle - 0.2) * 1.25;
  for (const [height, reach] of [
    [0.0, 0.09],
    [0.09, 0.12],
    [0.18, 0.1],
  ] as const) {
    const v = eyeHeight + 0.02 + height;
    paint(canvas, face, arc(-reach, v + 0.035, 0, v - 0.05, reach, v + 0.035, 0.015), line, 0.85 * wrinkle);
  }
}
