/** The table of ranks: a folder of `src/` imports only folders of a lower rank, and itself. `docs/architecture.md` shows it. */
export const ranks: Readonly<Record<string, number>> = {
  tensor: 0,
  files: 1,
  graph: 1,
  math: 1,
  codec: 1,
  ops: 2,
  analysis: 3,
  passes: 3,
  autodiff: 3,
  format: 3,
  onnx: 3,
  data: 4,
  zoo: 4,
  methods: 4,
  memory: 4,
  runtime: 4,
  bundle: 5,
  engine: 5,
  report: 6,
  pipeline: 7,
  cli: 8,
};

/** Folders that may import less than their rank allows: `folder` or `folder/file.ts`. */
export const onlyImports: Readonly<Record<string, readonly string[]>> = {
  runtime: ["tensor", "codec", "format/read.ts", "format/read-pare.ts"],
  bundle: ["tensor", "runtime", "format/read-pare.ts", "data/preprocessing.ts"],
  zoo: ["tensor", "graph", "ops"],
};

/** Folders that a folder may not import although its rank would allow it. */
export const neverImports: Readonly<Record<string, readonly string[]>> = {
  methods: ["onnx"],
};

/** The one file that may import onnxruntime. */
export const engineDoor = "engine/session.ts";
