/** Holds the import rules of `ranks.ts` and the form of every source file. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { engineDoor, neverImports, onlyImports, ranks } from "./ranks.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "src");

interface SourceFile {
  /** Relative to `src/`, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function importsOf(text: string): string[] {
  const clauses = /(?:^|\n)\s*(?:import|export)\b[^;"'`]*?["']([^"'\n]+)["']|\bimport\(\s*["']([^"'\n]+)["']\s*\)/g;
  return [...text.matchAll(clauses)].map((match) => match[1] ?? match[2] ?? "");
}

const files: readonly SourceFile[] = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => {
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, "utf8");
    return { path: relative(source, file).replaceAll("\\", "/"), text, imports: importsOf(text) };
  });

const written = files.filter(({ path }) => !path.endsWith("_pb.ts"));
const folderOf = (path: string) => (path.includes("/") ? path.slice(0, path.indexOf("/")) : "");

/** Imports of other source files, as paths relative to `src/`. */
const internal = files.flatMap(({ path, imports }) =>
  imports.filter((name) => name.startsWith(".")).map((name) => ({ from: path, to: posix.join(dirname(path), name) })),
);

/** Imports that break the table of ranks, a line each. */
function brokenRanks(edges: readonly { from: string; to: string }[]): string[] {
  return edges.flatMap(({ from, to }) => {
    const [a, b] = [folderOf(from), folderOf(to)];
    if (a === b || a === "") return [];
    const say = (rule: string) => [`src/${from} imports src/${to}: ${rule}`];
    if (b === "") return say("a folder does not import the files above it");
    const [p, q] = [ranks[a], ranks[b]];
    if (p === undefined || q === undefined) return say("the table of ranks lacks one of the folders");
    if (q >= p) return say(`rank ${p} imports only ranks below ${p}, and this is ${q}`);
    const only = onlyImports[a];
    if (only && !only.includes(b) && !only.includes(to)) return say(`${a} imports only ${only.join(", ")}`);
    if (neverImports[a]?.includes(b)) return say(`${a} never imports ${b}`);
    return [];
  });
}

describe("the table of ranks", () => {
  it("finds the imports", () => {
    const text =
      'import a from "./a.ts";\nimport {\n  b,\n} from "./b.ts";\nexport * from "./c.ts";\nawait import("./d.ts");';
    expect(importsOf(text)).toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts"]);
    expect(internal.length).toBeGreaterThan(50);
  });

  it("notices an import that breaks it", () => {
    expect(brokenRanks([{ from: "graph/graph.ts", to: "ops/add.ts" }])).toHaveLength(1);
    expect(brokenRanks([{ from: "ops/add.ts", to: "onnx/index.ts" }])).toHaveLength(1);
    expect(brokenRanks([{ from: "methods/distill.ts", to: "onnx/index.ts" }])).toHaveLength(1);
    expect(brokenRanks([{ from: "runtime/load.ts", to: "format/write.ts" }])).toHaveLength(1);
    expect(brokenRanks([{ from: "elsewhere/file.ts", to: "tensor/tensor.ts" }])).toHaveLength(1);
    expect(brokenRanks([{ from: "engine/train.ts", to: "methods/define-method.ts" }])).toEqual([]);
  });

  it("holds for every import", () => {
    expect(brokenRanks(internal)).toEqual([]);
  });

  it("is the table in docs/architecture.md", () => {
    const text = readFileSync(join(root, "docs/architecture.md"), "utf8");
    const rows = [...text.matchAll(/^\| `([a-z]+)\/` \| (\d) \|/gm)].map((row) => [row[1], Number(row[2])]);
    expect(Object.fromEntries(rows)).toEqual(ranks);
    expect(text.split("\n").length).toBeLessThanOrEqual(150);
  });

  it("has every folder of src", () => {
    const folders = new Set(files.map(({ path }) => folderOf(path)).filter((folder) => folder !== ""));
    expect([...folders].filter((folder) => !(folder in ranks))).toEqual([]);
  });
});

