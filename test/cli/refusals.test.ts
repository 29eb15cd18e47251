/** Bad input: exit status 2, one line on standard error, nothing on standard output, nothing half-written. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { writePare } from "../../src/format/write.ts";
import { writeModel } from "../../src/onnx/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { runNetpare, startNetpare, temporaryFolder } from "./run-netpare.ts";

const at = temporaryFolder();
const faces = "faces:train=64,test=8";

beforeAll(async () => {
  mkdirSync(at("folder"));
  const graph = findArchitecture("faces-net").build({ width: 4 }, createRandom(1));
  await writeModel(at("faces.onnx"), graph);
  const bytes = readFileSync(at("faces.onnx"));
  writeFileSync(at("truncated.onnx"), bytes.subarray(0, Math.floor(bytes.length / 2)));
  writeFileSync(at("empty.onnx"), "");
  writeFileSync(at("text.onnx"), "this is no model\n");
  writeFileSync(at("text.pare"), "this is no model\n");
  const pare = writePare(graph);
  writeFileSync(at("whole.pare"), pare);
  writeFileSync(at("cut.pare"), pare.subarray(0, pare.length - 1));
  writeFileSync(at("later.pare"), pare.with(8, 9));
  await writeModel(at("damaged.onnx"), { ...graph, metadata: new Map([["netpare.preprocessing", "{"]]) });
});

interface Refusal {
  readonly what: string;
  readonly args: () => readonly string[];
  readonly says: string | RegExp;
}

const refusals: readonly Refusal[] = [
  { what: "no such file", args: () => ["inspect", at("none.onnx")], says: "there is no file" },
  { what: "a folder", args: () => ["inspect", at("folder")], says: "is a folder" },
  { what: "a truncated model", args: () => ["inspect", at("truncated.onnx")], says: "truncated.onnx" },
  { what: "an empty file", args: () => ["inspect", at("empty.onnx")], says: "the file is empty" },
  { what: "a text file", args: () => ["evaluate", at("text.onnx"), "--data", faces], says: "text.onnx" },
  { what: "no .pare file", args: () => ["inspect", at("text.pare")], says: "text.pare: .pare file: it does not begin" },
  { what: "a .pare file cut off", args: () => ["inspect", at("cut.pare")], says: "its checksum does not hold" },
  {
    what: "a .pare file of a later version",
    args: () => ["evaluate", at("later.pare"), "--data", faces],
    says: "version is 9",
  },
  {
    what: "another engine than the file's",
    args: () => ["bench", at("whole.pare"), "--engine", "ort"],
    says: "--to onnx",
  },
  { what: "an unknown command", args: () => ["inspekt", "x"], says: "Did you mean inspect?" },
  { what: "an unknown option", args: () => ["evaluate", "x", "--dat", "y"], says: "Did you mean --data?" },
  { what: "a missing option", args: () => ["evaluate", at("faces.onnx")], says: "--data is required" },
  { what: "a missing argument", args: () => ["evaluate", "--data", faces], says: "missing required argument" },
  { what: "too many arguments", args: () => ["inspect", "a", "b"], says: "too many arguments" },
  {
    what: "no number",
    args: () => ["bench", at("faces.onnx"), "--runs", "many"],
    says: "--runs wants a number and got 'many'",
  },
  {
    what: "a number out of range",
    args: () => ["train", "lenet-5", "--data", faces, "--out", "x", "--lr", "-1"],
    says: "--lr -1",
  },
  {
    what: "no such choice",
    args: () => ["faces", "--out", at("f.png"), "--size", "50"],
    says: "--size 50: expected 48|64",
  },
  {
    what: "no such data set",
    args: () => ["evaluate", at("faces.onnx"), "--data", "imagenet"],
    says: "names no data set",
  },
  {
    what: "a data folder without the data",
    args: () => ["evaluate", at("faces.onnx"), "--data", `cifar10:${at("folder")}`],
    says: "data_batch_1.bin is missing",
  },
  {
    what: "images of another size",
    args: () => ["evaluate", at("faces.onnx"), "--data", "faces:size=64,train=1,test=8"],
    says: "the model reads images of 48x48 pixels and the data holds 64x64",
  },
  {
    what: "images of other channels",
    args: () => ["evaluate", at("faces.onnx"), "--data", "faces:channels=3,train=1,test=8"],
    says: "give --channels grey",
  },
  {
    what: "damaged metadata",
    args: () => ["evaluate", at("damaged.onnx"), "--data", faces],
    says: "netpare.preprocessing is damaged",
  },
  {
    what: "a batch the model does not take",
    args: () => ["bench", at("faces.onnx"), at("none.onnx")],
    says: "there is no file",
  },
  {
    what: "an --out that is a folder",
    args: () => ["export", at("faces.onnx"), "--out", at("folder")],
    says: "is a folder; give the path of a file",
  },
  {
    what: "an --out in a folder that is not there",
    args: () => ["train", "faces-net", "--data", faces, "--out", at("nowhere/x.onnx")],
    says: "does not exist",
  },
  {
    what: "neither file nor architecture",
    args: () => ["train", "resnet-21", "--data", faces, "--out", at("x.onnx")],
    says: "resnet-20",
  },
  {
    what: "a setting the architecture lacks",
    args: () => ["train", "faces-net", "--data", faces, "--out", at("x.onnx"), "--dropout", "0.5"],
    says: "dropout",
  },
  {
    what: "a selection without validation images",
    args: () => ["train", "faces-net", "--data", faces, "--out", at("x.onnx"), "--select", "best", "--width", "4"],
    says: "give --validation",
  },
  {
    what: "a rule of weight decay that fits no parameter",
    args: () => ["train", "faces-net", "--data", faces, "--out", at("x.onnx"), "--decay", "stm=0", "--width", "4"],
    says: "no parameter begins with 'stm'",
  },
  {
    what: "a training that diverges",
    args: () => [
      "train",
      at("faces.onnx"),
      "--data",
      faces,
      "--out",
      at("x.onnx"),
      "--lr",
      "1e30",
      "--batch",
      "16",
      "--epochs",
      "9",
    ],
    says: "training diverged",
  },
  {
    what: "a method without the data it needs",
    args: () => ["apply", "quantize-int8", at("faces.onnx"), "--out", at("x.onnx")],
    says: "give --data",
  },
  {
    what: "a distillation without a teacher",
    args: () => ["apply", "distill", at("faces.onnx"), "--data", faces, "--out", at("x.onnx")],
    says: "--teacher",
  },
  {
    what: "rounds of pruning without training",
    args: () => [
      ...["apply", "prune-magnitude", at("faces.onnx"), "--sparsity", "0.8"],
      ...["--sparsity-schedule", "gradual", "--out", at("x.onnx")],
    ],
    says: "give --data and --epochs",
  },
  { what: "a report that is not there", args: () => ["report", at("folder")], says: "report.json" },
];

describe("refusals", () => {
  it.each(refusals)("$what", async ({ args, says }) => {
    const before = readdirSync(at());
    const { status, stdout, stderr } = await runNetpare(...args());
    expect(stderr).toMatch(/^netpare: [^\n]+\n$/);
    expect(stderr).toContain(says);
    expect([status, stdout]).toEqual([2, ""]);
    expect(readdirSync(at())).toEqual(before);
  });

  it("a disk that refuses leaves nothing behind", async () => {
    const { status, stderr } = await runNetpare("export", at("faces.onnx"), "--out", "/dev/full");
    expect(status).toBe(2);
    expect(stderr).toMatch(/^netpare: [^\n]*\/dev\/full[^\n]*\n$/);
  });
});

describe("interruption", () => {
  it("Ctrl-C in training leaves a checkpoint, one line and status 130, and --resume goes on from there", async () => {
    const args = ["train", "faces-net", "--data", faces, "--width", "4", "--batch", "16", "--threads", "1"];
    const out = ["--out", at("long.onnx")];
    const run = startNetpare([...args, "--epochs", "100000", ...out]);
    await run.said("training:");
    run.interrupt();
    const { status, stdout, stderr } = await run.finished;
    expect([status, stdout]).toEqual([130, ""]);
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(
      /^netpare: stopped training at epoch [\d.]+ of 100000; go on with .* --resume$/,
    );
    const left = readdirSync(at()).filter((name) => name.startsWith("long"));
    expect(left).toEqual(["long.onnx.checkpoint"]);
    const again = startNetpare([...args, "--epochs", "100000", ...out, "--resume"]);
    await again.said("training:");
    again.interrupt();
    const epoch = (text: string) => Number(/at epoch ([\d.]+)/.exec(text)?.[1]);
    expect(epoch((await again.finished).stderr)).toBeGreaterThan(epoch(stderr));
  });

  it("kill -9 in training leaves a checkpoint, from which --resume goes on to the bytes of a run never killed", async () => {
    const args = ["train", "faces-net", "--data", faces, "--width", "4", "--batch", "24", "--epochs", "150"];
    const practice = ["--ema", "0.9", "--mixup", "0.2", "--validation", "0.2", "--select", "best", "--threads", "1"];
    const train = (name: string) => startNetpare([...args, ...practice, "--out", at(name), "--resume"]);
    const killed = train("killed.onnx");
    let ended = false;
    killed.finished.then(() => {
      ended = true;
    });
    while (!ended && !existsSync(at("killed.onnx.checkpoint"))) await new Promise((resolve) => setTimeout(resolve, 10));
    killed.kill();
    expect((await killed.finished).status).toBe(null);
    expect(existsSync(at("killed.onnx"))).toBe(false);
    expect((await train("killed.onnx").finished).status).toBe(0);
    expect((await train("whole.onnx").finished).status).toBe(0);
    expect(readFileSync(at("killed.onnx")).equals(readFileSync(at("whole.onnx")))).toBe(true);
  });

  it("a second Ctrl-C ends training at once, by the signal itself", async () => {
    const args = [
      "train",
      "faces-net",
      "--data",
      faces,
      "--batch",
      "64",
      "--epochs",
      "100000",
      "--out",
      at("twice.onnx"),
    ];
    const run = startNetpare(args);
    await run.said("training:");
    run.interrupt();
    setTimeout(run.interrupt, 20);
    const { status, stderr } = await run.finished;
    expect([null, 130]).toContain(status);
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/^netpare: stopped/);
    expect(readdirSync(at()).filter((name) => name === "twice.onnx")).toEqual([]);
  });

  it("Ctrl-C elsewhere ends at once with one line", async () => {
    const run = startNetpare(["evaluate", at("faces.onnx"), "--data", "faces:train=1,test=100000"]);
    await run.said("drawing faces:");
    run.interrupt();
    const { status, stderr } = await run.finished;
    expect(status).toBe(130);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe("netpare: stopped");
  });
});

describe("output", () => {
  it("a reader that closes early is no error", async () => {
    const main = fileURLToPath(new URL("../../bin/netpare.mjs", import.meta.url));
    const child = spawn("sh", ["-c", `"${process.execPath}" "${main}" inspect resnet-56 --json | head -c 10`]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    await new Promise((resolve) => child.on("close", resolve));
    expect(stdout).toHaveLength(10);
    expect(stderr).toBe("");
  });

  it("prints its version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect((await runNetpare("--version")).stdout).toBe(`${version}\n`);
  });
});
