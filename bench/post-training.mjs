/**
 * SqueezeNet 1.1 compressed after training, without data: `node bench/post-training.mjs [images] [step ...]` after a build. The model lies in
 * `data/models/` in the folder that NETPARE_SHARED names (`../shared` where it is not set). Weights become whole numbers of steps
 * (cluster-weights --step), weighed and rounded on 64 pictures of dead leaves; each line is one `.pare` file as it runs in netpare's runtime:
 * bytes of the .onnx over its bytes, and the share of other pictures to which it gives the class the .onnx gives in onnxruntime.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLeaves } from "../dist/data/index.js";
import { agreementOf, evaluateModel, wilsonInterval } from "../dist/engine/evaluate.js";
import { readAnyModel } from "../dist/engine/open-model.js";
import { createSamples } from "../dist/engine/samples.js";
import { writePare } from "../dist/format/write.js";
import { findMethod } from "../dist/methods/index.js";
import { readModel } from "../dist/onnx/index.js";
import { shippingPasses, simplify } from "../dist/passes/index.js";

const seed = 1;
const [images = 300, ...given] = process.argv.slice(2).map(Number);
const steps = given.length > 0 ? given : [0.017, 0.02, 0.03, 0.05];
const size = 227;
const root = fileURLToPath(new URL("..", import.meta.url));
const file = join(process.env.NETPARE_SHARED ?? join(root, "../shared"), "data/models/squeezenet_v1.1.onnx");

const graph = await readModel(file);
const leaves = await createLeaves({ size, channels: 3, trainSamples: 64, testSamples: images, seed });
const preprocessing = { scale: 1, mean: [104, 117, 123], std: [1], channels: "bgr" };
const format = { classes: 0, storedShape: [3, size, size], preprocessing };
const samples = createSamples(leaves.train, { ...format, seed });
const original = (await evaluateModel(graph, leaves.test, { ...format, file })).predictions;
const onnxBytes = readFileSync(file).length;

const tally = new Map();
for (const name of original) tally.set(name, (tally.get(name) ?? 0) + 1);
const entropy = [...tally.values()].reduce((sum, n) => sum - (n / images) * Math.log2(n / images), 0);
console.log(
  `seed ${seed}, ${images} pictures, of which the .onnx names ${tally.size} classes, entropy ${entropy.toFixed(2)} bits`,
);
console.log("| step | .pare bytes | ratio | agreement | 95 % |\n|---|---|---|---|---|");

const method = findMethod("cluster-weights");
const folder = mkdtempSync(join(tmpdir(), "netpare-bench-"));
try {
  for (const step of steps) {
    const context = { seed, samples, models: new Map(), progress: () => {} };
    const applied = (await method.apply(graph, method.params.parse({ step }), context)).graph;
    const pare = join(folder, "small.pare");
    writeFileSync(pare, writePare(simplify(applied, shippingPasses).graph));
    const { predictions } = await evaluateModel(await readAnyModel(pare), leaves.test, { ...format, file: pare });
    const agreement = agreementOf(original, predictions);
    const percent = (share) => (100 * share).toFixed(2);
    const [low, high] = wilsonInterval(Math.round(agreement * images), images).map(percent);
    const { size: bytes } = statSync(pare);
    console.log(
      `| ${step} | ${bytes} | ${(onnxBytes / bytes).toFixed(2)} | ${percent(agreement)} % | ${low} to ${high} |`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
