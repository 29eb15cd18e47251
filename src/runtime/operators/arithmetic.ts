/** Sums, products and their kin of two operands, one of which may be a channel's number or a scalar; more operands in turn. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { type Build, behind, broadcast, type Place, sizeOf } from "../build.ts";
import { closing } from "./_bounds.ts";
import { addCopy, broadcastIndices } from "./_copy.ts";
import { arithmeticOps } from "./alike.ts";

/** @returns false for quotients of integers. */
export function addArithmetic(build: Build, node: ProgramNode): boolean {
  const [first, ...others] = node.inputs as [number, ...number[]];
  const shape = broadcast(node.inputs.map((input) => build.shape(input)));
  const y = build.output(node, shape);
  if (build.takes(node)) return true;
  if (others.length === 0) {
    build.view(y, first);
    return true;
  }
  if (node.op === "PRelu" && String(build.shape(first)) !== String(shape)) throw badFile("a PRelu of a smaller input");
  if (node.op === "Div" && build.program.values[y]!.dtype !== "float32") return false;
  let a = { place: build.read(first), shape: build.shape(first) };
  for (const [i, other] of others.entries()) {
    const b = { place: build.read(other), shape: build.shape(other) };
    const isLast = i === others.length - 1;
    const isMean = node.op === "Mean";
    const end = isLast && !isMean ? closing(build, y, { residual: false }) : undefined;
    const dst = isLast ? build.write(end?.output ?? y) : build.scratch(4 * sizeOf(shape));
    const bounds = [end?.lo ?? Number.NEGATIVE_INFINITY, end?.hi ?? Number.POSITIVE_INFINITY] as const;
    combine(build, node.op, a, b, shape, dst, bounds);
    if (isLast && isMean) build.call("unary", 13, dst, dst, sizeOf(shape), 1 / node.inputs.length, 0);
    a = { place: dst, shape };
  }
  return true;
}

interface Side {
  readonly place: Place;
  readonly shape: readonly number[];
}

function combine(
  build: Build,
  op: string,
  a: Side,
  b: Side,
  shape: readonly number[],
  dst: Place,
  bounds: readonly [number, number],
): void {
  const [plain, exchanged] = arithmeticOps.get(op)!;
  const size = sizeOf(shape);
  // Of two that are not alike the smaller one is the second.
  const turned = sizeOf(a.shape) < size && sizeOf(b.shape) === size && op !== "PRelu";
  const [first, second] = turned ? [b, a] : [a, b];
  const channels = sizeOf(second.shape) < size ? channelsOf(second.shape, shape) : undefined;
  const count = sizeOf(second.shape);
  if (!channels && isTrail(second.shape, shape) && sizeOf(first.shape) === size) {
    for (let at = 0; at < 4 * size; at += 4 * count) {
      const [a, b] = [behind(first.place, at), second.place];
      build.call("arithmetic", turned ? exchanged : plain, a, b, behind(dst, at), 1, count, 0, ...bounds);
    }
    return;
  }
  const whole = (side: Side) => (sizeOf(side.shape) === size ? side.place : spreadOut(build, side, shape));
  const left = whole(first);
  const right = channels ? second.place : whole(second);
  const runs = channels ? [...channels, 1] : [1, size, 0];
  build.call("arithmetic", turned ? exchanged : plain, left, right, dst, ...runs, ...bounds);
}

/** How `shape` falls into runs that share one element of `small`; undefined where it does not. */
function channelsOf(
  small: readonly number[],
  shape: readonly number[],
): readonly [channels: number, count: number] | undefined {
  const padded = [...new Array(shape.length - small.length).fill(1), ...small] as number[];
  const from = padded.findIndex((size) => size > 1);
  if (from === -1) return [1, sizeOf(shape)];
  const to = padded.findLastIndex((size) => size > 1) + 1;
  const inside = padded.slice(from, to).every((size, i) => size === shape[from + i]);
  const outside = shape.slice(0, from).every((size) => size === 1);
  return inside && outside ? [sizeOf(padded), sizeOf(shape.slice(to))] : undefined;
}

/** Shorter runs than this are spread out before, not computed one by one. */
const leastRun = 16;

/** Whether `small` is the last axes of `shape`, to be repeated along the first, and not too small a part. */
function isTrail(small: readonly number[], shape: readonly number[]): boolean {
  const from = small.findIndex((size) => size > 1);
  const axes = small.slice(from);
  return sizeOf(small) >= leastRun && String(axes) === String(shape.slice(shape.length - axes.length));
}

function spreadOut(build: Build, { place, shape: from }: Side, shape: readonly number[]): Place {
  const dst = build.scratch(4 * sizeOf(shape));
  addCopy(build, place, dst, broadcastIndices(build, from, shape));
  return dst;
}
