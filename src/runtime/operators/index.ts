/** All operators and forms of layers that the runtime has. A network that does with the usual ones is loaded without the others. */
import { binaryForm } from "./_binary-layer.ts";
import * as codebook from "./_codebook-layer.ts";
import { int8Form } from "./_int8-layer.ts";
import { arithmeticOps } from "./alike.ts";
import { addAnyPool, addGlobalMaxPool } from "./any-pool.ts";
import { addArithmetic } from "./arithmetic.ts";
import { addBatchNormalization } from "./batch-normalization.ts";
import { addSplit } from "./concat.ts";
import { addConvTranspose } from "./conv-transpose.ts";
import { addClip, addDiv, addElementwise, elementwiseOps } from "./elementwise.ts";
import { addAnySoftmax } from "./log-softmax.ts";
import { addLrn } from "./lrn.ts";
import { addMade, madeOps } from "./made.ts";
import { addAnyMove, moves } from "./move.ts";
import { addAnyGemm, addAnyMatMul } from "./product.ts";
import { addDequantize, addQuantize } from "./quantize.ts";
import { addArg, addReduction, reductions } from "./reduce.ts";
import { addResize } from "./resize.ts";
import { addOneHot, addScatterElements } from "./scatter.ts";
import { all, type Forms, type Operator, usualOperators } from "./usual.ts";
import { views } from "./view.ts";

export { decoders } from "../../codec/decoders.ts";
export { makeHashed } from "../make-hashed.ts";
export { widenBytes } from "../widen-bytes.ts";

/** By ONNX's names. */
export const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ...usualOperators,
  ["LRN", addLrn],
  ["ConvTranspose", addConvTranspose],
  ["Resize", addResize],
  ["ScatterElements", addScatterElements],
  ["OneHot", addOneHot],
  ["QuantizeLinear", addQuantize],
  ["DequantizeLinear", addDequantize],
  ["BatchNormalization", addBatchNormalization],
  ["Split", addSplit],
  ...all(moves.keys(), addAnyMove),
  ...all(["Softmax", "LogSoftmax"], addAnySoftmax),
  ...all(["ArgMax", "ArgMin"], addArg),
  ...all(reductions.keys(), addReduction),
  ...all(madeOps, addMade),
  ...all(elementwiseOps, addElementwise),
  ...all(arithmeticOps.keys(), addArithmetic),
  ["AveragePool", addAnyPool],
  ["GlobalMaxPool", addGlobalMaxPool],
  ["Gemm", addAnyGemm],
  ["MatMul", addAnyMatMul],
  ["Clip", addClip],
  ["Div", addDiv],
]);

/** Operators that take 8-bit numbers as they are. */
export const byteOperators: ReadonlySet<string> = new Set([
  ...[...views.keys(), ...moves.keys(), "Slice", "Pad", "Concat", "Split"],
  ...["QuantizeLinear", "DequantizeLinear"],
]);

export const forms: Forms = { layers: [int8Form, binaryForm], codebook };
