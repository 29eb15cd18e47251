/** The only door to onnxruntime: sessions that take and give netpare's tensors. */
import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import type { Graph } from "../graph/graph.ts";
import { encodeModel } from "../onnx/index.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";

export interface SessionOptions {
  /** Threads within an operator; 1 where left out. */
  readonly threads?: number;
  /** Whether onnxruntime may rewrite the graph; true where left out. */
  readonly optimize?: boolean;
  /**
   * What memory a session keeps: laid out ahead and held from run to run, which takes up to twice what a run needs and is 2 to 5 %
   * faster than held alone (where left out); or fresh for each run, which takes least and longest.
   */
  readonly memory?: "ahead" | "held" | "fresh";
}

/** A model loaded into onnxruntime. `run` blocks the thread it is called on. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Runs the model; `into` gives tensors to write outputs into, which must not be inputs of the same call. */
  run(
    feeds: ReadonlyMap<string, Tensor>,
    wanted?: readonly string[],
    into?: ReadonlyMap<string, Tensor>,
  ): Promise<Map<string, Tensor>>;
  release(): Promise<void>;
}

/** The version of onnxruntime. */
export const engineVersion: string = env.versions.node ?? env.versions.common;

/**
 * Loads a graph, the bytes of a model file, or the file at a path (with the external data beside it).
 * @throws NetpareError `bad-model` with onnxruntime's reason where it refuses the model.
 */
export async function openSession(model: Graph | Uint8Array | string, options: SessionOptions = {}): Promise<Session> {
  const source = typeof model === "string" || model instanceof Uint8Array ? model : encodeModel(model);
  const session = await create(source, {
    intraOpNumThreads: options.threads ?? 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
    enableCpuMemArena: options.memory !== "fresh",
    enableMemPattern: options.memory !== "held",
    graphOptimizationLevel: options.optimize === false ? "disabled" : "all",
    logSeverityLevel: 4,
  });
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(feeds, wanted = session.outputNames, into) {
      const fetches: Record<string, OrtTensor | null> = {};
      for (const name of wanted) {
        const target = into?.get(name);
        if (target !== undefined && [...feeds.values()].some((feed) => feed.data.buffer === target.data.buffer))
          throw new Error(`internal: output '${name}' would be written onto an input of the same run`);
        fetches[name] = target === undefined ? null : toOrt(target);
      }
      const inputs = Object.fromEntries([...feeds].map(([name, t]) => [name, toOrt(t)]));
      const results = await session.run(inputs, fetches).catch((error: unknown) => {
        throw new NetpareError("bad-model", `onnxruntime does not run the model: ${firstLine(error)}`);
      });
      return new Map(wanted.map((name) => [name, fromOrt(results[name]!)]));
    },
    release: () => session.release(),
  };
}

async function create(
  source: Uint8Array | string,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  try {
    return await (typeof source === "string"
      ? InferenceSession.create(source, options)
      : InferenceSession.create(source, options));
  } catch (error) {
    throw new NetpareError("bad-model", `onnxruntime does not load the model: ${firstLine(error)}`);
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}

function toOrt(t: Tensor): OrtTensor {
  return new OrtTensor(t.dtype as "float32", t.data as Float32Array, t.shape);
}

function fromOrt(t: OrtTensor): Tensor {
  return { dtype: t.type, shape: t.dims, data: t.data } as Tensor;
}
