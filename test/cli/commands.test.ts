/** What commands print: the JSON that scripts read, field by field. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { analyzeCost } from "../../src/analysis/cost.ts";
import { withPreprocessing } from "../../src/data/index.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { decodeModel, encodeModel, readModel, writeModel } from "../../src/onnx/index.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { architectures, findArchitecture } from "../../src/zoo/index.ts";
import { tinyCifar10 } from "../data/_fixtures.ts";
import { sampleReport } from "../report/fixture.ts";
import { netpareJson, runNetpare, startNetpare, temporaryFolder } from "./run-netpare.ts";

const at = temporaryFolder();
const faces = "faces:train=64,test=24";

beforeAll(async () => {
  const build = (name: string, settings: Record<string, number>) =>
    findArchitecture(name).build(settings, createRandom(1));
  await writeModel(at("resnet.onnx"), build("resnet-8", { width: 4 }));
  await writeModel(at("faces.onnx"), build("faces-net", { width: 4 }));
  for (const [name, bytes] of Object.entries(tinyCifar10())) await writeFile(at(name), bytes);
});

/** Scores that change their sign with the images. */
function linearNet(): Graph {
  const g = new TypedBuilder("linear");
  const pixels = g.op("Flatten", [g.input("image", "float32", ["N", 1, 48, 48])], {}, { name: "pixels" });
  const random = createRandom(4);
  const weights = Float32Array.from({ length: 48 * 48 * 8 }, () => random.normal() / 48);
  g.output(g.op("MatMul", [pixels, g.initializer("weight", tensor("float32", [48 * 48, 8], weights))]));
  return g.build();
}

describe("inspect", () => {
  it("gives the file's facts and its layers", async () => {
    const json = await netpareJson("inspect", at("resnet.onnx"));
    const { layers, ...facts } = json;
    expect(facts).toEqual({
      file: at("resnet.onnx"),
      bytes: readFileSync(at("resnet.onnx")).length,
      opset: 17,
      inputs: [{ name: "image", dtype: "float32", shape: ["N", 3, 32, 32] }],
      outputs: [{ name: "logits", dtype: "float32", shape: ["N", 10] }],
      parameters: 5006,
      macs: 848_032,
      unsupported: [],
    });
    expect(layers[0]).toEqual({
      name: "stem",
      op: "Conv",
      shape: [1, 4, 32, 32],
      parameters: 108,
      macs: 110_592,
      weightBytes: 432,
      sparsity: 0,
      bits: 32,
    });
    const sum = (key: string) =>
      layers.reduce((total: number, layer: Record<string, number>) => total + layer[key]!, 0);
    expect([sum("parameters"), sum("macs")]).toEqual([json.parameters, json.macs]);
  });

  it("takes an architecture's name as well", async () => {
    expect((await netpareJson("inspect", "lenet-5")).parameters).toBe(431_080);
  });

  it("prints a table for people", async () => {
    const { stdout, stderr, status } = await runNetpare("inspect", at("resnet.onnx"));
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^parameters +5\.01 k \(5006\)$/m);
    expect(stdout).toMatch(/^stem +Conv +1×4×32×32 +108 +111 k +432 B/m);
  });

  it("names what it does not know, and goes on", async () => {
    const graph = findArchitecture("lenet-5").build({}, createRandom(1));
    const nodes = graph.nodes.map((node) => (node.op === "Relu" ? { ...node, op: "Sharpen" } : node));
    await writeFile(at("unknown.onnx"), encodeModel({ ...graph, nodes }));
    const { unsupported } = await netpareJson("inspect", at("unknown.onnx"));
    expect(unsupported[0]).toMatchObject({ node: "fc1/relu", op: "Sharpen" });
  });
});

