/** Networks as modules, and their outputs where nothing but the module is: another process, in a folder of its own. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeModule } from "../../src/bundle/make-module.ts";
import { writePare } from "../../src/format/write.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { shippingPasses, simplify } from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";

/** What a module answers: its names, the variant, and the outputs one behind the other. */
export interface Answer {
  readonly names: readonly string[];
  readonly variant: string;
  readonly values: readonly number[];
}

/** The text of a function that imports a module and answers; the same in Node and in browsers. Pixels are a fixed sequence. */
export const answering = `async (url, variant, images) => {
  const validate = WebAssembly.validate;
  if (variant === "plain") WebAssembly.validate = () => false;
  const module = await import(url);
  WebAssembly.validate = validate;
  const size = module.inputs[0].shape.reduce((a, b) => a * b, 1);
  let state = 1;
  const pixels = Float32Array.from({ length: images * size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  const results = module.run(pixels);
  const values = module.outputs.flatMap(({ name }) => [...results[name]]);
  return { names: Object.keys(module).sort(), variant: module.variant, values };
}`;

/** A simplified network as a file and as a module. */
export async function moduleOf(graph: Graph) {
  const pare = writePare(simplify(graph, shippingPasses).graph);
  return { pare, ...(await makeModule(pare)) };
}

/** Runs `work` with a module in a file of an empty folder. */
export async function inFolder<T>(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "netpare-module-"));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The value of an expression over `module` in a Node process; `node` is its program. */
export async function evaluateIn(folder: string, expression: string, node = process.execPath): Promise<unknown> {
  const script = `const module = await import("./network.mjs"); console.log(JSON.stringify(${expression}))`;
  const { stdout } = await promisify(execFile)(node, ["--input-type=module", "-e", script], { cwd: folder });
  return JSON.parse(stdout);
}

/** A module's answer in a Node process. */
export function answerInNode(code: string, variant: string, images = 2, node = process.execPath): Promise<Answer> {
  return inFolder({ "network.mjs": code }, async (folder) => {
    const script = `console.log(JSON.stringify(await (${answering})("./network.mjs", "${variant}", ${images})))`;
    const { stdout } = await promisify(execFile)(node, ["--input-type=module", "-e", script], {
      cwd: folder,
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(stdout);
  });
}

/** The pixels that `answering` makes. */
export function answeredPixels(count: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** RGBA bytes. */
export function randomImage(width: number, height: number) {
  const random = createRandom(3);
  return { width, height, data: Array.from({ length: 4 * width * height }, () => random.below(256)) };
}
