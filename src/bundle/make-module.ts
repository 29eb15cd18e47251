/**
 * A network as one JavaScript module that needs nothing else: the pieces of the runtime that it uses (`scripts/build-runtime.mjs`
 * makes them), its kernels in both variants, deflated together, and its `.pare` file, both as text. All that the file says stays coded,
 * so nothing in it can end a string or a script.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { readClasses, readPreprocessing } from "../data/preprocessing.ts";
import { readPare } from "../format/read-pare.ts";
import { CompiledKernels, type KernelModules, type KernelName, kernelModules } from "../runtime/kernels/index.ts";
import { loadWith, type Network } from "../runtime/load-with.ts";
import { byteOperators, forms, makeHashed, operators, widenBytes } from "../runtime/operators/index.ts";
import { NetpareError } from "../tensor/error.ts";
import type { KernelSizes } from "./open-module.ts";
import { encodeText } from "./text-bytes.ts";

const partsUrl = new URL("../../dist/bundle/parts.json", import.meta.url);

/** Pieces that a module leaves out where its network has none of their layers, and what they are reached by. */
const layerForms = [
  ["_int8-layer", "int8Form"],
  ["_binary-layer", "binaryForm"],
] as const;
const codebookPiece = "_codebook-layer";
const widening = ["widen-bytes", "widenBytes"] as const;
const making = ["make-hashed", "makeHashed"] as const;

/** As the build script writes it. */
interface ModuleParts {
  /** By ONNX's name: the piece that has an operator, and what it is called there. */
  readonly operators: Readonly<Record<string, readonly [piece: string, name: string]>>;
  /** Pieces that a module may leave out, because the others reach them through doors. */
  readonly doors: readonly string[];
  /** Function bodies of `$`, which holds by `id` what those that they need returned. */
  readonly pieces: Readonly<Record<string, Piece>>;
}

interface Piece {
  readonly id: string;
  readonly needs: readonly string[];
  readonly code: string;
}

/** A module and its types. */
export interface NetworkModule {
  /** JavaScript. */
  readonly code: string;
  /** TypeScript declarations of `code`. */
  readonly types: string;
  /** False where the file holds no preprocessing, or the network reads no single image: then the module has no `classify`. */
  readonly classifies: boolean;
}

/**
 * The module of a `.pare` file.
 * @throws NetpareError where the runtime cannot run it; `io` where the runtime's pieces have not been built.
 */
export async function makeModule(pare: Uint8Array): Promise<NetworkModule> {
  const parts = readParts();
  const { network, ops, kernels } = await findUsed(pare);
  const classifies = canClassify(network);
  const [packed, sizes] = packKernels(kernels);
  const table = [...ops].map((op) => [op, parts.operators[op]!] as const);
  const wanted = [
    "main",
    ...table.map(([, [piece]]) => piece),
    ...(classifies ? ["prepare-image", "rank-classes"] : []),
  ];
  const idOf = (name: string) => parts.pieces[name]!.id;
  const call = (has: (piece: string) => boolean) => {
    const reach = ([piece, name]: readonly [string, string]) => (has(piece) ? [`$.${idOf(piece)}.${name}`] : []);
    const further = [
      `layers:[${layerForms.flatMap(reach)}]`,
      ...(has(codebookPiece) ? [`codebook:$.${idOf(codebookPiece)}`] : []),
    ];
    const entries = [
      `operators:new Map([${table.map(([op, [piece, name]]) => `["${op}",$.${idOf(piece)}.${name}]`)}])`,
      `forms:{${further}}`,
      ...reach(making).map((make) => `makeHashed:${make}`),
      ...reach(widening).map(
        (widen) => `widenBytes:${widen},byteOperators:new Set(${JSON.stringify([...byteOperators])})`,
      ),
    ];
    return `$.${idOf("main")}.openModule(${[literal(pare), literal(packed), JSON.stringify(sizes), `{${entries}}`]})`;
  };
  const used = await tryDoors(
    parts,
    wanted,
    call(() => true),
  );
  const names = ["run", ...(classifies ? ["classify"] : []), "inputs", "outputs", "classes", "variant"];
  const lines = [
    "/* A network, made by netpare (Apache-2.0). */",
    "const $={};",
    ...inOrder(parts, [...wanted, ...used]).map((name) => `$.${idOf(name)}=(()=>{${parts.pieces[name]!.code}})();`),
    `export const{${names}}=await ${call((piece) => used.has(piece))};`,
  ];
  return { code: `${lines.join("\n")}\n`, types: typesOf(network, classifies), classifies };
}

/** The operators and kernels that a network uses, found by loading it. */
async function findUsed(pare: Uint8Array) {
  const ops = new Set<string>();
  const kernels = new Set<KernelName>();
  const get = (op: string) => {
    ops.add(op);
    return operators.get(op);
  };
  const modules: KernelModules = (name, variant) => {
    kernels.add(name);
    return kernelModules(name, variant);
  };
  const parts = {
    operators: { get },
    kernels: new CompiledKernels("plain", modules),
    forms,
    byteOperators,
    widenBytes,
    makeHashed,
  };
  const network = await loadWith(readPare(pare), parts);
  return { network, ops, kernels };
}

