/** Opens a model in the engine that its file is for: `.pare` files in netpare's own runtime, all others in onnxruntime. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { readPare } from "../format/read-pare.ts";
import { graphOf } from "../format/to-graph.ts";
import type { Graph } from "../graph/graph.ts";
import { readModel } from "../onnx/index.ts";
import { load } from "../runtime/index.ts";
import { NetpareError } from "../tensor/error.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { openSession, type Session, type SessionOptions } from "./session.ts";

/** onnxruntime, or netpare's runtime. */
export type Engine = "ort" | "pare";

/** The engine that a model runs in. */
export function engineOf(model: Graph | Uint8Array | string): Engine {
  return typeof model === "string" && extname(model) === ".pare" ? "pare" : "ort";
}

/**
 * Opens a graph, the bytes of an ONNX file, or a file. The runtime takes one thread, whatever is asked for.
 * @throws NetpareError `bad-model` where the engine refuses it, naming the file.
 */
export async function openModel(model: Graph | Uint8Array | string, options: SessionOptions = {}): Promise<Session> {
  if (typeof model !== "string" || engineOf(model) === "ort") return openSession(model, options);
  return naming(model, async () => openRuntime(await readFile(model)));
}

/** The graph of a file of either kind. */
export async function readAnyModel(file: string, options?: Parameters<typeof readModel>[1]): Promise<Graph> {
  if (engineOf(file) === "ort") return readModel(file, options);
  return naming(file, async () => graphOf(readPare(await readFile(file))));
}

async function naming<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof NetpareError) throw new NetpareError(error.code, `${file}: ${error.message}`);
    throw error;
  }
}

async function openRuntime(bytes: Uint8Array): Promise<Session> {
  const network = await load(bytes);
  return {
    inputs: network.inputs.map(({ name }) => name),
    outputs: network.outputs.map(({ name }) => name),
    async run(feeds, wanted = network.outputs.map(({ name }) => name)) {
      const pixels = [...feeds].map(([name, { data }]) => [name, data as Float32Array] as const);
      const results = network.run(Object.fromEntries(pixels));
      return new Map(
        wanted.map((name) => {
          const [images = 1, ...rest] = network.outputs.find((output) => output.name === name)!.shape;
          const values = results[name]!;
          const size = rest.reduce((product, dim) => product * dim, images);
          return [name, tensorOf("float32", [(images * values.length) / size, ...rest], values)];
        }),
      );
    },
    async release() {},
  };
}
