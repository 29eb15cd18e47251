/**
 * The forms of Conv's gradients on onnxruntime, one thread, in alternation: `npm run build && node bench/conv-gradient.mjs [filter]`.
 * A row a convolution and side; for each form that fits, the median time and its ratio to the plain form (above 1 is faster).
 * The form that the table in src/ops/_conv-gradient.ts picks is marked with *.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodeModel } from "../dist/onnx/index.js";
import { chooseDataForm, chooseWeightForm, dataForms, weightForms } from "../dist/ops/_conv-gradient.js";
import { windowAxes } from "../dist/ops/_sliding-window.js";
import { TypedBuilder } from "../dist/ops/typed-builder.js";
import { createRandom } from "../dist/tensor/random.js";

const seed = 1;
const secondsPerRow = 1.5;
const batch = 64;

const square = (channels, size, outputs, kernel, { pad = 0, stride = 1, group = 1 } = {}) => ({
  name: `${group === 1 ? "" : group === channels ? "depthwise " : `${group} groups `}${kernel}x${kernel}${stride > 1 ? `/${stride}` : ""} ${channels}->${outputs} at ${size}x${size}`,
  channels,
  outputs,
  input: [size, size],
  kernel: [kernel, kernel],
  pads: [pad, pad, pad, pad],
  strides: [stride, stride],
  group,
});

const convolutions = [
  square(16, 32, 16, 3, { pad: 1 }),
  square(32, 16, 32, 3, { pad: 1 }),
  square(64, 8, 64, 3, { pad: 1 }),
  square(128, 4, 128, 3, { pad: 1 }),
  square(3, 32, 16, 3, { pad: 1 }),
  square(16, 32, 32, 3, { pad: 1, stride: 2 }),
  square(64, 8, 128, 3, { pad: 1, stride: 2 }),
  square(32, 16, 64, 1),
  square(16, 32, 32, 1, { stride: 2 }),
  square(256, 4, 256, 1),
  square(1, 28, 20, 5),
  square(20, 12, 50, 5),
  square(64, 16, 64, 3, { pad: 1, group: 4 }),
  square(64, 16, 64, 3, { pad: 1, group: 64 }),
  square(64, 16, 64, 3, { pad: 1, stride: 2, group: 64 }),
];

/** Opens a session that computes what `emit` writes, over random inputs. */
async function open(inputs, emit) {
  const random = createRandom(seed);
  const g = new TypedBuilder("bench");
  for (const [name, shape] of Object.entries(inputs)) g.input(name, "float32", shape);
  g.output(emit(g));
  const session = await InferenceSession.create(encodeModel(g.build()), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds = {};
  for (const name of session.inputNames) {
    const size = inputs[name].reduce((a, b) => a * b, 1);
    feeds[name] = new Tensor(
      "float32",
      Float32Array.from({ length: size }, () => random.normal()),
      inputs[name],
    );
  }
  return { run: () => session.run(feeds), release: () => session.release() };
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

/** Times the forms in turn, starting each round with another one. */
async function race(forms) {
  const times = forms.map(() => []);
  for (const { run } of forms) await run();
  const end = performance.now() + 1000 * secondsPerRow;
  for (let round = 0; round < 5 || performance.now() < end; round++)
    for (let i = 0; i < forms.length; i++) {
      const at = (i + round) % forms.length;
      const start = performance.now();
      await forms[at].run();
      times[at].push(performance.now() - start);
    }
  return times.map((list) => {
    list.sort((a, b) => a - b);
    return { median: quantile(list, 0.5), low: quantile(list, 0.1), high: quantile(list, 0.9), runs: list.length };
  });
}

async function report(label, forms, sizes, chosen, inputs, emit) {
  const names = Object.keys(forms).filter((name) => forms[name].fits(sizes));
  const sessions = [];
  for (const name of names) sessions.push(await open(inputs, (g) => emit(g, forms[name])));
  const times = await race(sessions);
  const plain = times[names.indexOf("transposed")].median;
  const cells = names.map((name, i) => {
    const { median, low, high } = times[i];
    const mark = name === chosen ? "*" : "";
    return `${mark}${name} ${median.toFixed(2)} ms [${low.toFixed(2)}-${high.toFixed(2)}] ${(plain / median).toFixed(2)}x`;
  });
  console.log(`  ${label}  ${cells.join("   ")}  (${times[0].runs} runs)`);
  for (const session of sessions) await session.release();
}

const { version } = JSON.parse(
  readFileSync(new URL("../node_modules/onnxruntime-node/package.json", import.meta.url), "utf8"),
);
console.log(
  `${cpus()[0].model}, Node ${process.version}, onnxruntime-node ${version}, 1 thread, batch ${batch}, seed ${seed}`,
);
const filter = process.argv[2] ?? "";
for (const conv of convolutions) {
  if (!conv.name.includes(filter)) continue;
  const { channels, outputs, input, kernel, group } = conv;
  const axes = windowAxes({ auto_pad: "NOTSET", ...conv, dilations: undefined }, kernel, input);
  const sizes = { axes, channels, outputs, group };
  const weight = [outputs, channels / group, ...kernel];
  const x = [batch, channels, ...input];
  const gy = [batch, outputs, ...axes.map((axis) => axis.output)];
  console.log(conv.name);
  await report("dW", weightForms, sizes, chooseWeightForm(sizes), { x, gy }, (g, form) =>
    form.emit(g, "x", "gy", weight, sizes),
  );
  await report("dX", dataForms, sizes, chooseDataForm(sizes), { gy, w: weight }, (g, form) =>
    form.emit(g, "gy", "w", sizes),
  );
}
