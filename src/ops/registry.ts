/** All operators: one line each. */
import type { Node } from "../graph/graph.ts";
import { abs } from "./abs.ts";
import { add } from "./add.ts";
import { and } from "./and.ts";
import { argMax } from "./arg-max.ts";
import { argMin } from "./arg-min.ts";
import { averagePool } from "./average-pool.ts";
import { batchNormalization } from "./batch-normalization.ts";
import { cast } from "./cast.ts";
import { ceil } from "./ceil.ts";
import { clip } from "./clip.ts";
import { concat } from "./concat.ts";
import { constant } from "./constant.ts";
import { constantOfShape } from "./constant-of-shape.ts";
import { conv } from "./conv.ts";
import { convTranspose } from "./conv-transpose.ts";
import type { Operator } from "./define-op.ts";
import { depthToSpace } from "./depth-to-space.ts";
import { dequantizeLinear } from "./dequantize-linear.ts";
import { div } from "./div.ts";
import { dropout } from "./dropout.ts";
import { elu } from "./elu.ts";
import { equal } from "./equal.ts";
import { erf } from "./erf.ts";
import { exp } from "./exp.ts";
import { expand } from "./expand.ts";
import { flatten } from "./flatten.ts";
import { floor } from "./floor.ts";
import { gather } from "./gather.ts";
import { gatherElements } from "./gather-elements.ts";
import { gatherND } from "./gather-nd.ts";
import { gemm } from "./gemm.ts";
import { globalAveragePool } from "./global-average-pool.ts";
import { globalMaxPool } from "./global-max-pool.ts";
import { greater } from "./greater.ts";
import { greaterOrEqual } from "./greater-or-equal.ts";
import { hardSigmoid } from "./hard-sigmoid.ts";
import { hardSwish } from "./hard-swish.ts";
import { hashedWeight } from "./hashed-weight.ts";
import { identity } from "./identity.ts";
import { inverseDct } from "./inverse-dct.ts";
import { leakyRelu } from "./leaky-relu.ts";
import { less } from "./less.ts";
import { lessOrEqual } from "./less-or-equal.ts";
import { log } from "./log.ts";
import { logSoftmax } from "./log-softmax.ts";
import { lrn } from "./lrn.ts";
import { matMul } from "./mat-mul.ts";
import { max } from "./max.ts";
import { maxPool } from "./max-pool.ts";
import { mean } from "./mean.ts";
import { min } from "./min.ts";
import { mish } from "./mish.ts";
import { mod } from "./mod.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { not } from "./not.ts";
import { oneHot } from "./one-hot.ts";
import { or } from "./or.ts";
import { pRelu } from "./p-relu.ts";
import { pad } from "./pad.ts";
import { pow } from "./pow.ts";
import { quantizeLinear } from "./quantize-linear.ts";
import { range } from "./range.ts";
import { reciprocal } from "./reciprocal.ts";
import { reduceL1 } from "./reduce-l1.ts";
import { reduceL2 } from "./reduce-l2.ts";
import { reduceMax } from "./reduce-max.ts";
import { reduceMean } from "./reduce-mean.ts";
import { reduceMin } from "./reduce-min.ts";
import { reduceProd } from "./reduce-prod.ts";
import { reduceSum } from "./reduce-sum.ts";
import { reduceSumSquare } from "./reduce-sum-square.ts";
import { relu } from "./relu.ts";
import { reshape } from "./reshape.ts";
import { resize } from "./resize.ts";
import { round } from "./round.ts";
import { scatterElements } from "./scatter-elements.ts";
import { shape } from "./shape.ts";
import { sigmoid } from "./sigmoid.ts";
import { sign } from "./sign.ts";
import { size } from "./size.ts";
import { slice } from "./slice.ts";
import { softmax } from "./softmax.ts";
import { softplus } from "./softplus.ts";
import { spaceToDepth } from "./space-to-depth.ts";
import { split } from "./split.ts";
import { sqrt } from "./sqrt.ts";
import { squeeze } from "./squeeze.ts";
import { straightThrough } from "./straight-through.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";
import { tanh } from "./tanh.ts";
import { tile } from "./tile.ts";
import { transpose } from "./transpose.ts";
import { unsqueeze } from "./unsqueeze.ts";
import { where } from "./where.ts";

/** Every operator netpare knows, in alphabetical order. */
export const operators: readonly Operator[] = [
  abs,
  add,
  and,
  argMax,
  argMin,
  averagePool,
  batchNormalization,
  cast,
  ceil,
  clip,
  concat,
  constant,
  constantOfShape,
  conv,
  convTranspose,
  depthToSpace,
  dequantizeLinear,
  div,
  dropout,
  elu,
  equal,
  erf,
  exp,
  expand,
  flatten,
  floor,
  gather,
  gatherElements,
  gatherND,
  gemm,
  globalAveragePool,
  globalMaxPool,
  greater,
  greaterOrEqual,
  hardSigmoid,
  hardSwish,
  identity,
  leakyRelu,
  less,
  lessOrEqual,
  log,
  logSoftmax,
  lrn,
  matMul,
  max,
  maxPool,
  mean,
  min,
  mish,
  mod,
  mul,
  neg,
  not,
  oneHot,
  or,
  pad,
  pow,
  pRelu,
  quantizeLinear,
  range,
  reciprocal,
  reduceL1,
  reduceL2,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSum,
  reduceSumSquare,
  relu,
  reshape,
  resize,
  round,
  scatterElements,
  shape,
  sigmoid,
  sign,
  size,
  slice,
  softmax,
  softplus,
  spaceToDepth,
  split,
  sqrt,
  squeeze,
  sub,
  sum,
  tanh,
  tile,
  transpose,
  unsqueeze,
  where,
  hashedWeight,
  inverseDct,
  straightThrough,
];

const byName = new Map(operators.map((operator) => [`${operator.domain}:${operator.op}`, operator]));

/** The operator of a node, undefined where netpare does not know it. */
export function findOp(node: Pick<Node, "op" | "domain">): Operator | undefined {
  const domain = node.domain === "ai.onnx" ? "" : node.domain;
  return byName.get(`${domain}:${node.op}`);
}