describe("doors", () => {
  it(`only ${engineDoor} imports onnxruntime`, () => {
    const importers = files.filter(({ imports }) => imports.some((name) => name.startsWith("onnxruntime")));
    expect(importers.map(({ path }) => path)).toEqual([engineDoor]);
  });

  it("a method imports no other method", () => {
    const own = (path: string) => folderOf(path) === "methods" && path !== "methods/index.ts";
    const isMethod = (path: string) => own(path) && !/\/(_[^/]*|define-method)\.ts$/.test(path);
    expect(internal.filter(({ from, to }) => own(from) && (isMethod(to) || to === "methods/index.ts"))).toEqual([]);
  });

  it("_files are imported only from their own folder", () => {
    const isPrivate = (path: string) => posix.basename(path).startsWith("_");
    expect(internal.filter(({ from, to }) => isPrivate(to) && dirname(from) !== dirname(to))).toEqual([]);
  });

  it("clocks, the environment and unseeded randomness stay out of what must be reproducible", () => {
    const allowed = new Set(["engine", "pipeline", "cli"]);
    const clock = /\bDate\.now\b|\bperformance\.now\b|\bprocess\.(env|hrtime)\b|\bnew Date\(\)/;
    expect(
      written.filter(({ path, text }) => !allowed.has(folderOf(path)) && clock.test(text)).map((f) => f.path),
    ).toEqual([]);
    expect(written.filter(({ text }) => /\bMath\.random\b/.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

describe("every source file", () => {
  it("opens with a head comment of at most 12 lines", () => {
    const headless = written.filter(({ text }) => {
      const head = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[0];
      return head === undefined || head.replace(/^#!.*\n/, "").split("\n").length > 12;
    });
    expect(headless.map(({ path }) => path)).toEqual([]);
  });

  it("has no any", () => {
    const any = /(?::\s*|\bas\s+|<|\|\s*)any\b(?!\s*[a-z])/;
    const code = (text: string) =>
      text
        .replace(/\/\*[\s\S]*?\*\//g, "")
        .replace(/\/\/.*$/gm, "")
        .replace(/(["'`])(?:\\.|(?!\1)[^\\\n])*\1/g, '""');
    expect(any.test(code("const x: any = 1;"))).toBe(true);
    expect(written.filter(({ text }) => any.test(code(text))).map(({ path }) => path)).toEqual([]);
  });

  it("is named in kebab-case", () => {
    const name = /^_?[a-z0-9]+(-[a-z0-9]+)*(_pb|\.d)?\.ts$/;
    expect(files.filter(({ path }) => !name.test(posix.basename(path))).map(({ path }) => path)).toEqual([]);
  });
});

describe("the documents", () => {
  const read = (file: string) => readFileSync(join(root, file), "utf8");

  it("give a reason for each dependency", () => {
    const { dependencies, devDependencies } = JSON.parse(read("package.json"));
    const rows = [...read("docs/dependencies.md").matchAll(/^\| ([^|]+) \| .{4,} \|$/gm)];
    const explained = rows.slice(1).flatMap((row) => row[1]!.split(",").map((name) => name.trim()));
    expect(explained.sort()).toEqual([...Object.keys({ ...dependencies, ...devDependencies })].sort());
  });

  it("lock every platform's packages, or npm ci refuses (mend with: node scripts/complete-lock.mjs)", () => {
    const { packages } = JSON.parse(read("package-lock.json"));
    const optional = Object.values<{ optionalDependencies?: object }>(packages).flatMap((entry) =>
      Object.keys(entry.optionalDependencies ?? {}),
    );
    expect(optional.length).toBeGreaterThan(20);
    expect(optional.filter((name) => packages[`node_modules/${name}`] === undefined)).toEqual([]);
  });

  it("name the command that continuous integration runs", () => {
    expect(read("README.md")).toContain("npm ci && npm test");
    expect(read(".ci/run")).toMatch(/npm ci[^\n]*\nnpm test\n/);
  });
});