/** Loads the network as the module will, with all doors open, and tells through which it went: what is behind answered other than no. */
async function tryDoors(parts: ModuleParts, wanted: readonly string[], call: string): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  const pieces: Record<string, Record<string, unknown>> = {};
  for (const name of inOrder(parts, [...parts.doors, ...wanted])) {
    const { id, code } = parts.pieces[name]!;
    const made: Record<string, unknown> = new Function("$", code)(pieces);
    pieces[id] = parts.doors.includes(name) ? watched(made, () => used.add(name)) : made;
  }
  await new Function("$", `return ${call}`)(pieces);
  return used;
}

function watched(piece: Readonly<Record<string, unknown>>, note: () => void): Record<string, unknown> {
  const watch = (value: unknown) => {
    if (typeof value !== "function") return value;
    return (...given: readonly unknown[]) => {
      const answer: unknown = value(...given);
      if (answer !== undefined && answer !== false) note();
      return answer;
    };
  };
  return Object.fromEntries(Object.entries(piece).map(([name, value]) => [name, watch(value)]));
}

function canClassify(network: Network): boolean {
  const { inputs, outputs } = network;
  const preprocessing = readPreprocessing(network);
  if (preprocessing === undefined || inputs.length !== 1 || outputs.length === 0) return false;
  const { shape } = inputs[0]!;
  return shape.length === 4 && shape[0] === 1 && shape[1] === (preprocessing.channels === "grey" ? 1 : 3);
}

function readParts(): ModuleParts {
  const path = fileURLToPath(partsUrl);
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new NetpareError("io", `the runtime's pieces are not at ${path}; build them with: npm run build`, { cause });
  }
}

/** The pieces and all that they need, each behind what it needs. */
function inOrder({ pieces }: ModuleParts, wanted: readonly string[]): string[] {
  const order = new Set<string>();
  const add = (name: string) => {
    for (const need of pieces[name]!.needs) add(need);
    order.add(name);
  };
  for (const name of wanted) add(name);
  return [...order];
}

function packKernels(names: Iterable<KernelName>): [Uint8Array, readonly KernelSizes[]] {
  const made = [...names].map((name) => {
    const [plain, relaxed] = [kernelModules(name, "plain"), kernelModules(name, "relaxed")];
    const alike = Buffer.compare(plain, relaxed) === 0;
    return {
      sizes: [name, plain.length, alike ? 0 : relaxed.length] as const,
      bytes: alike ? [plain] : [plain, relaxed],
    };
  });
  const bytes = Buffer.concat(made.flatMap((kernel) => kernel.bytes));
  return [deflateRawSync(bytes, { level: 9 }), made.map(({ sizes }) => sizes)];
}

const literal = (bytes: Uint8Array) => `["${encodeText(bytes)}",${bytes.length}]`;

const typeLines = `
/** RGBA bytes, row by row: an ImageData. */
export interface Pixels {
  readonly data: ArrayLike<number>;
  readonly width: number;
  readonly height: number;
}

export interface RankedClass {
  readonly index: number;
  readonly name: ClassName;
  /** In [0, 1]. */
  readonly probability: number;
}

/** The classes by falling probability for an image of any size. */
export declare function classify(image: Pixels): RankedClass[];
`;

/** JSON that stays one line of TypeScript and ends no comment. */
const quoted = (text: string) =>
  JSON.stringify(text).replace(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);

function typesOf(network: Network, classifies: boolean): string {
  const { inputs, outputs } = network;
  const classes = readClasses(network) ?? [];
  const port = ({ name, shape }: Network["inputs"][number]) =>
    `{ readonly name: ${quoted(name)}; readonly shape: readonly [${shape}] }`;
  const record = (ports: Network["inputs"]) =>
    `Record<${ports.map(({ name }) => quoted(name)).join(" | ")}, Float32Array>`;
  const one = inputs.length === 1 ? "Float32Array | " : "";
  return `/** A network in one module, made by netpare. */
export type ClassName = ${classes.length > 0 ? [...new Set(classes)].map(quoted).join(" | ") : "string"};
${classifies ? typeLines : ""}
/** The outputs by name; as many images as the inputs hold, one after another. */
export declare function run(inputs: ${one}Readonly<${record(inputs)}>): ${record(outputs)};

/** Inputs and outputs, with their shapes for one image. */
export declare const inputs: readonly [${inputs.map(port).join(", ")}];
export declare const outputs: readonly [${outputs.map(port).join(", ")}];

/** In the order of the scores; empty where the file names none. */
export declare const classes: readonly ClassName[];

/** The instructions that it runs on. */
export declare const variant: "plain" | "relaxed";
`;
}
