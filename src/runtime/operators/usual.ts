/** The operators of most CNNs: each puts its steps into a build. */
import type { ProgramNode } from "../../format/read.ts";
import type { Build } from "../build.ts";
import { addAlike, arithmeticOps } from "./alike.ts";
import { addConcat } from "./concat.ts";
import { addConv } from "./conv.ts";
import { addGemm, addMatMul } from "./gemm.ts";
import { addGlobalAveragePool, addPool } from "./pool.ts";
import { addSoftmax } from "./softmax.ts";
import { addUnary, unaryOps } from "./unary.ts";
import { addView, views } from "./view.ts";

/** Answers false where it has put nothing, and the node is left to the operators that few networks need. */
export type Operator = (build: Build, node: ProgramNode) => unknown;

/** Further forms of layers; who ships a network that has none of them leaves them out. */
export interface Forms {
  /** Each puts a node's steps and returns true, or returns false and leaves all as it was. */
  readonly layers?: readonly ((build: Build, node: ProgramNode) => boolean)[];
  readonly codebook?: typeof import("./_codebook-layer.ts");
}

/** One operator under several names. */
export const all = (names: Iterable<string>, operator: Operator) => [...names].map((name) => [name, operator] as const);

/** By ONNX's names. */
export const usualOperators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["Conv", addConv],
  ["Gemm", addGemm],
  ["MatMul", addMatMul],
  ["MaxPool", addPool],
  ["AveragePool", addPool],
  ["GlobalAveragePool", addGlobalAveragePool],
  ["Concat", addConcat],
  ["Softmax", addSoftmax],
  ...all(views.keys(), addView),
  ...all(arithmeticOps.keys(), addAlike),
  ...all(unaryOps.keys(), addUnary),
]);