describe("evaluate", () => {
  it("gives samples, shares and loss, and agreement only with a reference", async () => {
    const plain = await netpareJson("evaluate", at("faces.onnx"), "--data", faces);
    expect(Object.keys(plain)).toEqual(["samples", "top1", "top5", "loss"]);
    expect(plain.samples).toBe(24);
    expect(plain.loss).toBeGreaterThan(0);
    const beside = await netpareJson("evaluate", at("faces.onnx"), "--data", faces, "--reference", at("faces.onnx"));
    expect(beside).toEqual({ ...plain, agreement: 1 });
  });

  it("tells people where nothing says how the model reads images", async () => {
    const run = async (...flags: string[]) =>
      (await runNetpare("evaluate", at("faces.onnx"), "--data", "faces:train=1,test=8", ...flags)).stdout;
    expect(await run()).toContain("--scale 1/255 --mean 0.5 --std 0.5 --channels grey; the model does not say");
    expect(await run("--mean", "0.5")).not.toContain("the model does not say");
  });

  it("heeds limit, split and preprocessing", async () => {
    const run = (...flags: string[]) =>
      netpareJson("evaluate", at("resnet.onnx"), "--data", `cifar10:${at()}`, ...flags);
    expect((await run()).samples).toBe(2);
    expect((await run("--split", "train", "--limit", "3")).samples).toBe(3);
    const byHand = await run("--scale", "1/255", "--mean", ".5,.5,.5", "--std", "0.5");
    expect(byHand.loss).toBe((await run("--mean", "0.5", "--std", "0.5")).loss);
    expect(byHand.loss).not.toBe((await run()).loss);
  });

  it("reads the preprocessing from the model; a reference without its own reads images alike", async () => {
    const preprocessing = { scale: -1 / 50, mean: [0], std: [0.25], channels: "grey" as const };
    const graph = linearNet();
    await writeModel(at("linear.onnx"), graph);
    await writeModel(at("told.onnx"), withPreprocessing(graph, preprocessing));
    await writeModel(at("usual.onnx"), withPreprocessing(graph, { ...preprocessing, scale: 1 / 255, std: [0.5] }));
    const data = ["--data", faces];
    const flags = ["--scale", "-1/50", "--mean", "0", "--std", "0.25", "--channels", "grey"];
    const told = await netpareJson("evaluate", at("told.onnx"), ...data);
    expect(told).toEqual(await netpareJson("evaluate", at("linear.onnx"), ...data, ...flags));
    const agreement = async (reference: string) =>
      (await netpareJson("evaluate", at("told.onnx"), ...data, "--reference", at(reference))).agreement;
    expect(await agreement("linear.onnx")).toBe(1);
    expect(await agreement("usual.onnx")).toBeLessThan(1);
  });
});

describe("bench", () => {
  it("compares with the first model", async () => {
    const json = await netpareJson("bench", at("resnet.onnx"), at("faces.onnx"), "--batch", "1,2", "--runs", "4");
    expect(json.runs).toBe(4);
    expect(json.machine.onnxruntime).toMatch(/^\d/);
    const places = json.results.map(({ model, batch }: { model: string; batch: number }) => [model, batch]);
    expect(places).toEqual([
      [at("resnet.onnx"), 1],
      [at("resnet.onnx"), 2],
      [at("faces.onnx"), 1],
      [at("faces.onnx"), 2],
    ]);
    for (const [i, result] of json.results.entries()) {
      expect(result).toMatchObject({ engine: "ort", threads: 1 });
      expect(result.ratio).toBeCloseTo(json.results[i % 2].latencyMs.median / result.latencyMs.median, 9);
      expect(result.peakMemoryBytes).toBeGreaterThan(20e6);
      expect(result.fileBytes).toBe(readFileSync(result.model).length);
    }
  });
});

