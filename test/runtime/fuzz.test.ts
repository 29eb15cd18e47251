/**
 * Damaged and hostile `.pare` files: each ends in a NetpareError, or is loaded and run, twice with the same numbers, so that no step
 * has written over what belongs to others. `npm run fuzz:pare` does it a hundred thousand times.
 */
import { describe, expect, it } from "vitest";
import { programOf } from "../../src/format/from-graph.ts";
import { writePare, writeProgram } from "../../src/format/write.ts";
import { load } from "../../src/runtime/load.ts";
import { operators } from "../../src/runtime/operators/index.ts";
import { NetpareError } from "../../src/tensor/error.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { fuzzNets } from "./fuzz-nets.ts";
import { mutateBytes, mutateProgram, mutateStructure } from "./mutate.ts";

const count = Number(process.env.NETPARE_FUZZ ?? 3000);
const limits = { decodedBytes: 2 ** 22, memoryBytes: 2 ** 23 };

/** Loads a file and runs it twice; the code of its refusal, or "ran". */
async function outcome(file: Uint8Array): Promise<string> {
  try {
    const network = await load(file, limits);
    const feeds = Object.fromEntries(
      network.inputs.map(({ name, shape }) => [
        name,
        new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => Math.sin(i)),
      ]),
    );
    const [first, second] = [network.run(feeds), network.run(feeds)];
    expect(second).toEqual(first);
    return "ran";
  } catch (error) {
    if (error instanceof NetpareError) return error.message;
    throw error;
  }
}

describe("the networks that are mutated", () => {
  it.each([...fuzzNets.keys()])("%s runs", async (name) => {
    expect(await outcome(writePare(fuzzNets.get(name)!))).toBe("ran");
  });
});

it("nodes that lack any of their inputs are refused, or run without, whatever their operator", async () => {
  const [program] = [...fuzzNets.values()].map(programOf);
  const outcomes: string[] = [];
  const [node] = program!.nodes;
  for (const op of operators.keys())
    for (let left = 0; left <= node!.inputs.length; left++) {
      const cut = { ...node!, op, inputs: node!.inputs.slice(0, left) };
      outcomes.push(await outcome(writeProgram({ ...program!, nodes: program!.nodes.with(0, cut) })));
    }
  expect(outcomes.filter((result) => result !== "ran").length).toBeGreaterThan(50);
});

const kinds = ["bytes", "structures", "programs"] as const;
const each = Math.ceil(count / kinds.length);

describe("damaged files", () => {
  it.each(kinds)(`of %s are refused or run, ${each} times`, { timeout: 4_000_000 }, async (kind) => {
    const programs = [...fuzzNets.values()].map(programOf);
    const files = [...fuzzNets.values()].map((graph) => writePare(graph));
    const refusals = new Map<string, number>();
    const failures: string[] = [];
    let ran = 0;
    let slowest = { seed: -1, milliseconds: 0 };
    for (let seed = 0; seed < each; seed++) {
      const random = createRandom(seed);
      const at = seed % programs.length;
      const mutants = {
        bytes: () => mutateBytes(files[at]!, random),
        structures: () => mutateStructure(files[at]!, random),
        programs: () => mutateProgram(programs[at]!, random),
      };
      const file = mutants[kind]();
      const begun = performance.now();
      const result = await outcome(file).catch((error: Error) => {
        failures.push(`seed ${seed}: ${error.stack?.slice(0, 600)}`);
        return "failed";
      });
      const milliseconds = performance.now() - begun;
      if (milliseconds > slowest.milliseconds) slowest = { seed, milliseconds };
      if (result === "ran") ran++;
      else {
        const reason = result
          .replace(/\d+/g, "#")
          .replace(/operator .*/, "operator")
          .slice(0, 60);
        refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
      }
    }
    if (process.env.NETPARE_FUZZ)
      console.log(kind, { each, ran, slowest }, new Map([...refusals].sort((a, b) => b[1] - a[1]).slice(0, 40)));
    expect(failures.slice(0, 10)).toEqual([]);
    // Neither the mutations nor the checks are idle.
    expect(ran).toBeGreaterThan(each / 100);
    expect(refusals.size).toBeGreaterThan(5);
  });
});
