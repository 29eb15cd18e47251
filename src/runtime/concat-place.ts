/** Spares Concat its copies: a part that nothing else reads is written where it will lie in the whole. */
import { attribute, type Build, behind, type Place, sizeOf } from "./build.ts";

/** Where a value lies in the output of the Concat that alone reads it; undefined where it has to be copied there. */
export function placeInConcat(build: Build, value: number): Place | undefined {
  const node = build.onlyReader(value);
  if (node?.op !== "Concat" || node.domain !== "") return undefined;
  const { inputs, outputs } = node;
  const whole = outputs[0]!;
  const axis = build.axis(whole, attribute(node, "axis", 0));
  if (sizeOf(build.shape(whole).slice(0, axis)) !== 1) return undefined;
  const part = inputs.indexOf(value);
  // Kernels may scribble behind what they write: what lies there has to be written later.
  if (inputs.slice(part + 1).some((later) => build.isReady(later))) return undefined;
  const before = inputs.slice(0, part).reduce((sum, other) => sum + build.size(other), 0);
  return behind(build.begin(whole), build.elementBytes(whole) * before);
}