describe("train", () => {
  it("trains an architecture at the data's size, stores what later commands need, and says what it reached", async () => {
    const flags = ["--width", "4", "--epochs", "2", "--batch", "32", "--seed", "3", "--threads", "1"];
    const json = await netpareJson("train", "faces-net", "--data", faces, "--out", at("trained.onnx"), ...flags);
    expect(json).toMatchObject({ file: at("trained.onnx"), training: { steps: 4 }, test: { samples: 24 } });
    expect(json.training.curve).toHaveLength(2);
    const graph = await readModel(at("trained.onnx"));
    expect(JSON.parse(graph.metadata.get("netpare.preprocessing")!)).toMatchObject({ channels: "grey", mean: [0.5] });
    expect(JSON.parse(graph.metadata.get("netpare.classes")!)).toHaveLength(8);
    const again = await netpareJson("evaluate", at("trained.onnx"), "--data", faces);
    expect(again).toEqual(json.test);
    expect(existsSync(`${at("trained.onnx")}.checkpoint`)).toBe(false);
    await netpareJson("train", "faces-net", "--data", faces, "--out", at("again.onnx"), ...flags);
    expect(readFileSync(at("again.onnx")).equals(readFileSync(at("trained.onnx")))).toBe(true);
  });

  it("normalizes by the data where asked", async () => {
    const flags = ["--width", "4", "--epochs", "1", "--batch", "32", "--normalize", "data", "--out", at("normal.onnx")];
    await netpareJson("train", "faces-net", "--data", faces, ...flags);
    const { mean, std } = JSON.parse((await readModel(at("normal.onnx"))).metadata.get("netpare.preprocessing")!);
    expect([mean.length, std.length]).toEqual([1, 1]);
    expect(Math.abs(mean[0] - 0.5)).toBeGreaterThan(0.001);
    expect(std[0]).toBeGreaterThan(0.05);
    expect(std[0]).toBeLessThan(0.5);
  });

  it("writes the average of the snapshots of a cyclic training, and the snapshots beside it", async () => {
    const flags = [
      "--width",
      "4",
      "--epochs",
      "2",
      "--batch",
      "32",
      "--schedule",
      "cyclic",
      "--cycles",
      "2",
      "--snapshots",
    ];
    const json = await netpareJson("train", "faces-net", "--data", faces, "--out", at("joint.onnx"), ...flags);
    const files = [at("joint.cycle-1.onnx"), at("joint.cycle-2.onnx")];
    expect(json.members.map(({ file }: { readonly file: string }) => file)).toEqual(files);
    expect(json.disagreement[0][1]).toBe(json.disagreement[1][0]);
    const sizes = files.map((file) => analyzeCost(decodeModel(readFileSync(file))).parameters);
    const joint = await readModel(at("joint.onnx"));
    expect(analyzeCost(joint).parameters).toBe(sizes[0]! + sizes[1]!);
    expect(await netpareJson("evaluate", at("joint.onnx"), "--data", faces)).toEqual(json.test);
    const alone = await netpareJson("evaluate", files[1]!, "--data", faces);
    expect(json.members[1]).toEqual({ file: files[1], top1: alone.top1, loss: alone.loss });
    const taught = ["--teacher", at("joint.onnx"), "--hints", "0", "--epochs", "1", "--batch", "32"];
    await netpareJson("apply", "distill", at("faces.onnx"), "--data", faces, ...taught, "--out", at("taught.onnx"));
  });

  it("keeps to a memory budget, and refuses one that cannot be met with the smallest that can", async () => {
    const flags = ["--data", faces, "--epochs", "1", "--batch", "32", "--out", at("budget.onnx")];
    const { training } = await netpareJson("train", "faces-net", ...flags, "--memory-budget", "2GB");
    expect(training.memory).toMatchObject({ budgetBytes: 2e9, policy: "auto", ranges: 1 });
    expect(training.memory.predictedBytes).toBeGreaterThan(1e8);
    expect(training.peakMemoryBytes).toBeGreaterThan(1e8);
    const refused = await runNetpare("train", "faces-net", ...flags, "--memory-budget", "50MB");
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/50MB cannot be met with the policy auto: the smallest that can is \d+MB/);
    const vague = await runNetpare("train", "faces-net", ...flags, "--memory-budget", "lots");
    expect(vague.stderr).toMatch(/expected a size such as 800MB/);
  });

  it("stops and ends under a memory budget as without one, in whatever process it trains", async () => {
    const long = ["train", "faces-net", "--data", faces, "--epochs", "5000", "--memory-budget", "2GB"];
    const stopped = startNetpare([...long, "--out", at("stopped.onnx")]);
    await stopped.said("training: ");
    stopped.interrupt();
    expect((await stopped.finished).status).toBe(130);
    expect(existsSync(at("stopped.onnx.checkpoint"))).toBe(true);
    const killed = startNetpare([...long, "--out", at("killed.onnx")]);
    await killed.said("training: ");
    killed.kill();
    // Ends when every process that holds its standard error has.
    expect((await killed.finished).status).toBe(null);
  });

  it("goes on with a model file", async () => {
    const flags = ["--epochs", "1", "--batch", "32", "--lr", "0.01", "--validation", "0.25"];
    const json = await netpareJson("train", at("faces.onnx"), "--data", faces, "--out", at("tuned.onnx"), ...flags);
    expect(json.training.curve[0].validationAccuracy).toBeGreaterThanOrEqual(0);
    expect(readFileSync(at("tuned.onnx")).equals(readFileSync(at("faces.onnx")))).toBe(false);
  });
});

