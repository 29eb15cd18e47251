/** The operators that the runtime runs: each puts its steps into a build. */
import type { ProgramNode } from "../../format/read.ts";
import type { Build } from "../build.ts";
import { addArithmetic, arithmeticOps } from "./arithmetic.ts";
import { addBatchNormalization } from "./batch-normalization.ts";
import { addConcat, addSplit } from "./concat.ts";
import { addConv } from "./conv.ts";
import { addConvTranspose } from "./conv-transpose.ts";
import { addElementwise, elementwiseOps } from "./elementwise.ts";
import { addGemm, addMatMul } from "./gemm.ts";
import { addLrn } from "./lrn.ts";
import { addMade, madeOps } from "./made.ts";
import { addMove, moves } from "./move.ts";
import { addGlobalAveragePool, addGlobalMaxPool, addPool } from "./pool.ts";
import { addDequantize, addQuantize } from "./quantize.ts";
import { addArg, addReduction, addSoftmax, reductions } from "./reduce.ts";
import { addResize } from "./resize.ts";
import { addOneHot, addScatterElements } from "./scatter.ts";
import { addUnary, unaryOps } from "./unary.ts";
import { addView, views } from "./view.ts";

export type Operator = (build: Build, node: ProgramNode) => void;

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
  ["BatchNormalization", addBatchNormalization],
  ["Concat", addConcat],
  ["Split", addSplit],
  ["ConvTranspose", addConvTranspose],
  ["Resize", addResize],
  ["ScatterElements", addScatterElements],
  ["OneHot", addOneHot],
  ["QuantizeLinear", addQuantize],
  ["DequantizeLinear", addDequantize],
  ...all(["Softmax", "LogSoftmax"], addSoftmax),
  ...all(["ArgMax", "ArgMin"], addArg),
  ...all(reductions.keys(), addReduction),
  ...all(madeOps, addMade),
  ...all(views.keys(), addView),
  ...all(elementwiseOps, addElementwise),
  ...all(arithmeticOps.keys(), addArithmetic),
  ...all(unaryOps.keys(), addUnary),
  ...all(moves.keys(), addMove),
]);

/** Operators that take 8-bit numbers as they are. */
export const byteOperators: ReadonlySet<string> = new Set([
  ...[...views.keys(), ...moves.keys(), "Concat", "Split"],
  ...["QuantizeLinear", "DequantizeLinear"],
]);
