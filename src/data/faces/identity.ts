/** Who is drawn: everything about a face that its expression leaves alone. Lengths in head units (see canvas.ts). */
import type { Random } from "../../tensor/random.ts";
import { anyColor, type Color, dim, HAIRS, IRISES, luma, mix, pick, SKINS } from "./color.ts";

/** How the hair is worn. */
export type HairStyle =
  | "bald"
  | "receding"
  | "short"
  | "parted"
  | "fringe"
  | "long"
  | "curtains"
  | "curly"
  | "bun"
  | "scarf"
  | "beanie";

/** What grows on the chin. */
export type Beard = "none" | "stubble" | "moustache" | "goatee" | "full";

/** One person. */
export interface Identity {
  readonly skin: Color;
  readonly hair: Color;
  readonly brow: Color;
  readonly lip: Color;
  readonly iris: Color;
  readonly clothes: Color;
  readonly line: Color;
  readonly headWidth: number;
  readonly headTop: number;
  readonly headBottom: number;
  /** How far the jaw narrows, 0 to 0.35, and how square the outline is, 0 to 0.9. */
  readonly taper: number;
  readonly square: number;
  readonly hairStyle: HairStyle;
  readonly hairline: number;
  readonly hairVolume: number;
  readonly partingSide: -1 | 1;
  readonly beard: Beard;
  readonly earSize: number;
  readonly eyeSpacing: number;
  readonly eyeHeight: number;
  readonly eyeWidth: number;
  readonly eyeOpen: number;
  readonly eyeTilt: number;
  readonly irisSize: number;
  readonly lash: number;
  readonly browThickness: number;
  readonly browHeight: number;
  readonly browArch: number;
  readonly noseTip: number;
  readonly noseWidth: number;
  readonly noseSide: -1 | 1;
  readonly mouthHeight: number;
  readonly mouthWidth: number;
  readonly lipThickness: number;
  /** Depth of the lines that do not come from the expression, 0 to 1. */
  readonly age: number;
}

const STYLES: readonly HairStyle[] = [
  "bald",
  "receding",
  "short",
  "short",
  "parted",
  "parted",
  "fringe",
  "fringe",
  "long",
  "long",
  "curtains",
  "curly",
  "bun",
  "scarf",
  "beanie",
];
const BEARDED: ReadonlySet<HairStyle> = new Set(["bald", "receding", "short", "parted", "curly", "beanie"]);
const BEARDS: readonly Beard[] = ["none", "none", "none", "stubble", "moustache", "goatee", "full"];

/** Draws a person. */
export function drawIdentity(random: Random): Identity {
  const range = (low: number, high: number) => low + (high - low) * random.uniform();
  const sign = (): -1 | 1 => (random.uniform() < 0.5 ? -1 : 1);
  const skin = dim(pick(SKINS, random), range(0.94, 1.04));
  const hairStyle = STYLES[random.below(STYLES.length)]!;
  const hair = hairStyle === "scarf" || hairStyle === "beanie" ? anyColor(random, 30, 225) : pick(HAIRS, random);
  const ownHair = pick(HAIRS, random);
  const beard = BEARDS[random.below(BEARDS.length)]!;
  const painted = random.uniform() < 0.25;
  return {
    skin,
    hair,
    brow: browColor(hairStyle === "scarf" || hairStyle === "beanie" ? ownHair : hair, skin),
    lip: mix(dim(skin, 0.86), painted ? [176, 30, 48] : [178, 72, 72], painted ? 0.85 : range(0.35, 0.6)),
    iris: pick(IRISES, random),
    clothes: anyColor(random, 30, 220),
    line: mix(dim(skin, 0.42), [50, 20, 16], 0.35),
    headWidth: range(0.7, 0.86),
    headTop: range(0.94, 1.04),
    headBottom: range(0.92, 1.06),
    taper: range(0, 0.3),
    square: range(0.25, 0.85),
    hairStyle,
    hairline: range(-0.7, -0.52),
    hairVolume: range(0.04, 0.16),
    partingSide: sign(),
    beard: BEARDED.has(hairStyle) ? beard : "none",
    earSize: range(0.13, 0.2),
    eyeSpacing: range(0.31, 0.38),
    eyeHeight: range(-0.16, -0.06),
    eyeWidth: range(0.16, 0.205),
    eyeOpen: range(0.105, 0.14),
    eyeTilt: range(-0.12, 0.14),
    irisSize: range(0.085, 0.105),
    lash: range(0.5, 1),
    browThickness: range(0.032, 0.062),
    browHeight: range(0.25, 0.3),
    browArch: range(0.02, 0.09),
    noseTip: range(0.2, 0.28),
    noseWidth: range(0.11, 0.17),
    noseSide: sign(),
    mouthHeight: range(0.52, 0.58),
    mouthWidth: range(0.27, 0.34),
    lipThickness: range(0.035, 0.075),
    age: Math.max(0, range(-0.8, 1)),
  };
}

/** Brows keep the hair's hue, but always stand out from the skin. */
function browColor(hair: Color, skin: Color): Color {
  const most = 0.5 * luma(skin);
  const found = luma(hair);
  return found <= most ? hair : dim(hair, most / found);
}
