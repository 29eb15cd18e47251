/**
 * What is said beside a figure of energy: whether it was read or estimated, and of an estimate its constants and their source.
 * An estimate is never shown without the word. Pure, no Node modules.
 */

import { describeEnergyConstants, energySource } from "../engine/energy-constants.ts";
import { formatJoules } from "./format.ts";
import type { EnergySource, TrainingEnergy } from "./schema.ts";

/** `name`, with the word "estimate" where the figures are one: `energy (estimate)`. */
export function markEnergy(name: string, source: EnergySource): string {
  return source === "estimate" ? `${name} (estimate)` : name;
}

/** One line for below a table. */
export function energyNote(source: EnergySource): string {
  return source === "estimate"
    ? "Energy is an estimate from counted operations and bytes moved (Horowitz 2014, 45 nm): compare networks by it, no more."
    : "Energy was read from the processor's counters (powercap), all that the machine did meanwhile included.";
}

/** How the figures came about, in full. */
export function energyMethod(source: EnergySource): string {
  if (source === "powercap")
    return "joules of whole processors and their memory by the machine's counters (Linux powercap), all that the machine did meanwhile included, over the images of the runs";
  return (
    `an estimate, not a measurement: ${describeEnergyConstants()} (${energySource}). Stored weights are read once a run, every ` +
    "other value is written once and read once by each layer that reads it. Left out are instructions, idle power, leakage and " +
    "arithmetic other than multiply-adds, so that only ratios between networks mean something"
  );
}

/** A training's energy: `12.3 J, 41.0 mJ a step, 640 µJ an image (estimate)`. */
export function describeTrainingEnergy({ source, joules, joulesPerStep, joulesPerImage }: TrainingEnergy): string {
  const figures = `${formatJoules(joules)}, ${formatJoules(joulesPerStep)} a step, ${formatJoules(joulesPerImage)} an image`;
  return `${figures} (${source === "estimate" ? "estimate" : "by the machine's counters"})`;
}
