/**
 * How long a training step takes: netpare's graph, the obvious gradient graph (transposed convolutions for every gradient of a
 * convolution), and PyTorch in both layouts where it is installed; in alternation, in one run. Then what two threads give, and a
 * whole epoch against its steps. `npm run bench:train [-- NET…]`; PYTHON names the interpreter that has PyTorch.
 */
import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { buildTrainingStep, stepNames } from "../dist/autodiff/training-step.js";
import { openBlockedSession } from "../dist/engine/blocked-layout.js";
import { openSession } from "../dist/engine/session.js";
import { trainModel } from "../dist/engine/train.js";
import { trainingSchema } from "../dist/engine/training-options.js";
import { int, ints } from "../dist/graph/attributes.js";
import { encodeModel } from "../dist/onnx/index.js";
import { dataForms, weightForms } from "../dist/ops/_conv-gradient.js";
import { TypedBuilder } from "../dist/ops/typed-builder.js";
import { createRandom } from "../dist/tensor/random.js";
import { tensor, tensorOf } from "../dist/tensor/tensor.js";
import { Layers } from "../dist/zoo/_layers.js";
import { findArchitecture } from "../dist/zoo/index.js";

const rounds = 12;

/** Writes a network on images of one size with ten classes. */
function network(channels, size, body) {
  const g = new TypedBuilder("bench");
  const layers = new Layers(g, createRandom(1));
  const x = g.input("image", "float32", ["N", channels, size, size]);
  g.output(layers.dense("logits", body(layers, x, g), 10, "nothing"));
  return g.build();
}

const nets = {
  // The two networks of the design's table: four convolutions with batch norm, and LeNet-5.
  "conv net": () =>
    network(3, 32, (layers, image) => {
      let x = image;
      for (const [i, out] of [32, 32, 64, 64].entries()) {
        x = layers.convBnRelu(`conv${i}`, x, { out, kernel: 3 });
        if (i % 2 === 1) x = layers.maxPool(`pool${i}`, x, 2);
      }
      return layers.flatten("flatten", x);
    }),
  "lenet-5": () => findArchitecture("lenet-5").build({}, createRandom(1)),
  "resnet-20": () => findArchitecture("resnet-20").build({}, createRandom(1)),
  // A depthwise and a pointwise convolution, as MobileNet pairs them (Howard et al. 2017).
  "mobile block": () =>
    network(3, 32, (layers, image, g) => {
      const stem = layers.convBnRelu("stem", image, { out: 64, kernel: 3, stride: 2 });
      const weight = createRandom(2);
      const kernel = tensor("float32", [64, 1, 3, 3]);
      for (let i = 0; i < kernel.data.length; i++) kernel.data[i] = weight.normal() / 3;
      const attributes = { group: int(64), kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]) };
      const deep = g.op("Conv", [stem, g.initializer("deep/weight", kernel)], attributes, { name: "deep" });
      const x = layers.relu("deep/relu", layers.batchNorm("deep/bn", deep));
      return layers.globalAveragePool("pool", layers.convBnRelu("point", x, { out: 128, kernel: 1 }));
    }),
};

const cases = [
  { net: "conv net", batch: 64, plain: true },
  { net: "lenet-5", batch: 64, plain: true },
  { net: "resnet-20", batch: 128, plain: false },
  { net: "mobile block", batch: 64, plain: false },
];

const optimizer = trainingSchema.parse({ lr: 0.01 });

/** Opens a step of `net`; the caller runs it many times. */
async function openStep(net, batch, threads, blocked = true) {
  const graph = nets[net]();
  const [channels, height, width] = graph.inputs[0].shape.slice(1);
  const step = buildTrainingStep(graph, {
    batch,
    classes: 10,
    imageShape: [channels, height, width],
    optimizer,
    objective: { terms: [] },
  });
  const session = blocked
    ? await openBlockedSession(encodeModel(step.graph), { threads })
    : await openSession(step.graph, { threads });
  const random = createRandom(3);
  const images = tensor("float32", [batch, channels, height, width]);
  for (let i = 0; i < images.data.length; i++) images.data[i] = random.normal();
  const targets = tensor("float32", [batch, 10]);
  for (let n = 0; n < batch; n++) targets.data[n * 10 + (n % 10)] = 1;
  let states = new Map([...step.states].map(([name, { initial }]) => [name, initial]));
  const wanted = [step.loss, step.correct, ...[...step.states.values()].map(({ next }) => next)];
  return async (steps) => {
    const times = [];
    for (let i = 0; i < steps; i++) {
      const begun = performance.now();
      const feeds = new Map([
        ...states,
        [step.images, images],
        [stepNames.targets, targets],
        [stepNames.lr, tensorOf("float32", [], [0.01])],
      ]);
      const results = await session.run(feeds, wanted);
      states = new Map([...step.states].map(([name, { next }]) => [name, results.get(next)]));
      times.push(performance.now() - begun);
    }
    return times;
  };
}

