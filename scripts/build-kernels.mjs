/**
 * Compiles each kernel of src/runtime/kernels/assembly (one file, one WebAssembly module that imports `env.memory`) twice, with plain
 * and with relaxed SIMD, and writes src/runtime/kernels/generated.ts: base64 by variant and name. A kernel whose two variants are the
 * same is written once, as plain. Prints the sizes and exits 1 where a variant's kernels together outgrow their budget.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const folder = fileURLToPath(new URL("../src/runtime/kernels/", import.meta.url));
const assembly = join(folder, "assembly");
const target = join(folder, "generated.ts");
const budget = { rawBytes: 24 * 1024, gzipBytes: 9 * 1024 };
const flags = [
  ..."-O3 --noAssert --runtime stub --importMemory --noExportMemory --use abort= --enable simd".split(" "),
  ..."--disable mutable-globals".split(" "),
];
const variants = { plain: [], relaxed: ["--enable", "relaxed-simd"] };

/** True where generated.ts is younger than every source and this script. */
function upToDate() {
  if (!existsSync(target)) return false;
  const made = statSync(target).mtimeMs;
  const sources = [...readdirSync(assembly).map((file) => join(assembly, file)), fileURLToPath(import.meta.url)];
  return sources.every((file) => statSync(file).mtimeMs < made);
}

async function compile() {
  const { default: asc } = await import("assemblyscript/asc");
  const names = readdirSync(assembly)
    .filter((file) => file.endsWith(".ts") && !file.startsWith("_"))
    .map((file) => file.slice(0, -3))
    .sort();
  const out = mkdtempSync(join(tmpdir(), "kernels-"));
  const built = { plain: new Map(), relaxed: new Map() };
  try {
    for (const [variant, extra] of Object.entries(variants)) {
      mkdirSync(join(out, variant));
      for (const name of names) {
        const file = join(out, variant, `${name}.wasm`);
        const { error, stderr } = await asc.main([join(assembly, `${name}.ts`), "-o", file, ...flags, ...extra]);
        if (error !== null) throw new Error(`${name}: ${error.message}\n${stderr.toString()}`);
        built[variant].set(name, readFileSync(file));
      }
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
  return built;
}

/** `global-average.ts` exports `globalAverage`, and that is the kernel's name. */
const camelCase = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

function table(kernels) {
  const lines = [...kernels].map(([name, bytes]) => `    ${camelCase(name)}: "${bytes.toString("base64")}",`);
  return `{\n${lines.join("\n")}\n  }`;
}

/** Prints the sizes and says whether both variants keep within the budget. */
function weigh(built) {
  let holds = true;
  for (const [variant, kernels] of Object.entries(built)) {
    const all = Buffer.concat([...kernels.values()]);
    const gzipBytes = gzipSync(all, { level: 9 }).length;
    const within = all.length <= budget.rawBytes && gzipBytes <= budget.gzipBytes;
    holds &&= within;
    const each = [...kernels].map(([name, bytes]) => `${name} ${bytes.length}`).join(", ");
    console.log(`kernels, ${variant}: ${all.length} B, gzip ${gzipBytes} B${within ? "" : "  OVER BUDGET"} (${each})`);
  }
  return holds;
}

if (!upToDate() || process.argv.includes("--force")) {
  const built = await compile();
  const relaxed = new Map([...built.relaxed].filter(([name, bytes]) => !bytes.equals(built.plain.get(name))));
  const head = "/** WebAssembly of the kernels in base64, written by scripts/build-kernels.mjs. */";
  const text = `${head}\nexport const modules = {\n  plain: ${table(built.plain)},\n  relaxed: ${table(relaxed)},\n};\n`;
  if (!weigh(built)) process.exitCode = 1;
  else writeFileSync(target, text);
}
