/** Every architecture learns: a few steps of gradient descent on one batch lower its loss. */
import { describe, expect, it } from "vitest";
import { buildTrainingStep, stepNames } from "../../src/autodiff/training-step.ts";
import { openSession } from "../../src/engine/session.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { architectures, findArchitecture } from "../../src/zoo/index.ts";
import { smallSettings } from "./small-settings.ts";

const batch = 4;
const steps = 6;

describe("training", () => {
  const plain = architectures.map(({ name }) => ({ name, extra: {} }));
  const normalized = ["squeezenet-1.1", "fitnet-1"].map((name) => ({ name, extra: { batchnorm: 1 } }));
  it.each([...plain, ...normalized])("$name $extra lowers its loss on one batch", async ({ name, extra }) => {
    const architecture = findArchitecture(name);
    const dropout = "dropout" in architecture.params.shape ? { dropout: 0 } : {};
    const settings = { ...smallSettings[name], ...dropout, ...extra, classes: batch };
    const graph = architecture.build(settings, createRandom(1));
    const imageShape = (graph.inputs[0]!.shape ?? []).slice(1) as [number, number, number];
    const step = buildTrainingStep(graph, {
      batch,
      classes: batch,
      imageShape,
      optimizer: { optimizer: "adam", momentum: 0.9, nesterov: false, weightDecay: 0 },
      objective: { terms: [] },
    });
    const session = await openSession(step.graph);
    const random = createRandom(2);
    const drawn = (shape: readonly number[], next: (i: number) => number) =>
      tensorOf(
        "float32",
        shape,
        Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => next(i)),
      );
    const fixed: [string, Tensor][] = [
      [step.images, drawn([batch, ...imageShape], () => random.normal())],
      [stepNames.targets, drawn([batch, batch], (i) => (i % (batch + 1) === 0 ? 1 : 0))],
      [stepNames.lr, drawn([], () => 1e-3)],
    ];
    let states = new Map([...step.states].map(([state, { initial }]) => [state, initial]));
    const losses: number[] = [];
    for (let t = 0; t < steps; t++) {
      const outputs = await session.run(new Map([...states, ...fixed]));
      losses.push(toNumbers(outputs.get(step.loss)!)[0]!);
      states = new Map([...step.states].map(([state, { next }]) => [state, outputs.get(next)!]));
    }
    await session.release();
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses[0]).toBeLessThan(10);
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.02);
  });
});