/** Opens the same step with the plain form of every gradient of a convolution. */
async function openPlainStep(...which) {
  const saved = [weightForms, dataForms].map((forms) =>
    Object.entries(forms).map(([name, form]) => [forms, name, form]),
  );
  for (const forms of [weightForms, dataForms]) for (const name of Object.keys(forms)) forms[name] = forms.transposed;
  try {
    return await openStep(...which, false);
  } finally {
    for (const [forms, name, form] of saved.flat()) forms[name] = form;
  }
}

/** PyTorch in a process of its own; undefined where it is not installed. */
async function openTorch() {
  const script = fileURLToPath(new URL("peers/pytorch_train.py", import.meta.url));
  const child = spawn(process.env.PYTHON ?? "python3", [script], { stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done) return undefined;
  return {
    version: JSON.parse(first.value).version,
    async run(job) {
      child.stdin.write(`${JSON.stringify(job)}\n`);
      return JSON.parse((await lines.next()).value);
    },
    close: () => child.stdin.end(),
  };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Runs contestants in turn and returns the median step of each. */
async function race(contestants, steps) {
  for (const run of contestants) await run(2);
  const times = contestants.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < contestants.length; i++) {
      const at = (i + round) % contestants.length;
      times[at].push(...(await contestants[at](steps)));
    }
  return times.map(median);
}

const torch = await openTorch();
console.log(
  `${cpus()[0].model}, Node ${process.version}, ${torch ? `PyTorch ${torch.version}` : "no PyTorch found (PYTHON names an interpreter that has it)"}; ${rounds} rounds in alternation, medians`,
);
const filter = process.argv.slice(2);
for (const { net, batch, plain } of cases) {
  if (filter.length > 0 && !filter.includes(net)) continue;
  const entrants = { netpare: await openStep(net, batch, 1) };
  if (net === "resnet-20") entrants["without blocks"] = await openStep(net, batch, 1, false);
  if (plain) entrants["obvious graph"] = await openPlainStep(net, batch, 1);
  if (torch)
    for (const layout of ["nchw", "channels_last"])
      entrants[`PyTorch ${layout}`] = (steps) => torch.run({ net, batch, layout, threads: 1, steps });
  const names = Object.keys(entrants);
  const medians = await race(Object.values(entrants), net === "lenet-5" || net === "mobile block" ? 8 : 3);
  const cells = names.map(
    (name, i) =>
      `${name} ${medians[i].toFixed(1)} ms${i === 0 ? "" : ` (netpare takes ${(medians[0] / medians[i]).toFixed(2)}x)`}`,
  );
  console.log(`${net}, batch ${batch}, 1 thread: ${cells.join(", ")}`);
  if (net !== "conv net") continue;
  const [one, two] = await race([await openStep(net, batch, 1), await openStep(net, batch, 2)], 3);
  console.log(`${net}, 2 threads: ${two.toFixed(1)} ms, ${(one / two).toFixed(2)}x one thread`);
}

if (filter.length === 0 || filter.includes("epoch")) await compareEpoch("conv net", 64, 100);
torch?.close();

/** A whole epoch, with order, augmentation and worker, against as many bare steps before and after it. */
async function compareEpoch(net, batch, steps) {
  const random = createRandom(4);
  const images = new Uint8Array(batch * steps * 3072);
  for (let i = 0; i < images.length; i++) images[i] = 256 * random.uniform();
  const train = {
    images,
    labels: Uint16Array.from({ length: batch * steps }, (_, i) => i % 10),
    length: batch * steps,
  };
  const preprocessing = { scale: 1 / 255, mean: [0.5], std: [0.25], channels: "rgb" };
  const options = trainingSchema.parse({
    epochs: 1,
    batch,
    lr: 0.01,
    threads: 1,
    augmentation: { flip: true, crop: 4 },
  });
  const bare = await openStep(net, batch, 1);
  await bare(3);
  const before = await bare(20);
  const { seconds } = await trainModel(
    nets[net](),
    { train, classes: 10, storedShape: [3, 32, 32], preprocessing },
    { options },
  );
  const step = median([...before, ...(await bare(20))]);
  console.log(
    `${net}, an epoch of ${steps} steps with flips and crops: ${seconds.toFixed(2)} s, ${((1000 * seconds) / (steps * step)).toFixed(3)}x of the steps alone`,
  );
}
