/**
 * Bundles the runtime, once the kernels and dist/ are built. dist/runtime.js, for `netpare/runtime`, is its loader.
 * dist/bundle/parts.json has it in pieces, from which `netpare export --to mjs` puts a network's own module together without a bundler.
 * A piece is a function's body that takes what it imports and returns what it exports. Operators, forms of layers and decoders are
 * pieces of their own, so that a module leaves out those that its network does not use.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { operators } from "../dist/runtime/operators/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = `${root}src/`;
const nameOf = (file) => basename(file, ".ts");
const inOperators = readdirSync(`${source}runtime/operators`).map((file) => `runtime/operators/${file}`);

/** Files of operators, which a module names in a table. */
const operatorFiles = inOperators.filter(
  (file) => /\/[a-z][^/]*\.ts$/.test(file) && !/\/(index|usual)\.ts$/.test(file),
);
/** Files that the others reach through a door: a function of one that a module leaves out answers undefined. */
const doorFiles = [
  "codec/huffman-decoder.ts",
  "codec/packed-bits.ts",
  "codec/symbols-decoder.ts",
  "tensor/half.ts",
  "runtime/prepare-image.ts",
  "runtime/rank-classes.ts",
  "runtime/concat-place.ts",
  "runtime/kernels/pack-sparse.ts",
  "runtime/make-hashed.ts",
  "runtime/widen-bytes.ts",
  "runtime/operators/_multiply.ts",
  "runtime/operators/_parts.ts",
  "runtime/operators/_pooled-conv.ts",
  ...inOperators.filter((file) => /\/_[^/]*-layer\.ts$/.test(file)),
];

/** By ONNX's name: the piece that has an operator, and what it is called there. */
async function findOperators() {
  const found = {};
  for (const file of operatorFiles) {
    const made = await import(`../dist/${file.replace(/\.ts$/, ".js")}`);
    for (const [op, operator] of operators)
      for (const [name, value] of Object.entries(made)) if (value === operator) found[op] = [nameOf(file), name];
  }
  for (const op of operators.keys()) if (!(op in found)) throw new Error(`no file in operators/ exports ${op}`);
  return found;
}

/** Puts doors in the place of some files, for all that import them. */
const doors = {
  name: "netpare-doors",
  enforce: "pre",
  async resolveId(id, importer, { isEntry }) {
    if (isEntry || importer === undefined) return null;
    const resolved = await this.resolve(id, importer, { skipSelf: true });
    return resolved && doorFiles.some((file) => resolved.id === source + file) ? `\0door:${resolved.id}` : null;
  },
  async load(id) {
    if (!id.startsWith("\0door:")) return null;
    const file = id.slice("\0door:".length);
    const made = await import(file.replace(source, `${root}dist/`).replace(/\.ts$/, ".js"));
    const piece = JSON.stringify(nameOf(file));
    const door = ([name, value]) =>
      typeof value === "function"
        ? `export const ${name} = (...given) => pieces[${piece}]?.${name}(...given);`
        : `export const ${name} = ${JSON.stringify(value)};`;
    return { code: Object.entries(made).map(door).join("\n"), moduleType: "js" };
  },
};

/** Checks of the file in these folders are left out: its bytes were checked when the module was made, and stand in it. */
const trusting = /\/src\/(codec|format|runtime\/operators|runtime\/build\.ts)/;
const isThrow = ({ type, body }) =>
  type === "ThrowStatement" || (type === "BlockStatement" && body[0]?.type === "ThrowStatement");
const isCheck = (node) => node.type === "IfStatement" && node.alternate === null && isThrow(node.consequent);

/** Functions that only check, or count what checks compare: a statement that calls one is a check. */
const checking = new Set("bound checkBytes checkConv checkProgram hold oneImage spend".split(" "));
const nameOfCall = ({ callee }) => callee?.name ?? callee?.property?.name;
const isCheckCall = ({ type, expression }) =>
  type === "ExpressionStatement" && expression.type === "CallExpression" && checking.has(nameOfCall(expression));