describe("apply", () => {
  it("writes what the method gives and says what changed", async () => {
    const flags = ["--data", faces, "--samples", "32", "--out", at("int8.onnx")];
    const json = await netpareJson("apply", "quantize-int8", at("faces.onnx"), ...flags);
    expect(json).toMatchObject({ file: at("int8.onnx"), method: "quantize-int8", params: { samples: 32 } });
    expect(json.changes.length).toBeGreaterThan(0);
    expect(json.before.fileBytes).toBe(readFileSync(at("faces.onnx")).length);
    expect(json.after.fileBytes).toBe(readFileSync(at("int8.onnx")).length);
    expect((await netpareJson("evaluate", at("int8.onnx"), "--data", faces)).samples).toBe(24);
  });

  it("trains where the method asks for it", async () => {
    const flags = ["--teacher", at("faces.onnx"), "--data", faces, "--epochs", "1", "--batch", "32"];
    const json = await netpareJson("apply", "distill", at("faces.onnx"), ...flags, "--out", at("taught.onnx"));
    expect(json.training.steps).toBe(2);
    expect(json.test.samples).toBe(24);
  });

  it("trains between a method's rounds, for its share of the epochs", async () => {
    const prune = async (out: string, ...flags: string[]) => {
      const training = ["--data", faces, "--epochs", "1", "--batch", "16"];
      const pruning = ["--sparsity", "0.8", ...flags];
      return netpareJson("apply", "prune-magnitude", at("faces.onnx"), ...pruning, ...training, "--out", at(out));
    };
    const json = await prune("gradual.onnx", "--sparsity-schedule", "gradual", "--rounds", "2");
    expect(json.params).toMatchObject({ sparsitySchedule: "gradual", rounds: 2 });
    expect(json.training.steps).toBe(4);
    await prune("at-once.onnx");
    const kept = async (file: string) => {
      const { initializers } = await readModel(at(file));
      const weights = [...initializers.values()].filter(({ shape }) => shape.length >= 2);
      return weights.flatMap((weight) => Array.from(toNumbers(weight), (value) => value !== 0));
    };
    const [gradual, once] = [await kept("gradual.onnx"), await kept("at-once.onnx")];
    for (const left of [gradual, once]) expect(left.filter(Boolean).length / left.length).toBeCloseTo(0.2, 2);
    expect(gradual).not.toEqual(once);
    expect(readdirSync(at()).filter((name) => /^(gradual|at-once)\.onnx./.test(name))).toEqual([]);
  });
});

describe("run", () => {
  it("takes other data and another model than the recipe's", async () => {
    const stages = "[{ method: prune-magnitude, params: { sparsity: 0.9 } }]";
    const measure = "{ batches: [1], runs: 3 }";
    const recipe = `model: none.onnx\ndata: mnist:none\nstages: ${stages}\nmeasure: ${measure}\n`;
    await writeFile(at("recipe.yaml"), recipe);
    const given = ["--data", faces, "--model", at("faces.onnx"), "--out", at("executed")];
    const { stages: made } = await netpareJson("run", at("recipe.yaml"), ...given);
    expect(made.map(({ name }: { name: string }) => name)).toEqual(["original", "prune-magnitude"]);
    expect(made[1].coded.fileBytes).toBeLessThan(made[0].coded.fileBytes / 4);
    expect(made[1].coded.fileBytes).toBe(statSync(at("executed/stages/1-prune-magnitude/model.pare")).size);
  });
});

