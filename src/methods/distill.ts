/**
 * Distillation by soft targets (Hinton, Vinyals, Dean 2014, arXiv:1503.02531). With logits s of the student and t of the
 * teacher at temperature T,
 *   L = (1 - α) · CE(labels, softmax s) + α · T² · KL(softmax t/T ‖ softmax s/T);
 * T² keeps the size of the soft term's gradient, which shrinks as 1/T². The teacher is a part of the training graph, on the
 * student's own augmented images, turned into what the teacher was trained on where the two read images differently.
 */
import { z } from "zod";
import { asClassScores, logitsOf } from "../autodiff/losses.ts";
import type { LossTerm } from "../autodiff/training-step.ts";
import { int } from "../graph/attributes.ts";
import { feeds, type Graph } from "../graph/graph.ts";
import { inlineGraph } from "../graph/inline.ts";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { simplify } from "../passes/index.ts";
import { NetpareError } from "../tensor/error.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { conversionBetween, type ImageConversion, readingOf } from "./_image-reading.ts";
import { defineMethod } from "./define-method.ts";

const params = z.object({
  teacher: z.string().describe("the teacher's model file, of the same classes and image size"),
  temperature: z.number().positive().default(4).describe("temperature T by which both sides' logits are divided"),
  alpha: z.number().min(0).max(1).default(0.9).describe("weight of the teacher's term; the labels have the rest"),
});

export const distill = defineMethod({
  name: "distill",
  summary: "learn from a larger network's probabilities while training",
  paper: "Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2014, arXiv:1503.02531",
  params,
  examples: ["small.onnx --teacher resnet32.onnx --data cifar10:DIR --epochs 5 --out taught.onnx"],
  requires: () => ["teacher"],
  async apply(graph, { temperature, alpha }, { models }) {
    const teacher = models.get("teacher");
    if (teacher === undefined) throw new NetpareError("bad-option", "distill learns from a model: give --teacher FILE");
    checkSizes(graph, teacher);
    const conversion = conversionBetween(readingOf(graph, "the student"), readingOf(teacher, "the teacher"));
    const term = softTargets(simplify(teacher).graph, temperature, alpha, conversion);
    const change = `training minimizes ${share(1 - alpha)} cross-entropy on labels + ${share(alpha)} divergence from the teacher at temperature ${temperature}`;
    return {
      graph,
      changes: [change],
      skipped: [],
      recipe: { terms: alpha > 0 ? [term] : [], labelWeight: 1 - alpha },
    };
  },
});

const share = (x: number) => Number(x.toFixed(3)).toString();

/** `weight · T² · KL(softmax t/T ‖ softmax s/T)`, the mean over the batch. */
function softTargets(
  teacher: Graph,
  temperature: number,
  weight: number,
  conversion: ImageConversion | undefined,
): LossTerm {
  return {
    name: "soft targets",
    append(g, { images, logits }) {
      const [input] = feeds(teacher);
      const scores = logitsOf(teacher);
      const whole = { ...teacher, outputs: [{ name: scores.name, dtype: "float32", shape: undefined } as const] };
      const [inner] = inlineGraph(g, whole, new Map([[input!.name, convert(g, images, conversion)]]), "teacher/");
      const [rows, classes] = g.shape(logits) as [number, number];
      const soften = (name: string) => g.scale(name, 1 / temperature);
      const t = soften(asClassScores(g, inner!, classes));
      const p = g.op("Softmax", [t], { axis: int(-1) });
      const logP = g.op("LogSoftmax", [t], { axis: int(-1) });
      const logQ = g.op("LogSoftmax", [soften(logits)], { axis: int(-1) });
      const divergence = g.reduceSum(g.mul(p, g.sub(logP, logQ)), [0, 1], false);
      return g.scale(divergence, (weight * temperature * temperature) / rows);
    },
  };
}

/** The student's images as the teacher reads them: a 1x1 convolution over channels. */
function convert(g: TypedBuilder, images: string, conversion: ImageConversion | undefined): string {
  if (conversion === undefined) return images;
  const { matrix, offset } = conversion;
  const shape = [matrix.length, matrix[0]!.length, 1, 1];
  const weight = g.initializer("teacher/colours", tensorOf("float32", shape, matrix.flat()));
  return g.op("Conv", [images, weight, g.initializer("teacher/offset", tensorOf("float32", [offset.length], offset))]);
}

/** @throws NetpareError `bad-model` where the two networks cannot stand in one training graph. */
function checkSizes(student: Graph, teacher: Graph): void {
  const [ours, theirs] = [feeds(student), feeds(teacher)];
  if (theirs.length !== 1)
    throw new NetpareError("bad-model", `the teacher has ${theirs.length} inputs, expected one for images`);
  const [a, b] = [ours[0]?.shape?.slice(1), theirs[0]!.shape?.slice(1)];
  const clash =
    a &&
    b &&
    (a.length !== b.length || a.some((dim, i) => typeof dim === "number" && typeof b[i] === "number" && dim !== b[i]));
  if (clash)
    throw new NetpareError(
      "bad-model",
      `the teacher reads images [${b}], the student [${a}]; they must be of one size`,
    );
}
