/** A step in ranges gives the very results of the step as one; policies and budgets do what they say. */
import { describe, expect, it } from "vitest";
import { buildTrainingStep, stepNames } from "../../src/autodiff/training-step.ts";
import { openSession } from "../../src/engine/session.ts";
import { openPlannedStep } from "../../src/engine/step-runner.ts";
import { recomputableValues, recomputeWithin } from "../../src/memory/one-session.ts";
import { bytesOf, macsOf, orderStep } from "../../src/memory/ordered-step.ts";
import { memoryPolicies, planMemory } from "../../src/memory/plan.ts";
import { rangeGraph, smallestBytes } from "../../src/memory/ranges.ts";
import { encodeModel } from "../../src/onnx/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Tensor, tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";

const batch = 16;

function prepare(name: string, settings = {}) {
  const graph = findArchitecture(name).build(settings, createRandom(1));
  const [channels, height, width] = graph.inputs[0]!.shape!.slice(1) as [number, number, number];
  const step = buildTrainingStep(graph, {
    batch,
    classes: 10,
    imageShape: [channels, height, width],
    optimizer: { optimizer: "sgd", momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    objective: { terms: [] },
  });
  const random = createRandom(3);
  const images = tensor("float32", [batch, channels, height, width]);
  for (let i = 0; i < images.data.length; i++) images.data[i] = random.normal();
  const targets = tensor("float32", [batch, 10]);
  for (let n = 0; n < batch; n++) targets.data[n * 10 + (n % 10)] = 1;
  const feeds = new Map<string, Tensor>([...step.states].map(([state, { initial }]) => [state, initial]));
  feeds
    .set(step.images, images)
    .set(stepNames.targets, targets)
    .set(stepNames.lr, tensorOf("float32", [], [0.05]));
  if (step.noisy) feeds.set(stepNames.noise, tensor("float32", [batch]));
  return { step, feeds, wanted: step.graph.outputs.map((output) => output.name) };
}

describe("a step in ranges", () => {
  it.each(memoryPolicies)("gives what the whole step gives, with policy %s", async (policy) => {
    const { step, feeds, wanted } = prepare("resnet-8");
    const whole = await openSession(step.graph);
    const expected = await whole.run(feeds, wanted);
    const ordered = orderStep(step);
    const plan = planMemory(ordered, policy, policy === "auto" ? 9e6 : undefined);
    const ranges = plan.ranges.map((range) => ({ ...range, model: encodeModel(rangeGraph(plan.step, range)) }));
    const runner = await openPlannedStep({ ...plan, ranges, offloads: plan.offloadedBytes > 0 }, { threads: 1 });
    const found = await runner.run(feeds, wanted);
    await runner.release();
    await whole.release();
    for (const name of wanted) {
      const [a, b] = [toNumbers(expected.get(name)!), toNumbers(found.get(name)!)];
      const scale = Math.max(1e-3, ...a.map(Math.abs));
      const error = Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / scale;
      expect(error, name).toBeLessThan(1e-5);
    }
  });
});

describe("a step that computes values anew within one session", () => {
  const { step, feeds, wanted } = prepare("resnet-8");
  const ordered = orderStep(step);
  const dropped = new Set(recomputableValues(ordered).filter((name) => bytesOf(ordered, name) >= smallestBytes));
  const twice = recomputeWithin(ordered, dropped);

  it("reads no dropped value in the backward pass, and runs their nodes again", () => {
    expect(dropped.size).toBeGreaterThan(10);
    for (const name of dropped) expect(twice.step.readAt.get(name)!.at(-1), name).toBeLessThan(twice.step.forward);
    const again = new Set(twice.recomputed.flatMap(({ outputs }) => outputs));
    for (const name of dropped) expect(again.has(name), name).toBe(true);
  });

  it("runs them late: each leads back to a gradient, which onnxruntime cannot have before the loss", () => {
    const after = new Set<string>();
    for (const node of twice.step.nodes.slice(twice.step.forward)) {
      if (node.name.startsWith("wait/Slice") || node.inputs.some((input) => after.has(input)))
        for (const output of node.outputs) after.add(output);
    }
    const repeated = twice.step.nodes.filter(({ name }) => /\/again(_\d+)?$/.test(name));
    expect(repeated).toHaveLength(twice.recomputed.length);
    for (const { name, outputs } of repeated) expect(after.has(outputs[0]!), name).toBe(true);
  });

  it("gives what the whole step gives, also where a gradient is not a number", async () => {
    const bad = new Map([...feeds, [stepNames.targets, tensor("float32", [batch, 10])]]);
    (bad.get(stepNames.targets)!.data as Float32Array).fill(Number.NaN);
    for (const given of [feeds, bad]) {
      const [whole, again] = [await openSession(step.graph), await openSession(twice.step.graph)];
      const [expected, found] = [await whole.run(given, wanted), await again.run(given, wanted)];
      for (const name of wanted) expect(toNumbers(found.get(name)!), name).toEqual(toNumbers(expected.get(name)!));
      for (const session of [whole, again]) await session.release();
    }
  });

  it("takes less memory where the budget asks for it, and loses no more than it must", () => {
    const kept = planMemory(ordered, "recompute", Number.POSITIVE_INFINITY);
    const less = planMemory(ordered, "recompute", 0.8 * kept.peakBytes);
    expect(kept.fates.size).toBe(0);
    expect(kept.memory).toBe("held");
    expect(less.peakBytes).toBeLessThanOrEqual(0.8 * kept.peakBytes);
    expect(less.recomputedMacs + less.fates.size > 0 || less.memory === "fresh").toBe(true);
  });
});

describe("a plan", () => {
  const { step } = prepare("resnet-8");
  const ordered = orderStep(step);

  it("runs every node of the step once, and again only what it says", () => {
    const plan = planMemory(ordered, "recompute");
    const own = plan.ranges.flatMap(({ nodes, recomputed }) => nodes.filter((node) => !recomputed.includes(node)));
    expect(own.map(({ outputs }) => outputs[0])).toEqual(ordered.nodes.map(({ outputs }) => outputs[0]));
    const again = plan.ranges.flatMap(({ recomputed }) => recomputed);
    expect(again.length).toBeGreaterThan(0);
    expect(plan.recomputedMacs).toBe(again.reduce((sum, node) => sum + macsOf(ordered, node), 0));
  });

  it("updates each parameter as soon as its gradient is there", () => {
    const at = (name: string) => ordered.nodes.findIndex((node) => node.outputs.includes(name));
    const [first, last] = ["stem/weight", "logits/weight"].map((name) => at(step.states.get(name)!.next));
    expect(last).toBeLessThan(first!);
    expect(last).toBeLessThan(at(step.gradients.get("stem/weight")!));
  });

  it("keeps to its budget where it can, gives up more for less, and offloads only where asked", () => {
    const kept = planMemory(ordered, "keep").peakBytes;
    const [loose, tight] = [0.9, 0.7].map((share) => planMemory(ordered, "auto", share * kept));
    expect(loose!.peakBytes).toBeLessThanOrEqual(0.9 * kept);
    expect(tight!.peakBytes).toBeLessThanOrEqual(0.7 * kept);
    expect(loose!.fates.size).toBeLessThan(tight!.fates.size);
    expect(planMemory(ordered, "recompute").offloadedBytes).toBe(0);
    const [conv, all] = (["offload-conv", "offload-all"] as const).map((policy) => planMemory(ordered, policy));
    expect(conv!.offloadedBytes).toBeLessThan(all!.offloadedBytes);
    expect(conv!.recomputedMacs + all!.recomputedMacs).toBe(0);
  });
});
