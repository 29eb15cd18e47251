import { describe, expect, it } from "vitest";
import { appendGradient } from "../../src/autodiff/reverse.ts";
import { createBatcher, type Preprocessing, withPreprocessing } from "../../src/data/index.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { conversionBetween, readingOf } from "../../src/methods/_image-reading.ts";
import { findMethod } from "../../src/methods/index.ts";
import { evaluateGraph, toFloat64 } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { castTensor, tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { Net } from "../analysis/nets.ts";
import { classes, fixtureBatch, fixtureContext, fixtures } from "./fixtures.ts";

const method = findMethod("distill");
const apply = (student: Graph, teacher: Graph | undefined, given: Readonly<Record<string, unknown>> = {}) =>
  method.apply(student, method.params.parse({ teacher: "-", ...given }), {
    ...fixtureContext(),
    models: new Map(teacher ? [["teacher", teacher]] : []),
  });

const rgb: Preprocessing = { scale: 1 / 255, mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3], channels: "rgb" };

/** The soft term of a student whose logits are fed, and its gradient by them, in float64. */
async function softTerm(teacher: Graph, logits: readonly number[], given: Readonly<Record<string, unknown>>) {
  const { recipe } = await apply(teacher, teacher, given);
  const g = new TypedBuilder("loss");
  const images = g.input("x", "float32", [2, 3, 12, 12]);
  const student = g.input("student", "float32", [2, classes]);
  const loss = recipe!.terms[0]!.append(g, { images, logits: student, targets: student });
  const gradient = appendGradient(g, loss, [student]).get(student)!;
  for (const name of [loss, gradient]) g.output(name);
  const feeds = new Map([
    ["x", castTensor(fixtureBatch(), "float64")],
    ["student", tensorOf("float64", [2, classes], logits)],
  ]);
  const values = evaluateGraph(toFloat64(g.build()), feeds);
  return { loss: toNumbers(values.get(loss)!)[0]!, gradient: toNumbers(values.get(gradient)!) };
}

const softmax = (z: readonly number[]) => {
  const top = Math.max(...z);
  const e = z.map((v) => Math.exp(v - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
};

describe("distill", () => {
  it("minimizes α·T²·KL(softmax t/T ‖ softmax s/T) beside the labels", async () => {
    const teacher = fixtures.residual!();
    const [temperature, alpha] = [8, 0.7];
    const logits = [1, -2, 3, 0.5, 0, 2, -1, 4];
    const found = await softTerm(teacher, logits, { temperature, alpha });
    const scores = toNumbers(
      evaluateGraph(toFloat64(teacher), new Map([["x", castTensor(fixtureBatch(), "float64")]])).get(
        teacher.outputs[0]!.name,
      )!,
    );
    let expected = 0;
    const gradient: number[] = [];
    for (const row of [0, 1]) {
      const soften = (z: ArrayLike<number>) =>
        softmax(Array.from({ length: classes }, (_, k) => z[row * classes + k]! / temperature));
      const [p, q] = [soften(scores), soften(logits)];
      p.forEach((pk, k) => {
        if (pk > 0) expected += (pk * Math.log(pk / q[k]!)) / 2;
        // The gradient of the soft term is (q - p)/T times T² (Hinton et al. 2014, equation 2).
        gradient.push((alpha * temperature * (q[k]! - pk)) / 2);
      });
    }
    expect(found.loss).toBeCloseTo(alpha * temperature ** 2 * expected, 4);
    found.gradient.forEach((v, i) => {
      expect(v).toBeCloseTo(gradient[i]!, 4);
    });
    const { recipe } = await apply(teacher, teacher, { alpha });
    expect(recipe!.labelWeight).toBeCloseTo(0.3, 12);
  });

  it("is 0 where the student says what the teacher says", async () => {
    const teacher = fixtures.depthwise!();
    const scores = toNumbers(evaluateGraph(teacher, new Map([["x", fixtureBatch()]])).get(teacher.outputs[0]!.name)!);
    expect((await softTerm(teacher, [...scores], { temperature: 100 })).loss).toBeCloseTo(0, 4);
  });

  it("asks for a teacher, of the student's image size", async () => {
    const student = fixtures.residual!();
    await expect(apply(student, undefined)).rejects.toThrow("--teacher");
    const net = new Net(["N", 3, 24, 24]);
    const large = net.done(net.dense("head", net.op("Flatten", [net.conv("c", "x", 2)]), classes));
    await expect(apply(student, large)).rejects.toThrow("3,24,24");
  });
});

describe("images as the teacher reads them", () => {
  const readings: Readonly<Record<string, Preprocessing>> = {
    rgb,
    "bgr in 0..255": { scale: 1, mean: [104, 117, 123], std: [1], channels: "bgr" },
    grey: { scale: 1 / 128, mean: [1], std: [0.5], channels: "grey" },
  };
  const bytes = Uint8Array.from({ length: 3 * 16 }, (_, i) => (i * 37 + 11) % 256);
  const split = { images: bytes, labels: new Uint16Array(1), length: 1 };
  const read = (preprocessing: Preprocessing) => {
    const batcher = createBatcher(split, { channels: 3, height: 4, width: 4, preprocessing });
    const images = tensor("float32", [1, ...batcher.imageShape]);
    batcher.fill([0], null, images.data, new Int32Array(1));
    return images;
  };

  for (const [from, a] of Object.entries(readings))
    for (const [to, b] of Object.entries(readings)) {
      if (a.channels === "grey" && b.channels !== "grey") continue;
      it(`from ${from} to ${to}`, () => {
        const conversion = conversionBetween(a, b);
        const [x, expected] = [read(a), toNumbers(read(b))];
        if (from === to) return expect(conversion).toBeUndefined();
        const { matrix, offset } = conversion!;
        matrix.forEach((row, o) => {
          for (let at = 0; at < 16; at++) {
            const value = row.reduce((sum, m, i) => sum + m * x.data[i * 16 + at]!, offset[o]!);
            expect(value).toBeCloseTo(expected[o * 16 + at]!, 3);
          }
        });
      });
    }

  it("is read from metadata", () => {
    const graph = fixtures.fire!();
    expect(readingOf(graph, "the teacher")).toBeUndefined();
    expect(readingOf(withPreprocessing(graph, rgb), "the teacher")).toEqual(rgb);
    const damaged = { ...graph, metadata: new Map([["netpare.preprocessing", "{"]]) };
    expect(() => readingOf(damaged, "the teacher")).toThrow(
      "the teacher: the metadata netpare.preprocessing is damaged",
    );
  });
});
