/** The operators that the runtime runs: each puts its steps into a build. */
import type { ProgramNode } from "../../format/read.ts";
import type { Build } from "../build.ts";
import { addArithmetic, arithmeticOps } from "./arithmetic.ts";
import { addBatchNormalization } from "./batch-normalization.ts";
import { addConcat, addSplit } from "./concat.ts";
import { addConv } from "./conv.ts";
import { addGemm, addMatMul } from "./gemm.ts";
import { addLrn } from "./lrn.ts";
import { addMove, moves } from "./move.ts";
import { addGlobalAveragePool, addGlobalMaxPool, addPool } from "./pool.ts";
import { addDequantize, addQuantize } from "./quantize.ts";
import { addReduceMean } from "./reduce-mean.ts";
import { addSoftmax } from "./softmax.ts";
import { addUnary, unaryOps } from "./unary.ts";
import { addView } from "./view.ts";

export type Operator = (build: Build, node: ProgramNode) => void;

const views = ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"];
const all = (names: Iterable<string>, operator: Operator) => [...names].map((name) => [name, operator] as const);

/** By ONNX's names. */
export const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["Conv", addConv],
  ["Gemm", addGemm],
  ["MatMul", addMatMul],
  ["MaxPool", addPool],
  ["AveragePool", addPool],
  ["GlobalAveragePool", addGlobalAveragePool],
  ["GlobalMaxPool", addGlobalMaxPool],
  ["LRN", addLrn],
  ["ReduceMean", addReduceMean],
  ["BatchNormalization", addBatchNormalization],
  ["Concat", addConcat],
  ["Split", addSplit],
  ["Softmax", addSoftmax],
  ["QuantizeLinear", addQuantize],
  ["DequantizeLinear", addDequantize],
  ...all(views, addView),
  ...all(arithmeticOps.keys(), addArithmetic),
  ...all(unaryOps.keys(), addUnary),
  ...all(moves.keys(), addMove),
]);

/** Operators that take 8-bit numbers as they are. */
export const byteOperators: ReadonlySet<string> = new Set([
  ...[...views, ...moves.keys(), "Concat", "Split"],
  ...["QuantizeLinear", "DequantizeLinear"],
]);
