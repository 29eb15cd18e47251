/** The text of `docs/operators.md`: what netpare knows of each operator, and how ONNX's operator tests came out. */
import type { Operator } from "../../src/ops/define-op.ts";
import { operators } from "../../src/ops/registry.ts";
import type { NodeTestResult } from "./onnx-node-tests.ts";

/** The support table for results of ONNX's operator tests. */
export function supportTable(results: readonly NodeTestResult[]): string {
  const count = (status: NodeTestResult["status"]) => results.filter((result) => result.status === status).length;
  const reasons = results.filter(({ status }) => status === "not supported").map(({ reason }) => briefly(reason ?? ""));
  return `# Operators

Made by \`npm run docs:operators\` from the registry (\`src/ops/registry.ts\`) and from ONNX's own operator tests.

- *Shapes*: output types are inferred, dynamic dimensions included.
- *MACs*: multiply-accumulates are counted; other operators count none.
- *Channels*: how channel indices run through the operator is known, so that pruning can pass it; "pinned" means that no
  channel it touches is removed.
- *Gradient*: "yes", "zero" (constant almost everywhere, or no float output), or why there is none.
- *Tests*: ONNX's operator tests that hold it and pass, in inference of types and in the reference (relative tolerance 1e-3,
  absolute 1e-7). Every operator is also checked against onnxruntime, its gradient against central differences.

| operator | shapes | MACs | channels | gradient | tests |
|---|---|---|---|---|---|
${operators.map((operator) => row(operator, results)).join("\n")}

## ONNX's operator tests

${results.length} tests: ${count("passed")} passed, ${count("not supported")} not supported, ${count("failed")} failed.

| not supported because of | tests |
|---|---|
${tally(reasons)
  .map(([reason, n]) => `| ${reason} | ${n} |`)
  .join("\n")}
`;
}

function row(operator: Operator, results: readonly NodeTestResult[]): string {
  const passed = results.filter(({ status, operators: used }) => status === "passed" && used.includes(operator.op));
  return `| ${[
    operator.domain === "" ? operator.op : `${operator.domain}.${operator.op}`,
    "yes",
    operator.countsMacs ? "yes" : "",
    operator.link ? "yes" : "pinned",
    gradient(operator),
    passed.length || "",
  ].join(" | ")} |`;
}

function gradient({ differentiable, constantAlmostEverywhere }: Operator): string {
  if (differentiable !== true) return `no: ${differentiable.notDifferentiable}`;
  return constantAlmostEverywhere ? "zero" : "yes";
}

/** A reason without the names of values. */
function briefly(reason: string): string {
  const type = /has type (\w+)/.exec(reason)?.[1];
  return type === undefined ? reason.replace(/^\w+ '[^']*':? /, "") : `element type ${type}`;
}

function tally(items: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts].sort(([a, p], [b, q]) => q - p || a.localeCompare(b));
}
