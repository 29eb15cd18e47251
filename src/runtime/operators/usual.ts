/** The operators of most CNNs, each of which puts its steps into a build, and the decoders that their short lists of numbers want. */
import type { Decoders } from "../../codec/decoders.ts";
import { unpackSymbols } from "../../codec/packed-bits.ts";
import type { ProgramNode } from "../../format/read.ts";
import type { Build } from "../build.ts";
import { addAlike, arithmeticOps } from "./alike.ts";
import { addConcat } from "./concat.ts";
import { addConv } from "./conv.ts";
import { addGemm, addMatMul } from "./gemm.ts";
import { addPad } from "./pad.ts";
import { addGlobalAveragePool, addPool } from "./pool.ts";
import { addSlice } from "./slice.ts";
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
  ["Slice", addSlice],
  ["Pad", addPad],
  ...all(views.keys(), addView),
  ...all(arithmeticOps.keys(), addAlike),
  ...all(unaryOps.keys(), addUnary),
]);

export const usualDecoders: Pick<Decoders, "packed"> = { packed: unpackSymbols };
