/**
 * The eight expressions and what they do to a face, in units close to those of the Facial Action Coding System (Ekman,
 * Friesen 1978); the number behind each field is FACS's. A class has one or more prototypes (anger presses its lips or
 * bares its teeth); a drawn face has one of them at an intensity of 0.55 to 1, plus jitter in every unit.
 * Classes are the eight of the Radboud Faces Database (Langner et al. 2010).
 */
import type { Random } from "../../tensor/random.ts";

/** The classes, in label order. */
export const EXPRESSIONS = [
  "anger",
  "contempt",
  "disgust",
  "fear",
  "happiness",
  "neutral",
  "sadness",
  "surprise",
] as const;

/** One of the eight classes. */
export type Expression = (typeof EXPRESSIONS)[number];

/** How far each part is moved from rest, 0 being rest; -1 to 1 where both ways exist, else 0 to 1. */
export interface ActionUnits {
  /** Inner ends of the brows up (1) or down (4). */
  browInner: number;
  /** Outer ends of the brows up (2) or down. */
  browOuter: number;
  /** Brows drawn together, with a furrow between (4). */
  browKnit: number;
  /** One brow alone up (2); the side opposite to `side`. */
  browSkew: number;
  /** Upper lids up (5) or hanging (43). */
  lidUpper: number;
  /** Lower lids up (6, 7). */
  lidLower: number;
  /** Upper lids cut off towards the nose (anger, 1) or away from it (sadness, -1). */
  lidSlant: number;
  /** Gaze sideways, towards `side` (61, 62), and down (64). */
  gazeX: number;
  gazeY: number;
  /** Cheeks up, with folds below the eyes (6). */
  cheek: number;
  /** Nose wrinkled and shortened (9). */
  noseWrinkle: number;
  /** Folds from the nose to the mouth (11). */
  fold: number;
  /** Both mouth corners up (12) or down (15). */
  corners: number;
  /** One mouth corner alone up, with a dimple (12, 14), on `side`. */
  smirk: number;
  /** Lips parted and jaw down (25, 26, 27). */
  open: number;
  /** Mouth drawn wide (20) or rounded (18, 22). */
  stretch: number;
  /** Shape of the opening, from a half-moon (0) over an ellipse (0.5) to a rectangle (1). */
  square: number;
  /** Share of the opening that lies above the line of the lips. */
  lift: number;
  teethUpper: number;
  teethLower: number;
  /** Tongue shown in the opening and over the lower lip (19). */
  tongue: number;
  /** Lips pressed thin (24). */
  press: number;
  /** Lower lip and chin pushed up (17). */
  chin: number;
  /** Head leant towards a shoulder. */
  tilt: number;
}

const REST: ActionUnits = {
  browInner: 0,
  browOuter: 0,
  browKnit: 0,
  browSkew: 0,
  lidUpper: 0,
  lidLower: 0,
  lidSlant: 0,
  gazeX: 0,
  gazeY: 0,
  cheek: 0,
  noseWrinkle: 0,
  fold: 0,
  corners: 0,
  smirk: 0,
  open: 0,
  stretch: 0,
  square: 0,
  lift: 0,
  teethUpper: 0,
  teethLower: 0,
  tongue: 0,
  press: 0,
  chin: 0,
  tilt: 0,
};

/** Standard deviation of the jitter; units that are not named do not jitter. */
const JITTER: Partial<ActionUnits> = {
  browInner: 0.07,
  browOuter: 0.07,
  browSkew: 0.05,
  lidUpper: 0.06,
  lidLower: 0.05,
  lidSlant: 0.05,
  gazeX: 0.3,
  gazeY: 0.15,
  corners: 0.06,
  stretch: 0.07,
  press: 0.08,
  tilt: 0.1,
};

/** Kept at full strength: they say how something looks, not how strongly it moves. */
const FIXED: ReadonlySet<keyof ActionUnits> = new Set(["square", "lift", "teethUpper", "teethLower", "gazeX", "gazeY"]);

