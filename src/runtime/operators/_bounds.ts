/** Activations and sums that the kernel before them computes as well. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, type Operand } from "../build.ts";

/** What a kernel adds and bounds before it writes: `clamp(x + residual, lo, hi)`. */
export interface Closing {
  /** The value that the kernel writes in the end. */
  readonly output: number;
  /** 0 where there is none. */
  readonly residual: Operand;
  readonly lo: number;
  readonly hi: number;
}

/** Takes an Add of another value that is there already, and a Relu or Clip, which alone read `value`, into the kernel that writes it. */
export function closing(build: Build, value: number, { residual: mayAdd = true } = {}): Closing {
  let output = value;
  let residual: Operand = 0;
  const add = build.onlyReader(output);
  if (mayAdd && add?.op === "Add") {
    const other = add.inputs.find((input) => input !== output);
    if (other !== undefined && alike(build, other, output, add.outputs[0]!) && build.isReady(other)) {
      residual = build.read(other);
      build.fused.add(add);
      output = add.outputs[0]!;
    }
  }
  const next = build.onlyReader(output);
  const bounds = next && alike(build, output, next.outputs[0]!) ? boundsOf(build, next) : undefined;
  if (!next || !bounds) return { output, residual, lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
  build.fused.add(next);
  return { output: next.outputs[0]!, residual, lo: bounds[0], hi: bounds[1] };
}

const alike = (build: Build, ...values: readonly number[]) =>
  new Set(values.map((value) => String(build.shape(value)))).size === 1;

/** Between what a node keeps its input, undefined where it does something else. */
export function boundsOf(build: Build, node: ProgramNode): readonly [lo: number, hi: number] | undefined {
  if (node.op === "Relu") return [0, Number.POSITIVE_INFINITY];
  if (node.op !== "Clip") return undefined;
  const bound = (i: number, name: string, otherwise: number) => {
    const input = node.inputs[i] ?? -1;
    if (input < 0) return attribute(node, name, otherwise);
    return build.isConstant(input) ? (build.list(input)![0] ?? Number.NaN) : Number.NaN;
  };
  const [lo, hi] = [bound(1, "min", Number.NEGATIVE_INFINITY), bound(2, "max", Number.POSITIVE_INFINITY)];
  return Number.isNaN(lo) || Number.isNaN(hi) ? undefined : [lo, hi];
}