describe("the rest", () => {
  it("report shows a run's report and writes its page", async () => {
    const report = sampleReport();
    mkdirSync(at("run"));
    await writeFile(at("run/report.json"), JSON.stringify(report));
    expect(await netpareJson("report", at("run"))).toEqual(JSON.parse(JSON.stringify(report)));
    const { stdout } = await runNetpare("report", at("run"));
    expect(stdout).toContain(report.stages[1]!.name);
    expect(readFileSync(at("run/report.html"), "utf8")).toContain(report.title);
  });

  it("export folds and writes", async () => {
    const json = await netpareJson("export", at("faces.onnx"), "--out", at("shipped.onnx"));
    expect(json).toMatchObject({ file: at("shipped.onnx"), format: "onnx" });
    const shipped = await readModel(at("shipped.onnx"));
    expect(shipped.nodes.some(({ op }) => op === "BatchNormalization")).toBe(false);
  });

  it("export writes .pare files, which other commands take like .onnx files", async () => {
    const [onnx, pare] = [at("shipped.onnx"), at("shipped.pare")];
    const written = await netpareJson("export", at("faces.onnx"), "--to", "pare", "--out", pare);
    await netpareJson("export", at("faces.onnx"), "--out", onnx);
    expect(written).toMatchObject({ file: pare, format: "pare", bytes: statSync(pare).size });
    expect(statSync(pare).size).toBeLessThanOrEqual(statSync(onnx).size);
    const [fromOnnx, fromPare] = await Promise.all([onnx, pare].map((file) => netpareJson("inspect", file)));
    for (const field of ["parameters", "macs", "opset", "inputs", "unsupported"])
      expect(fromPare[field]).toEqual(fromOnnx[field]);
    const data = ["--data", "faces:size=48,channels=1,train=8,test=24"];
    const evaluated = await Promise.all([onnx, pare].map((file) => netpareJson("evaluate", file, ...data)));
    expect(evaluated[1]).toMatchObject({ samples: 24, top1: evaluated[0].top1, top5: evaluated[0].top5 });
    expect(evaluated[1].loss).toBeCloseTo(evaluated[0].loss, 4);
    const { results } = await netpareJson("bench", onnx, pare, "--batch", "1,3", "--runs", "3");
    expect(results.map(({ engine }: { engine: string }) => engine)).toEqual(["ort", "ort", "pare", "pare"]);
    expect(results.every(({ peakMemoryBytes }: { peakMemoryBytes: number }) => peakMemoryBytes > 1e6)).toBe(true);
  });

  it("export writes a module and its types", async () => {
    const json = await netpareJson("export", at("faces.onnx"), "--to", "mjs", "--out", at("shipped.mjs"));
    expect(json).toMatchObject({ format: "mjs", bytes: statSync(at("shipped.mjs")).size });
    expect(readFileSync(at("shipped.d.mts"), "utf8")).toContain("export declare function run(");
    const { status, stderr } = await runNetpare("export", at("faces.onnx"), "--to", "mjs", "--out", at("shipped.js"));
    expect([status, stderr]).toEqual([2, expect.stringContaining("ends with .mjs")]);
  });

  it("methods and zoo list what there is, with parameters", async () => {
    const { methods } = await netpareJson("methods");
    const names = methods.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["distill", "quantize-int8"]));
    expect(methods.every(({ params }: { params: object }) => Object.keys(params).length > 0)).toBe(true);
    const zoo = await netpareJson("zoo");
    expect(zoo.architectures.map(({ name }: { name: string }) => name)).toEqual(architectures.map(({ name }) => name));
  });

  it("zoo writes an untrained network", async () => {
    await netpareJson("zoo", "lenet-5", "--classes", "7", "--out", at("lenet.onnx"));
    expect((await readModel(at("lenet.onnx"))).outputs[0]!.shape).toEqual(["N", 7]);
  });

  it("faces draws a sheet", async () => {
    await netpareJson("faces", "--out", at("faces.png"), "--columns", "2");
    expect(readFileSync(at("faces.png")).subarray(1, 4).toString()).toBe("PNG");
  });

  it("every command explains itself with examples that its own parser knows", async () => {
    const { stdout } = await runNetpare("--help");
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[options\]| {2})/gm)].map((match) => match[1]!);
    expect(commands).toEqual(expect.arrayContaining(["inspect", "evaluate", "bench", "train", "export", "zoo"]));
    for (const command of commands) {
      const help = await runNetpare(command, "--help");
      expect([command, help.status, help.stderr]).toEqual([command, 0, ""]);
      expect(help.stdout).toContain("Examples:");
      const flags = new Set([...help.stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z0-9-]+)/gm)].map((match) => match[1]));
      const examples = help.stdout.slice(help.stdout.indexOf("Examples:"));
      const used = [...examples.matchAll(/ (--[a-z0-9-]+)/g)].map((match) => match[1]!);
      if (command !== "apply") expect(used.filter((flag) => !flags.has(flag) && flag !== "--help")).toEqual([]);
    }
  });
});
