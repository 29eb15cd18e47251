/**
 * Functions of elements that no kernel has: comparisons, choices, rare functions; with broadcasting, in doubles. Truth is 1 and 0, and
 * integers are floats here as everywhere in the runtime: exact up to 2^24.
 */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, type Build, broadcast } from "../build.ts";
import { broadcastIndices } from "./_copy.ts";
import { addArithmetic } from "./arithmetic.ts";
import { addUnary } from "./unary.ts";

/** Of up to three operands; one that is absent is undefined. */
type Function3 = (a: number, b: number, c: number) => number;

const plain: Readonly<Record<string, Function3>> = {
  And: (a, b) => a && b,
  Or: (a, b) => a || b,
  Not: (a) => +!a,
  Equal: (a, b) => +(a === b),
  Less: (a, b) => +(a < b),
  LessOrEqual: (a, b) => +(a <= b),
  Greater: (a, b) => +(a > b),
  GreaterOrEqual: (a, b) => +(a >= b),
  Where: (condition, a, b) => (condition ? a : b),
  Pow: (a, b) => a ** b,
  Mish: (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Erf: erf,
  // Between bounds that are computed.
  Clip: (x, lo = Number.NEGATIVE_INFINITY, hi = Number.POSITIVE_INFINITY) => Math.min(Math.max(x, lo), hi),
};

/** Operators whose function depends on attributes or types. */
const made: Readonly<Record<string, (build: Build, node: ProgramNode) => Function3>> = {
  Mod: (_, node) => (attribute(node, "fmod", 0) ? (a, b) => a % b : (a, b) => a - b * Math.floor(a / b)),
  Cast: (build, { outputs }) => {
    const { dtype } = build.program.values[outputs[0]!]!;
    return dtype.startsWith("float") ? (x) => x : dtype === "bool" ? (x) => +(x !== 0) : Math.trunc;
  },
};

export const elementwiseOps: readonly string[] = Object.keys({ ...plain, ...made });

export function addElementwise(build: Build, node: ProgramNode): void {
  applyEach(build, node, plain[node.op] ?? made[node.op]!(build, node));
}

/** Clip, by bounds that are computed too. */
export function addClip(build: Build, node: ProgramNode): void {
  if (!addUnary(build, node)) addElementwise(build, node);
}

/** Div, of integers too. */
export function addDiv(build: Build, node: ProgramNode): void {
  if (!addArithmetic(build, node)) applyEach(build, node, (a, b) => Math.trunc(a / b));
}

/** Applies `f` to each element of the broadcast of a node's inputs. */
export function applyEach(build: Build, node: ProgramNode, f: Function3): void {
  const { inputs } = node;
  if (!(inputs.length > 0 && inputs.length < 4)) throw badFile(`${node.op} of ${inputs.length} inputs`);
  const shape = broadcast(inputs.filter((x) => x >= 0).map((x) => build.shape(x)));
  const y = build.output(node, shape);
  const size = build.size(y);
  const maps = inputs.map((x) =>
    x < 0 || build.size(x) === size ? undefined : broadcastIndices(build, build.shape(x), shape),
  );
  const sources = inputs.map((x) => (x < 0 ? Number.NaN : build.read(x)));
  const [first, second, third] = maps;
  build.act(
    (memory, to, a, b, c) => {
      const at = (from: number | undefined, map: Int32Array | undefined, i: number) =>
        memory[from! / 4 + (map ? map[i]! : i)]!;
      for (let i = 0; i < size; i++)
        memory[to! / 4 + i] =
          sources.length === 1 ? f(memory[a! / 4 + i]!, 0, 0) : f(at(a, first, i), at(b, second, i), at(c, third, i));
    },
    build.write(y),
    ...sources,
  );
}

/** Abramowitz and Stegun 7.1.6 (all terms of one sign) up to 3, where it needs some 40 terms; 7.1.14's continued fraction beyond. */
function erf(x: number): number {
  const size = Math.abs(x);
  const scale = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (size > 3) {
    let tail = 0;
    for (let n = 12; n > 0; n--) tail = n / 2 / (size + tail);
    return Math.sign(x) * (1 - scale / (size + tail));
  }
  let term = 2 * x;
  let sum = term;
  for (let n = 1; Math.abs(term) > 1e-9 * Math.abs(sum); n++) sum += term *= (x * x) / (n + 0.5);
  return scale * sum;
}
