/**
 * netpare as a library: trains a small network on the built-in faces, prunes it, quantizes it, and measures all three files.
 * Run it with `node examples/library.mjs` after `npm run build`; it takes about a minute. Another data set may be
 * given: `node examples/library.mjs faces:train=12000,test=2000`.
 */
import { mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  analyzeCost,
  createRandom,
  createSamples,
  evaluateModel,
  findArchitecture,
  findMethod,
  measureLatency,
  openDataset,
  trainingSchema,
  trainModel,
  withPreprocessing,
  writeModel,
} from "netpare";

const [spec = "faces:train=1920,test=480"] = process.argv.slice(2);
const faces = await openDataset(spec);
const { preprocessing } = faces;
const format = {
  classes: faces.classes.length,
  storedShape: [faces.channels, faces.height, faces.width],
  preprocessing,
};

const fresh = findArchitecture("faces-net").build({ width: 16 }, createRandom(1));
const data = { train: faces.train, ...format };
const train = (graph, options) => trainModel(graph, data, { options: trainingSchema.parse(options) });
const { graph: trained } = await train(withPreprocessing(fresh, preprocessing), { epochs: 6, lr: 0.08 });

const samples = createSamples(faces.train, { ...format, seed: 1, limit: 512 });
const context = { seed: 1, samples, models: new Map(), progress: () => {} };
async function apply(name, graph, params) {
  const method = findMethod(name);
  const { graph: changed, skipped } = await method.apply(graph, method.params.parse(params), context);
  for (const { node, reason } of skipped) console.log(`${name} left ${node} alone: ${reason}`);
  return changed;
}
const pruned = await apply("prune-channels", trained, { macs: 0.5, roundTo: 8 });
const { graph: tuned } = await train(pruned, { epochs: 3, lr: 0.04 });
const quantized = await apply("quantize-int8", tuned, {});

const folder = await mkdtemp(join(tmpdir(), "netpare-example-"));
const models = [];
for (const [name, graph] of Object.entries({ trained, tuned, quantized })) {
  const file = join(folder, `${name}.onnx`);
  await writeModel(file, graph);
  models.push({ name, model: file, graph });
}
const latencies = await measureLatency(models, { batches: [1] });
for (const [i, { name, model, graph }] of models.entries()) {
  const { top1 } = await evaluateModel(graph, faces.test, { ...format, file: model });
  const { macs } = analyzeCost(graph);
  const { size } = await stat(model);
  const ms = latencies[i].median.toFixed(2);
  console.log(`${name.padEnd(10)} top-1 ${(100 * top1).toFixed(1)} %  ${macs} MACs  ${size} bytes  ${ms} ms`);
}
