/**
 * Trains within a memory budget: turns the budget of the whole process into one of the step's values, and the plan that keeps to
 * it into what the training loop runs.
 */
import type { TrainingStep } from "../autodiff/training-step.ts";
import { orderStep } from "../memory/ordered-step.ts";
import { peakOf } from "../memory/peak.ts";
import { planMemory } from "../memory/plan.ts";
import { rangeGraph, wholeStep } from "../memory/ranges.ts";
import { encodeModel } from "../onnx/index.ts";
import { NetpareError } from "../tensor/error.ts";
import type { PlannedStep } from "./step-runner.ts";
import type { TrainingOptions } from "./training-options.ts";

/** What a worker, its engine and its sessions take beside values. */
const workerBytes = 110e6;

/** A budget of the whole process, what was decided, and what that should come to. */
export interface MemoryDecision {
  readonly budgetBytes: number;
  readonly policy: TrainingOptions["memoryPolicy"];
  readonly predictedBytes: number;
  readonly ranges: number;
  readonly recomputedMacs: number;
  readonly offloadedBytes: number;
}

/**
 * Plans a step for a process that takes `processBytes` before its training begins. A step that fits as it is need not be cut, and
 * has no plan.
 * @throws NetpareError `bad-option` where the budget cannot be met, naming the smallest that can.
 */
export function planWithin(
  step: TrainingStep,
  memoryBudget: string,
  memoryPolicy: TrainingOptions["memoryPolicy"],
  processBytes: number,
): { readonly planned: PlannedStep | undefined; readonly decision: MemoryDecision } {
  const budgetBytes = parseBytes(memoryBudget);
  const ordered = orderStep(step);
  const base = processBytes + workerBytes;
  const whole = base + peakOf(ordered, [wholeStep(ordered)], "ahead").bytes;
  if (whole <= budgetBytes) {
    const uncut = { predictedBytes: Math.round(whole), ranges: 1, recomputedMacs: 0, offloadedBytes: 0 };
    return { planned: undefined, decision: { budgetBytes, policy: memoryPolicy, ...uncut } };
  }
  const plan = planMemory(ordered, memoryPolicy, budgetBytes - base);
  const predictedBytes = base + plan.peakBytes;
  if (predictedBytes > budgetBytes)
    throw new NetpareError(
      "bad-option",
      `a memory budget of ${memoryBudget} cannot be met with the policy ${memoryPolicy}: the smallest that can is ${megabytes(predictedBytes)}, of which ${megabytes(base)} are taken before the first step; lower --batch${memoryPolicy === "auto" ? "" : " or choose the policy auto"}`,
    );
  const { ranges, recomputedMacs, offloadedBytes } = plan;
  return {
    planned: {
      ranges: ranges.map((range) => ({ ...range, model: encodeModel(rangeGraph(plan.step, range)) })),
      offloads: offloadedBytes > 0,
      memory: plan.memory,
    },
    decision: {
      budgetBytes,
      policy: memoryPolicy,
      predictedBytes,
      ranges: ranges.length,
      recomputedMacs,
      offloadedBytes,
    },
  };
}

/** Reads `800MB` or `1.5 GB`. */
function parseBytes(text: string): number {
  const [, amount, unit] = /^([\d.]+) ?(MB|GB)$/i.exec(text) ?? [];
  return Number(amount) * (unit?.toUpperCase() === "GB" ? 1e9 : 1e6);
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)}MB`;
