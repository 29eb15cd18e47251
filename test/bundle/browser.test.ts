/** Modules in Chromium, on the page and in a worker, answer what they do in Node; and the example's page shows one at work. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXPRESSIONS, withClasses, withPreprocessing } from "../../src/data/index.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { findMethod } from "../../src/methods/index.ts";
import { writeModel } from "../../src/onnx/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";
import { chromiumFile, needsChromium, openChromium } from "../chromium.ts";
import { fixtureContext, fixtures } from "../methods/fixtures.ts";
import { haveSharedModels, needsShared, sharedModel, sharedModelNames } from "../shared-models.ts";
import { type Answer, answerInNode, answering, moduleOf } from "./run-module.ts";

const zoo = (name: string, settings = {}) => findArchitecture(name).build(settings, createRandom(1));

/** A graph with nine in ten weights of its large layers gone, so that the sparse kernels run. */
function thinned(graph: Graph): Graph {
  const random = createRandom(9);
  const initializers = [...graph.initializers].map(([name, tensor]) => {
    if (tensor.dtype !== "float32" || tensor.shape.length < 2) return [name, tensor] as const;
    const values = toNumbers(tensor).map((value) => (random.uniform() < 0.9 ? 0 : value));
    return [name, tensorOf("float32", tensor.shape, values)] as const;
  });
  return { ...graph, initializers: new Map(initializers) };
}

/** A fixture after a method with its usual settings. */
async function paredBy(name: string, fixture: keyof typeof fixtures): Promise<Graph> {
  const method = findMethod(name);
  return (await method.apply(fixtures[fixture]!(), method.params.parse({}), fixtureContext())).graph;
}

const networks: Readonly<Record<string, () => Graph | Promise<Graph>>> = {
  "lenet-5": () => zoo("lenet-5"),
  "lenet-5, sparse": () => thinned(zoo("lenet-5")),
  "faces-net": () => zoo("faces-net", { width: 8 }),
  "squeezenet-1.0": () => zoo("squeezenet-1.0", { width: 0.25 }),
  "8-bit integers": () => paredBy("quantize-int8", "residual"),
  codebooks: () => paredBy("cluster-weights", "residual"),
  densenet: () => zoo("densenet", { depth: 22, growth: 4 }),
};

describe.skipIf(chromiumFile === undefined)(`in a browser ${needsChromium}`, () => {
  let browser: Browser;
  let server: Server;
  let folder: string;
  const url = (path: string) => `http://localhost:${(server.address() as AddressInfo).port}/${path}`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "netpare-browser-"));
    await writeFile(join(folder, "blank.html"), '<!doctype html><meta charset="utf-8"><title>blank</title>');
    await writeFile(
      join(folder, "worker.mjs"),
      `onmessage = async ({ data }) => postMessage(await (${answering})(...data));`,
    );
    const { serve }: { serve: (options: { model: string }) => Promise<Server> } = await import(
      new URL("../../examples/browser/serve.mjs", import.meta.url).href
    );
    server = await serve({ model: folder });
    browser = await openChromium();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** What a page and a worker of it answer. */
  async function answersOf(page: Page, variant: string): Promise<{ page: Answer; worker: Answer }> {
    // A module is run once a page: each variant has a page of its own.
    await page.goto(url("model/blank.html"));
    const given = [url("model/network.mjs"), variant, 2] as const;
    return {
      page: await page.evaluate(`(${answering})(...${JSON.stringify(given)})`),
      worker: await page.evaluate(`new Promise((resolve, reject) => {
        const worker = new Worker("worker.mjs", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(${JSON.stringify(given)});
      })`),
    };
  }

  async function compare(graph: Graph): Promise<void> {
    const { code } = await moduleOf(graph);
    await writeFile(join(folder, "network.mjs"), code);
    const inNode = await answerInNode(code, "plain");
    const page = await browser.newPage();
    const plain = await answersOf(page, "plain");
    expect(plain.page).toEqual(inNode);
    expect(plain.worker).toEqual(inNode);
    const own = await answersOf(page, "own");
    await page.close();
    const scale = Math.max(...inNode.values.map(Math.abs));
    for (const answer of Object.values(own)) {
      expect(answer.variant).toBe("relaxed");
      const errors = answer.values.map((value, i) => Math.abs(value - inNode.values[i]!) / scale);
      expect(Math.max(...errors)).toBeLessThan(1e-4);
      expect(answer.values.length).toBe(inNode.values.length);
    }
  }

  it.each(Object.keys(networks))("%s answers as in Node, bit by bit", async (name) => compare(await networks[name]!()));

  it.skipIf(!haveSharedModels).each(sharedModelNames)(
    `%s answers as in Node, bit by bit ${needsShared}`,
    async (name) => compare(await sharedModel(name)),
  );

  it("the example's page classifies faces, and times them beside onnxruntime-web", async () => {
    const preprocessing = { scale: 1 / 255, mean: [0.5], std: [0.5], channels: "rgb" as const };
    const plain = zoo("faces-net", { width: 8, channels: 3 });
    const graph = withPreprocessing(withClasses(plain, EXPRESSIONS), preprocessing);
    await writeFile(join(folder, "faces.mjs"), (await moduleOf(graph)).code);
    await writeModel(join(folder, "faces.onnx"), graph);
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(url(""));
    await page.locator("html[data-measured]").waitFor();
    expect(complaints).toEqual([]);
    const cells = await page.locator("td").allTextContents();
    expect(cells).toHaveLength(6);
    for (const cell of cells) expect(cell).toMatch(/^[\d.]+ (kB|MB|ms)$/);
    expect(await page.locator("#ratio").textContent()).toMatch(
      /times smaller, [\d.]+ times sooner, [\d.]+ times faster/,
    );
    expect(await page.locator("#ranking li span:first-child").allTextContents()).toHaveLength(8);
    await page.getByRole("button", { name: "surprise" }).click();
    expect(await page.locator("#truth").textContent()).toBe("drawn as surprise");
    await page.close();
  });
});
