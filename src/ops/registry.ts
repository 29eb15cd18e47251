/** All operators: one line each. */
import type { Node } from "../graph/graph.ts";
import { abs } from "./abs.ts";
import { add } from "./add.ts";
import { and } from "./and.ts";
import { argMax } from "./arg-max.ts";
import { argMin } from "./arg-min.ts";
import { cast } from "./cast.ts";
import { ceil } from "./ceil.ts";
import { clip } from "./clip.ts";
import { concat } from "./concat.ts";
import { constant } from "./constant.ts";
import type { Operator } from "./define-op.ts";
import { div } from "./div.ts";
import { dropout } from "./dropout.ts";
import { elu } from "./elu.ts";
import { equal } from "./equal.ts";
import { exp } from "./exp.ts";
import { expand } from "./expand.ts";
import { flatten } from "./flatten.ts";
import { floor } from "./floor.ts";
import { gather } from "./gather.ts";
import { greater } from "./greater.ts";
import { greaterOrEqual } from "./greater-or-equal.ts";
import { hardSigmoid } from "./hard-sigmoid.ts";
import { identity } from "./identity.ts";
import { leakyRelu } from "./leaky-relu.ts";
import { less } from "./less.ts";
import { lessOrEqual } from "./less-or-equal.ts";
import { log } from "./log.ts";
import { logSoftmax } from "./log-softmax.ts";
import { mul } from "./mul.ts";
import { neg } from "./neg.ts";
import { or } from "./or.ts";
import { pad } from "./pad.ts";
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
import { shape } from "./shape.ts";
import { sigmoid } from "./sigmoid.ts";
import { sign } from "./sign.ts";
import { slice } from "./slice.ts";
import { softmax } from "./softmax.ts";
import { softplus } from "./softplus.ts";
import { sqrt } from "./sqrt.ts";
import { squeeze } from "./squeeze.ts";
import { sub } from "./sub.ts";
import { tanh } from "./tanh.ts";
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
  cast,
  ceil,
  clip,
  concat,
  constant,
  div,
  dropout,
  elu,
  equal,
  exp,
  expand,
  flatten,
  floor,
  gather,
  greater,
  greaterOrEqual,
  hardSigmoid,
  identity,
  leakyRelu,
  less,
  lessOrEqual,
  log,
  logSoftmax,
  mul,
  neg,
  or,
  pad,
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
  shape,
  sigmoid,
  sign,
  slice,
  softmax,
  softplus,
  sqrt,
  squeeze,
  sub,
  tanh,
  transpose,
  unsqueeze,
  where,
];

const byName = new Map(operators.map((operator) => [`${operator.domain}:${operator.op}`, operator]));

/** The operator of a node, undefined where netpare does not know it. */
export function findOp(node: Pick<Node, "op" | "domain">): Operator | undefined {
  const domain = node.domain === "ai.onnx" ? "" : node.domain;
  return byName.get(`${domain}:${node.op}`);
}
