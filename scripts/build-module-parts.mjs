/**
 * Writes dist/bundle/parts.json: the runtime in minified pieces, from which `netpare export --to mjs` puts a network's own module
 * together without a bundler. A piece is a function's body that takes what it imports and returns what it exports; an operator's
 * file is a piece, and what several share. Run after the kernels and dist/ are built.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { operators } from "../dist/runtime/operators/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}src/runtime/operators`;
const entryOf = (file) => basename(file, ".ts");
const files = readdirSync(folder).filter((file) => /^[a-z].*\.ts$/.test(file) && file !== "index.ts");

/** By ONNX's name: the piece that has an operator, and what it is called there. */
async function findOperators() {
  const found = {};
  for (const file of files) {
    const made = await import(`../dist/runtime/operators/${entryOf(file)}.js`);
    for (const [op, operator] of operators)
      for (const [name, value] of Object.entries(made)) if (value === operator) found[op] = [entryOf(file), name];
  }
  for (const op of operators.keys()) if (!(op in found)) throw new Error(`no file of ${folder} exports operator ${op}`);
  return found;
}

/** Checks of the file in these folders are left out: its bytes were checked when the module was made, and stand in it. */
const trusting = /\/src\/(codec|format|runtime\/operators|runtime\/build\.ts)/;

const isThrow = ({ type, body }) =>
  type === "ThrowStatement" || (type === "BlockStatement" && body[0]?.type === "ThrowStatement");
const isCheck = (node) => node.type === "IfStatement" && node.alternate === null && isThrow(node.consequent);

function* checksIn(node) {
  if (Array.isArray(node)) for (const inner of node) yield* checksIn(inner);
  else if (node !== null && typeof node === "object") {
    if (isCheck(node)) yield node;
    else for (const inner of Object.values(node)) yield* checksIn(inner);
  }
}

const leaveChecksOut = {
  name: "netpare-leave-checks-out",
  transform: {
    order: "post",
    handler(code, id) {
      if (!trusting.test(id)) return undefined;
      let text = code;
      for (const { start, end } of [...checksIn(this.parse(code))].reverse())
        text = `${text.slice(0, start)};${text.slice(end)}`;
      return { code: text, map: null };
    },
  },
};

async function bundle() {
  const input = { main: `${root}src/bundle/open-module.ts` };
  for (const file of files) input[entryOf(file)] = `${folder}/${file}`;
  const output = {
    format: "es",
    minify: true,
    entryFileNames: "[name].js",
    chunkFileNames: "shared-[hash].js",
  };
  const treeshake = { manualPureFunctions: ["checksum", "badFile", "unsupported"] };
  const rolldownOptions = { plugins: [leaveChecksOut], treeshake, input, preserveEntrySignatures: "strict", output };
  const options = { write: false, target: "es2022", minify: "oxc", modulePreload: false, rolldownOptions };
  return (await build({ root, configFile: false, logLevel: "error", build: options })).output;
}

const importing = /^import(?:\{([^}]*)\}from)?"\.\/([\w-]+)\.js";/;
const exporting = /export\{([^}]*)\};?\s*$/;
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
  const body = rest.slice(0, list.index);
  if (/\b(import|export)\b[^.]/.test(body)) throw new Error("a piece imports or exports in its midst");
  const names = renames(list[1]).map(([from, to = from]) => (from === to ? from : `${to}:${from}`));
  if (/<\/script|<!--/.test(body)) throw new Error("a piece would end a script in a page");
  if (names.length !== exports.length) throw new Error(`a piece exports ${exports}, and returns ${names}`);
  return { needs, code: `${head}${body}return{${names}}` };
}

const pieces = {};
for (const chunk of await bundle()) pieces[chunk.fileName.replace(/\.js$/, "")] = pieceOf(chunk);
const parts = { operators: await findOperators(), pieces };
mkdirSync(`${root}dist/bundle`, { recursive: true });
writeFileSync(`${root}dist/bundle/parts.json`, JSON.stringify(parts));
const bytes = Object.values(pieces).reduce((sum, { code }) => sum + code.length, 0);
console.log(`module parts: ${Object.keys(pieces).length} pieces, ${bytes} B`);
