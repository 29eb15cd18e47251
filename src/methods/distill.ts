/**
 * Distillation by soft targets (Hinton, Vinyals, Dean 2014, arXiv:1503.02531). With logits s of the student and t of the
 * teacher at temperature T,
 *   L = (1 - α) · CE(labels, softmax s) + α · T² · KL(softmax t/T ‖ softmax s/T);
 * T² keeps the size of the soft term's gradient, which shrinks as 1/T². Hints (FitNets, Romero et al. 2014, arXiv:1412.6550)
 * add `β · mean over layers of ‖x_s - x_t‖² / ‖x_t‖²`: a layer that student and teacher have in common, as a network and its
 * pruned form do, should read in the student what it reads in the teacher. The teacher is a part of the training graph, on the
 * student's own augmented images, turned into what it was trained on where the two read images differently.
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
import { sameShape } from "../tensor/shape.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { conversionBetween, type ImageConversion, readingOf } from "./_image-reading.ts";
import { defineMethod } from "./define-method.ts";

const params = z.object({
  teacher: z.string().describe("the teacher's model file, of the same classes and image size"),
  temperature: z.number().positive().default(4).describe("temperature T by which both sides' logits are divided"),
  alpha: z.number().min(0).max(1).default(0.9).describe("weight of the teacher's term; the labels have the rest"),
  hints: z
    .number()
    .min(0)
    .default(20)
    .describe("weight of hints between layers that both networks have under one name"),
});

export const distill = defineMethod({
  name: "distill",
  summary: "learn from a larger network's probabilities while training",
  paper: "Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2014, arXiv:1503.02531",
  params,
  examples: ["small.onnx --teacher resnet32.onnx --data cifar10:DIR --epochs 5 --out taught.onnx"],
  requires: () => ["teacher"],
  async apply(graph, { temperature, alpha, hints }, { models }) {
    const teacher = models.get("teacher");
    if (teacher === undefined) throw new NetpareError("bad-option", "distill learns from a model: give --teacher FILE");
    checkSizes(graph, teacher);
    const conversion = conversionBetween(readingOf(graph, "the student"), readingOf(teacher, "the teacher"));
    const term = followTeacher(simplify(teacher).graph, { temperature, alpha, hints }, conversion);
    const change = `training minimizes ${share(1 - alpha)} cross-entropy on labels + ${share(alpha)} divergence from the teacher at temperature ${temperature}`;
    return {
      graph,
      changes: [change],
      skipped: [],
      recipe: { terms: alpha > 0 || hints > 0 ? [term] : [], labelWeight: 1 - alpha },
    };
  },
});

const share = (x: number) => Number(x.toFixed(3)).toString();

interface Weights {
  readonly temperature: number;
  readonly alpha: number;
  readonly hints: number;
}

/** The teacher's terms: soft targets and hints. */
function followTeacher(
  teacher: Graph,
  { temperature, alpha, hints }: Weights,
  conversion: ImageConversion | undefined,
): LossTerm {
  return {
    name: "teacher",
    append(g, { images, logits }) {
      const [input] = feeds(teacher);
      const pairs = hints > 0 ? commonReads(g, teacher) : [];
      const wanted = [logitsOf(teacher).name, ...pairs.map(({ theirs }) => theirs)];
      const whole = {
        ...teacher,
        outputs: wanted.map((name) => ({ name, dtype: "float32", shape: undefined }) as const),
      };
      const [scores, ...read] = inlineGraph(
        g,
        whole,
        new Map([[input!.name, convert(g, images, conversion)]]),
        "teacher/",
      );
      const soft = g.scale(softTargets(g, logits, scores!, temperature), alpha);
      const distances = pairs.flatMap(({ ours }, i) =>
        sameShape(g.shape(ours), g.shape(read[i]!)) ? [distance(g, ours, read[i]!)] : [],
      );
      if (distances.length === 0) return soft;
      return g.add(
        soft,
        g.scale(
          distances.reduce((a, b) => g.add(a, b)),
          hints / distances.length,
        ),
      );
    },
  };
}

/** `T² · KL(softmax t/T ‖ softmax s/T)`, the mean over the batch. */
function softTargets(g: TypedBuilder, logits: string, scores: string, temperature: number): string {
  const [rows, classes] = g.shape(logits) as [number, number];
  const soften = (name: string) => g.scale(name, 1 / temperature);
  const t = soften(asClassScores(g, scores, classes));
  const p = g.op("Softmax", [t], { axis: int(-1) });
  const logP = g.op("LogSoftmax", [t], { axis: int(-1) });
  const logQ = g.op("LogSoftmax", [soften(logits)], { axis: int(-1) });
  const divergence = g.reduceSum(g.mul(p, g.sub(logP, logQ)), [0, 1], false);
  return g.scale(divergence, temperature ** 2 / rows);
}

/** `‖a - b‖² / ‖b‖²` over the batch. */
function distance(g: TypedBuilder, a: string, b: string): string {
  const axes = g.shape(a).map((_, axis) => axis);
  const squares = (x: string) => g.reduceSum(g.reduceSum(g.mul(x, x), axes.slice(2), true), axes, false);
  return g.div(squares(g.sub(a, b)), g.add(squares(b), g.scalar(1e-6, b)));
}

/**
 * What layers of one name read in the student, as far as it is written in `g`, and in the teacher: the values where branches
 * part, which survive pruning, and what dense layers read; each value of the student once.
 */
function commonReads(g: TypedBuilder, teacher: Graph): { readonly ours: string; readonly theirs: string }[] {
  const layers = new Map(teacher.nodes.map((node) => [node.name, node]));
  const readers = new Map<string, number>();
  for (const node of g.nodes) for (const name of node.inputs) readers.set(name, (readers.get(name) ?? 0) + 1);
  const pairs = new Map<string, string>();
  for (const node of g.nodes) {
    const twin = layers.get(node.name);
    const [ours, theirs] = [node.inputs[0], twin?.inputs[0]];
    if (twin?.op !== node.op || ours === undefined || theirs === undefined || theirs === feeds(teacher)[0]!.name)
      continue;
    if ((node.op === "Conv" && readers.get(ours)! > 1) || node.op === "Gemm") pairs.set(ours, theirs);
  }
  return [...pairs].map(([ours, theirs]) => ({ ours, theirs }));
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
