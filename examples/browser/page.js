/** Draws faces, has them classified by the exported module, and runs the same network in onnxruntime-web beside it. */

import { createFacePainter } from "./netpare/data/faces/draw-face.js";
import { EXPRESSIONS } from "./netpare/data/faces/expression.js";
import { createRandom } from "./netpare/tensor/random.js";

const size = 48;
const find = (id) => document.getElementById(id);
const context = find("face").getContext("2d");
const paint = createFacePainter({ size, channels: 3 });
const random = createRandom(7);

/** A drawn face as an ImageData. */
function drawFace(expression) {
  const planes = new Uint8Array(3 * size * size);
  paint(expression, random, planes, 0);
  const image = new ImageData(size, size);
  for (let i = 0; i < size * size; i++)
    image.data.set([planes[i], planes[size * size + i], planes[2 * size * size + i], 255], 4 * i);
  return image;
}

const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
const milliseconds = (ms) => `${ms < 10 ? ms.toPrecision(2) : Math.round(ms)} ms`;
const bytes = (count) => (count < 1e6 ? `${Math.round(count / 1000)} kB` : `${(count / 1e6).toFixed(1)} MB`);

function show(expression, image, ranking) {
  context.putImageData(image, 0, 0);
  find("truth").textContent = `drawn as ${expression}`;
  find("face").setAttribute("aria-label", `A drawn face: ${expression}`);
  const [best] = ranking;
  const right = best.name === expression;
  find("verdict").className = right ? "" : "wrong";
  find("verdict").replaceChildren(
    "The network sees ",
    Object.assign(document.createElement("strong"), { textContent: best.name }),
    right ? "." : ", and errs.",
  );
  const rows = ranking.map(({ name, probability }, i) => {
    const meter = Object.assign(document.createElement("meter"), { min: 0, max: 1, value: probability });
    meter.setAttribute("aria-label", name);
    const row = document.createElement("li");
    if (i === 0) row.className = "best";
    const label = Object.assign(document.createElement("span"), { textContent: name });
    row.append(label, meter, Object.assign(document.createElement("span"), { textContent: percent(probability) }));
    return row;
  });
  find("ranking").replaceChildren(...rows);
}

/** Bytes of what was fetched from paths that begin so. */
const fetched = (...paths) =>
  performance
    .getEntriesByType("resource")
    .filter(({ name }) => paths.some((path) => new URL(name).pathname.startsWith(path)))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);

/** Median milliseconds of each run, in alternation, in batches that last long enough for the clock. */
async function timesOf(runs) {
  const batches = [];
  for (const run of runs) {
    const start = performance.now();
    let count = 0;
    for (; performance.now() - start < 400 || count < 3; count++) await run();
    batches.push({ run, times: [], count: Math.max(1, Math.round((8 * count) / (performance.now() - start))) });
  }
  for (let round = 0; round < 31; round++)
    for (const { run, times, count } of batches) {
      const start = performance.now();
      for (let i = 0; i < count; i++) await run();
      times.push((performance.now() - start) / count);
    }
  return batches.map(({ times }) => times.sort((a, b) => a - b)[15]);
}

function fill(id, cells) {
  [...find(id).querySelectorAll("td")].forEach((cell, i) => {
    if (cells[i] !== undefined) cell.textContent = cells[i];
  });
}

/** `open` answers with a function that runs the network; its first answer is awaited and told. */
async function begin(id, open, paths) {
  const start = performance.now();
  const run = await open();
  await run();
  const first = performance.now() - start;
  const size = fetched(...paths);
  fill(id, [bytes(size), milliseconds(first)]);
  return { run, size, first };
}

let network;
function next(expression = EXPRESSIONS[random.below(EXPRESSIONS.length)]) {
  const image = drawFace(expression);
  show(expression, image, network.classify(image));
}

const pixels = (shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => Math.sin(i));

async function openOurs() {
  network = await import("./model/faces.mjs");
  const input = pixels(network.inputs[0].shape);
  return () => network.run(input);
}

async function openTheirs() {
  const ort = await import("./onnxruntime-web/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL("./onnxruntime-web/", location.href).href;
  const session = await ort.InferenceSession.create("./model/faces.onnx");
  const { shape } = network.inputs[0];
  const input = pixels(shape);
  return () => session.run({ [session.inputNames[0]]: new ort.Tensor("float32", input, shape) });
}

const ours = await begin("ours", openOurs, ["/model/faces.mjs"]);
find("ours").querySelector("small").textContent = `network and runtime, ${network.variant} SIMD`;
for (const expression of EXPRESSIONS) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: expression });
  button.addEventListener("click", () => next(expression));
  find("choices").append(button);
}
find("any").addEventListener("click", () => next());
next("happiness");
try {
  const theirs = await begin("theirs", openTheirs, ["/onnxruntime-web/", "/model/faces.onnx"]);
  const [mine, other] = await timesOf([ours.run, theirs.run]);
  fill("ours", [undefined, undefined, milliseconds(mine)]);
  fill("theirs", [undefined, undefined, milliseconds(other)]);
  const times = (a, b) => `${(a / b).toFixed(a < 10 * b ? 1 : 0)} times`;
  find("ratio").textContent =
    `${times(theirs.size, ours.size)} smaller, ${times(theirs.first, ours.first)} sooner, ${times(other, mine)} faster.`;
} catch (error) {
  const [mine] = await timesOf([ours.run]);
  fill("ours", [undefined, undefined, milliseconds(mine)]);
  fill("theirs", ["–", "–", "–"]);
  find("ratio").textContent = `onnxruntime-web is not there to compare with (${error.message}).`;
}
document.documentElement.dataset.measured = "yes";