const anger: Partial<ActionUnits> = {
  browInner: -1,
  browOuter: 0.35,
  browKnit: 1,
  lidUpper: 0.15,
  lidLower: 0.35,
  lidSlant: 1,
  noseWrinkle: 0.15,
};
const contempt: Partial<ActionUnits> = {
  smirk: 1,
  corners: -0.18,
  browSkew: 0.9,
  lidUpper: -0.62,
  lidLower: 0.15,
  gazeX: 0.9,
  tilt: 0.6,
};
const disgust: Partial<ActionUnits> = {
  browInner: -0.6,
  browOuter: -0.35,
  browKnit: 0.3,
  lidUpper: -0.55,
  lidLower: 0.6,
  cheek: 0.5,
  noseWrinkle: 1,
  fold: 1,
  corners: -0.75,
};
const fear: Partial<ActionUnits> = {
  browInner: 1,
  browOuter: -0.05,
  browKnit: 0.6,
  lidUpper: 0.85,
  open: 0.6,
  stretch: 0.55,
  square: 0.85,
  lift: 0.35,
  corners: -0.4,
};
const happiness: Partial<ActionUnits> = {
  browOuter: 0.15,
  lidLower: 0.7,
  cheek: 1,
  fold: 0.5,
  corners: 1,
  stretch: 0.35,
};
const sadness: Partial<ActionUnits> = {
  browInner: 0.95,
  browOuter: -0.5,
  browKnit: 0.3,
  lidUpper: -0.35,
  lidSlant: -1,
  gazeY: 0.6,
  corners: -1,
  stretch: -0.15,
  chin: 1,
};
const surprise: Partial<ActionUnits> = {
  browInner: 0.9,
  browOuter: 1.1,
  lidUpper: 0.9,
  open: 1,
  stretch: -0.55,
  square: 0.5,
  lift: 0.45,
};

const PROTOTYPES: Record<Expression, readonly Partial<ActionUnits>[]> = {
  anger: [
    { ...anger, corners: -0.35, press: 1, chin: 0.5 },
    {
      ...anger,
      corners: -0.15,
      open: 0.5,
      square: 1,
      lift: 0.5,
      stretch: 0.2,
      teethUpper: 0.5,
      teethLower: 0.5,
      fold: 0.5,
    },
  ],
  contempt: [contempt, { ...contempt, press: 0.5, browSkew: 0.35, lidUpper: -0.75 }],
  disgust: [
    { ...disgust, open: 0.35, square: 0.4, lift: 0.7, teethUpper: 0.5 },
    { ...disgust, open: 0.45, square: 0.4, lift: 0.4, tongue: 1, stretch: 0.1 },
  ],
  fear: [
    { ...fear, teethLower: 0.35, teethUpper: 0.25 },
    { ...fear, teethUpper: 0.5, teethLower: 0.5, open: 0.45, stretch: 0.7 },
  ],
  happiness: [
    happiness,
    { ...happiness, open: 0.55, lift: 0, square: 0, teethUpper: 0.5 },
    { ...happiness, open: 0.8, lift: 0, square: 0.1, teethUpper: 0.3, tongue: 0.3, lidLower: 0.95 },
  ],
  neutral: [{}],
  sadness: [sadness, { ...sadness, open: 0.12, square: 0.3, lift: 0.3, lidUpper: -0.55 }],
  surprise: [surprise, { ...surprise, teethUpper: 0.25, open: 0.85 }],
};

/** What was drawn for one face; `side` is -1 or 1, the viewer's left or right. */
export interface DrawnExpression {
  readonly units: Readonly<ActionUnits>;
  readonly side: -1 | 1;
}

/** Draws a face's action units for `expression`, at the given `intensity` or one uniform in [0.55, 1). */
export function drawActionUnits(expression: Expression, random: Random, intensity?: number): DrawnExpression {
  const variants = PROTOTYPES[expression];
  const prototype = variants[random.below(variants.length)]!;
  const drawn = 0.55 + 0.45 * random.uniform();
  const strength = intensity ?? drawn;
  const side = random.uniform() < 0.5 ? -1 : 1;
  const units = { ...REST };
  for (const unit of Object.keys(REST) as (keyof ActionUnits)[]) {
    const jitter = JITTER[unit];
    units[unit] = (prototype[unit] ?? 0) * (FIXED.has(unit) ? 1 : strength) + (jitter ? jitter * random.normal() : 0);
  }
  return { units, side };
}
