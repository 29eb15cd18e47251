/** Operators that give the same values other dimensions: nothing moves. */
import type { ProgramNode } from "../../format/read.ts";
import type { Build } from "../build.ts";

export function addView(build: Build, { inputs, outputs }: ProgramNode): void {
  build.view(outputs[0]!, inputs[0]!);
}
