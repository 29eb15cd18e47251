/**
 * onnxruntime's BatchNormalization in training mode writes the new running statistics over its running mean and variance
 * inputs, in the caller's own buffers, unless they leave the graph as outputs. The first tests spring the trap on purpose;
 * the last shows that the form netpare trains with stays clear of it.
 */
import { describe, expect, it } from "vitest";
import { float, int } from "../../src/graph/attributes.ts";
import { trainingBatchNormalization } from "../../src/ops/batch-normalization.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { expectClose, runOnnxruntime } from "../ops/check-op.ts";

const channels = 3;
const shape = [4, channels, 5, 5];

function feeds(): Map<string, Tensor> {
  const random = createRandom(3);
  const vector = (value: number) => tensorOf("float32", [channels], new Array(channels).fill(value));
  const x = Array.from({ length: 4 * channels * 25 }, () => 2 + 3 * random.normal());
  return new Map([
    ["x", tensorOf("float32", shape, x)],
    ["scale", vector(1.5)],
    ["bias", vector(-0.5)],
    ["mean", vector(7)],
    ["variance", vector(9)],
  ]);
}

function builder(): TypedBuilder {
  const g = new TypedBuilder("trap");
  for (const [name, t] of feeds()) g.input(name, t.dtype, t.shape);
  return g;
}

/** Runs a training-mode node that reads what `guard` makes of the statistics and returns what became of the feeds. */
async function spring(guard: (g: TypedBuilder, name: string) => string): Promise<ReadonlyMap<string, Tensor>> {
  const g = builder();
  const inputs = ["x", "scale", "bias", guard(g, "mean"), guard(g, "variance")];
  const [y, mean, variance] = g.node("BatchNormalization", inputs, 3, { training_mode: int(1), momentum: float(0.9) });
  for (const output of [y!, g.neg(mean!), g.neg(variance!)]) g.output(output);
  const given = feeds();
  await runOnnxruntime(g.build(), given);
  return given;
}

const isUntouched = (given: ReadonlyMap<string, Tensor>) =>
  ["mean", "variance"].every((name) =>
    toNumbers(given.get(name)!).every((v, i) => v === toNumbers(feeds().get(name)!)[i]),
  );

describe("BatchNormalization in training mode", () => {
  it("overwrites the caller's running statistics when fed plainly", async () => {
    const given = await spring((_, name) => name);
    expect(isUntouched(given), "the trap is gone: the guard may go as well").toBe(false);
  });

  it("overwrites them through an Identity or a Reshape too, which share the buffer", async () => {
    expect(isUntouched(await spring((g, name) => g.op("Identity", [name])))).toBe(false);
    expect(isUntouched(await spring((g, name) => g.reshape(name, [channels])))).toBe(false);
  });

  it("leaves them alone in the form that netpare trains with, run after run", async () => {
    const g = builder();
    const node = {
      name: "bn",
      op: "BatchNormalization",
      domain: "",
      inputs: ["x", "scale", "bias", "mean", "variance"],
      outputs: ["y"],
      attributes: { epsilon: float(1e-3) },
    };
    const { mean, variance } = trainingBatchNormalization(g, node);
    // The running average as the training step takes it, from the values fed.
    const next = g.add(g.scale("mean", 0.9), g.scale(mean, 0.1));
    const spread = g.add(g.scale("variance", 0.9), g.scale(variance, 0.1));
    const outputs = ["y", next, spread];
    for (const output of outputs) g.output(output);
    const graph = g.build();
    const given = feeds();
    const expected = evaluateGraph(graph, feeds());
    for (let step = 0; step < 3; step++) {
      const results = await runOnnxruntime(graph, given);
      for (const output of outputs)
        expectClose(`step ${step}, ${output}`, results.get(output)!, expected.get(output)!, 1e-5);
      expect(isUntouched(given)).toBe(true);
    }
  });
});