/** `build.output(node, shape)` compares shapes and gives the node's output. */
const isOutput = (node) =>
  node.type === "CallExpression" && nameOfCall(node) === "output" && node.arguments.length === 2;

/** Properties of the runtime's own objects that get short names, as minifiers do for variables: nobody else sees them. */
const inner = new Set(
  (
    "above act address arenaStart dims dtype opset passing putRows scales stored table tensors arenaBytes attributes begin begun channelBytes column columns contexts decodable defer deferred density descend edges elementBytes finished fixed flagMask " +
    "folded fused half held isByte isConstant isReady keepAlive layOut limit offset onlyReader operands perImage places planes position program range rawBits readers region regions " +
    "residual rowBytes scratch side storedBytes streams symbolContent takes texts writer writers"
  ).split(" "),
);
// What stands in a string may be a property's name.
const comments = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
for (const file of readdirSync(source, { recursive: true, encoding: "utf8" }))
  if (/^(bundle|codec|format|runtime|tensor)\/(?!.*(generated|assembly)).*\.ts$/.test(file))
    for (const [, name] of readFileSync(source + file, "utf8")
      .replace(comments, "")
      .matchAll(/["'`](\w+)["'`]/g))
      inner.delete(name);
const shortNames = new Map([...inner].map((name, i) => [name, `_${i.toString(36)}`]));
const shortOf = (name) => shortNames.get(name) ?? name;
const keyed = new Set(["Property", "MethodDefinition", "PropertyDefinition"]);

/** What to write in the place of parts of a source: nothing for checks where `trusted`, short names for inner properties. */
function* editsOf(node, trusted) {
  if (node === null || typeof node !== "object") return;
  if (trusted && (isCheck(node) || isCheckCall(node))) yield [node.start, node.end, ";"];
  else if (trusted && isOutput(node)) yield [node.start, node.end, `${node.arguments[0].name}.outputs[0]`];
  else if (keyed.has(node.type) && !node.computed && shortOf(node.key.name) !== node.key.name) {
    const { key, shorthand, value } = node;
    yield [key.start, shorthand ? key.start : key.end, shortOf(key.name) + (shorthand ? ":" : "")];
    yield* editsOf(value, trusted);
  } else if (node.type === "MemberExpression" && !node.computed && shortOf(node.property.name) !== node.property.name) {
    yield* editsOf(node.object, trusted);
    yield [node.property.start, node.property.end, shortOf(node.property.name)];
  } else for (const part of Object.values(node)) yield* editsOf(part, trusted);
}

/** Shortens sources before they are minified; `trusts` says of which files the checks may go. */
const shrinkSource = (trusts) => ({
  name: "netpare-shrink-source",
  transform: {
    order: "post",
    handler(code, id) {
      if (id.startsWith("\0")) return undefined;
      let text = code;
      const edits = [...editsOf(this.parse(code), trusts(id))].sort(([a], [b]) => b - a);
      for (const [start, end, instead] of edits) text = text.slice(0, start) + instead + text.slice(end);
      return { code: text, map: null };
    },
  },
});

const esModule = { format: "es", minify: true, entryFileNames: "[name].js", chunkFileNames: "shared-[hash].js" };

/** The chunks of some entries, minified. */
async function bundle(entry, plugins, more) {
  const rolldownOptions = { preserveEntrySignatures: "strict", ...more, output: { ...esModule, ...more.output } };
  // A library's, whose imports wait for nothing else of a page.
  const options = { write: false, target: "es2022", minify: "oxc", lib: { entry, formats: ["es"] }, rolldownOptions };
  const [{ output }] = await build({ root, plugins, configFile: false, logLevel: "error", build: options });
  return output;
}

function bundlePieces() {
  const input = { main: `${source}bundle/open-module.ts` };
  for (const file of [...operatorFiles, ...doorFiles]) input[nameOf(file)] = source + file;
  const treeshake = {
    moduleSideEffects: false,
    propertyReadSideEffects: false,
    manualPureFunctions: ["checksum", "checkAlphabet", "badFile", "unsupported", "broadcast", "sizeOf"],
  };
  return bundle(input, [doors, shrinkSource((id) => trusting.test(id))], { treeshake });
}

const importing = /^import(?:\{([^}]*)\}from)?"\.\/([\w-]+)\.js";/;
const exporting = /export\{([^}]*)\}(?:from"\.\/([\w-]+)\.js")?;?\s*$/;
const renames = (list) =>
  (list ?? "")
    .split(",")
    .filter((entry) => entry !== "")
    .map((entry) => entry.split(" as "));

/** A chunk as a function's body: `pieces` holds what the other pieces returned. */
function pieceOf({ code, exports }) {
  const needs = [];
  let [head, rest] = ["", code.trim()];
  for (let match = importing.exec(rest); match; match = importing.exec(rest)) {
    rest = rest.slice(match[0].length);
    const names = renames(match[1]).map(([from, to = from]) => (from === to ? from : `${from}:${to}`));
    needs.push(match[2]);
    if (names.length > 0) head += `const{${names}}=pieces["${match[2]}"];`;
  }
  const list = exporting.exec(rest);
  if (list === null) throw new Error(`a piece ends without exports: ${rest.slice(-200)}`);
  // Notes to bundlers, which this is not for.
  const body = rest.slice(0, list.index).replaceAll(/\/\* ?[@#]__PURE__ ?\*\/ ?/g, "");
  if (/\b(import|export)\b[^.]/.test(body)) throw new Error("a piece imports or exports in its midst");
  const elsewhere = list[2] === undefined ? "" : `pieces["${list[2]}"].`;
  if (list[2] !== undefined) needs.push(list[2]);
  const names = renames(list[1]).map(([from, to = from]) => `${to}:${elsewhere}${from}`);
  if (/<\/script|<!--/.test(body)) throw new Error("a piece would end a script in a page");
  if (names.length !== exports.length) throw new Error(`a piece exports ${exports}, and returns ${names}`);
  return { needs, code: `${head}${body}return{${names}}` };
}

/** The pieces by name, in whose code `$` holds them by short names, `id`. */
function shorten(pieces) {
  const names = Object.keys(pieces);
  const idOf = (name) => `p${names.indexOf(name).toString(36)}`;
  const reference = /\bpieces(?:\[["`]([\w-]+)["`]\]|\.([\w$]+))/g;
  const shortened = Object.entries(pieces).map(([name, { needs, code }]) => {
    const short = code.replace(reference, (_, quoted, plain) => `$.${idOf(quoted ?? plain)}`);
    if (/\bpieces\b/.test(short)) throw new Error("a piece reaches others in a way that is not known");
    return [name, { id: idOf(name), needs, code: short }];
  });
  return Object.fromEntries(shortened);
}

const long = {};
for (const chunk of await bundlePieces()) long[chunk.fileName.replace(/\.js$/, "")] = pieceOf(chunk);
const pieces = shorten(long);
const parts = { operators: await findOperators(), doors: doorFiles.map(nameOf), pieces };
mkdirSync(`${root}dist/bundle`, { recursive: true });
writeFileSync(`${root}dist/bundle/parts.json`, JSON.stringify(parts));
const bytes = Object.values(pieces).reduce((sum, { code }) => sum + code.length, 0);
console.log(`module parts: ${Object.keys(pieces).length} pieces, ${bytes} B`);

// The loader by itself, and beside it what it fetches: the kernels, and what few networks need.
for (const file of readdirSync(`${root}dist`)) if (/^runtime.*\.js$/.test(file)) rmSync(`${root}dist/${file}`);
const files = await bundle({ runtime: `${source}runtime/index.ts` }, [shrinkSource(() => false)], {
  preserveEntrySignatures: "allow-extension",
  output: { chunkFileNames: "runtime-[name].js" },
});
for (const { fileName, code } of files) {
  writeFileSync(`${root}dist/${fileName}`, code);
  console.log(`dist/${fileName}: ${code.length} B, gzip ${gzipSync(code, { level: 9 }).length} B`);
}
