/** Arithmetic on operands of any shapes that go together: those that the kernel cannot follow are spread out before. */
import type { ProgramNode } from "../../format/read.ts";
import { type Build, sizeOf } from "../build.ts";
import { addCopy, broadcastIndices } from "./_copy.ts";
import { addArithmetic, type Spreading } from "./arithmetic.ts";

const spreadOut: Spreading = (build, { place, shape: from }, shape) => {
  const dst = build.scratch(4 * sizeOf(shape));
  addCopy(build, place, dst, broadcastIndices(build, from, shape));
  return dst;
};

/** @returns false for quotients of integers. */
export const addBroadcast = (build: Build, node: ProgramNode): boolean => addArithmetic(build, node, spreadOut);
