/**
 * Where a training went wrong: the first value of the failing step that is no number while all it was computed from are numbers.
 * The step is run again with its intermediate values as outputs, part by part in topological order: the forward pass, then the
 * gradients, then the updates. It costs nothing until a training fails.
 */
import { consumers, type Graph, type Node, nodeLabel, producers } from "../graph/graph.ts";
import { removeDead } from "../graph/order.ts";
import { decodeModel } from "../onnx/index.ts";
import { inferFacts } from "../ops/infer.ts";
import { isFloat } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { openSession } from "./session.ts";
import type { TrainingJob } from "./train-loop.ts";

/** Growth of the loss, against its first value or 1, beyond which a training counts as lost. */
export const explosion = 1e4;

/** The size from which a value counts as grown out of hand where the loss is still a number. */
const hugeValue = 1e3;

/** Values fetched in one run, which bounds the memory. */
const valuesPerRun = 48;

/** Whether all values are numbers of at most `limit`. */
export function isSound({ data, dtype }: Tensor, limit = Number.MAX_VALUE): boolean {
  if (!isFloat(dtype)) return true;
  for (const value of data as Float32Array) if (!(Math.abs(value) <= limit)) return false;
  return true;
}

/** The names of the states that hold a value which is no number. */
export function unsoundStates(states: ReadonlyMap<string, Tensor>): string[] {
  return [...states].filter(([, state]) => !isSound(state)).map(([name]) => name);
}

/**
 * Says in words where a step with these `feeds` goes wrong: the layer whose output, the parameter whose gradient, or the state
 * whose next value is no number (or is huge, where `huge`); undefined where running it again shows nothing.
 */
export async function findOrigin(
  job: TrainingJob,
  feeds: ReadonlyMap<string, Tensor>,
  huge: boolean,
): Promise<string | undefined> {
  const graph = decodeModel(job.step.model);
  const network = decodeModel(job.forward.model);
  const limit = huge ? hugeValue : Number.MAX_VALUE;
  const given = [...feeds].find(([, value]) => !isSound(value));
  if (given)
    return given[0] === job.step.images
      ? "the images"
      : `the model as it was given, its ${describeParameter(given[0], network)}`;
  const first = (values: readonly string[]) => firstUnsound(graph, values, feeds, limit);

  const forward = removeDead({ ...graph, outputs: graph.outputs.filter(({ name }) => name === job.step.loss) });
  const value = await first(forward.nodes.flatMap((node) => node.outputs));
  if (value !== undefined) return describeForward(value, graph, network);
  const backward = new Map([...job.step.gradients].map(([parameter, gradient]) => [gradient, parameter]));
  const written = graph.nodes.flatMap((node) => node.outputs);
  const gradient = await first(written.filter((name) => backward.has(name)));
  if (gradient !== undefined) return `the gradient of ${describeParameter(backward.get(gradient)!, network)}`;
  const updates = new Map([...job.step.states].map(([name, { next }]) => [next, name]));
  const update = await first(written.filter((name) => updates.has(name)));
  return update === undefined ? undefined : `the update of ${describeParameter(updates.get(update)!, network)}`;
}

function describeForward(value: string, graph: Graph, network: Graph): string {
  const node = producers(network).get(value);
  return node === undefined ? `the loss (${nodeLabel(producers(graph).get(value)!)})` : layer(node);
}

const layer = (node: Node) => `layer '${node.name || node.outputs[0]}' (${node.op})`;

function describeParameter(name: string, network: Graph): string {
  const reader = consumers(network).get(name)?.[0];
  return reader === undefined ? `'${name}'` : `'${name}' in ${layer(reader)}`;
}

/** The first of `values`, in the order given, that is unsound when `graph` runs on `feeds`. */
async function firstUnsound(
  graph: Graph,
  values: readonly string[],
  feeds: ReadonlyMap<string, Tensor>,
  limit: number,
): Promise<string | undefined> {
  const facts = inferFacts(graph);
  const floats = values.filter((name) => name !== "" && isFloat(facts.get(name)!.dtype));
  for (let at = 0; at < floats.length; at += valuesPerRun) {
    const wanted = floats.slice(at, at + valuesPerRun);
    const outputs = wanted.map((name) => ({ name, dtype: facts.get(name)!.dtype, shape: facts.get(name)!.shape }));
    const session = await openSession(removeDead({ ...graph, outputs }), { optimize: false });
    const fed = new Map([...feeds].filter(([name]) => session.inputs.includes(name)));
    const found = await session.run(fed, wanted);
    await session.release();
    const bad = wanted.find((name) => !isSound(found.get(name)!, limit));
    if (bad !== undefined) return bad;
  }
  return undefined;
}
