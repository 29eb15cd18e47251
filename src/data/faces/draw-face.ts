/** One face: a person, an expression and a scene, painted back to front. */
import type { Random } from "../../tensor/random.ts";
import { createCanvas, setPose } from "./canvas.ts";
import { drawActionUnits, type Expression } from "./expression.ts";
import { paintBrows, paintEyes, paintForehead } from "./eyes.ts";
import { headShape, paintBeard, paintBehind, paintHair, paintHead } from "./head.ts";
import { drawIdentity } from "./identity.ts";
import { paintMouth } from "./mouth.ts";
import { paintNose } from "./nose.ts";
import { develop, drawPose, paintBackground, paintGlasses, paintOccluder } from "./scene.ts";

/** The picture's side in pixels, and 1 channel for grey or 3 for RGB. */
export interface FaceFormat {
  readonly size: 48 | 64;
  readonly channels: 1 | 3;
}

/** Paints faces into given bytes, with one canvas for all of them. */
export type FacePainter = (
  expression: Expression,
  random: Random,
  out: Uint8Array,
  offset: number,
  intensity?: number,
) => void;

/** A painter that writes `(C, size, size)` bytes at `offset` of `out`; to be preferred where many faces are drawn. */
export function createFacePainter({ size, channels }: FaceFormat): FacePainter {
  const canvas = createCanvas(size, channels);
  return (expression, random, out, offset, intensity) => {
    const identity = drawIdentity(random);
    const drawn = drawActionUnits(expression, random, intensity);
    const pose = drawPose(random, size, drawn);
    const head = headShape(identity, 0.13 * Math.max(0, drawn.units.open));
    setPose(canvas, pose);
    paintBackground(canvas, random);
    paintBehind(canvas, identity, head);
    paintHead(canvas, identity, head, pose.yaw);
    paintBeard(canvas, identity, head);
    paintForehead(canvas, identity, drawn);
    paintHair(canvas, identity, head);
    paintNose(canvas, identity, drawn);
    paintEyes(canvas, identity, drawn);
    paintMouth(canvas, identity, drawn);
    paintBrows(canvas, identity, drawn);
    paintGlasses(canvas, identity, random);
    paintOccluder(canvas, identity, random);
    develop(canvas, random, out, offset);
  };
}

/** One face as `(C, size, size)` bytes; `intensity` in (0, 1] is drawn from [0.55, 1) where it is not given. */
export function drawFace(
  options: FaceFormat & { readonly expression: Expression; readonly random: Random; readonly intensity?: number },
): Uint8Array {
  const { expression, random, size, channels, intensity } = options;
  const out = new Uint8Array(channels * size * size);
  createFacePainter({ size, channels })(expression, random, out, 0, intensity);
  return out;
}
