/** The recipe that makes the run again. */

import type { Report } from "../../src/report/schema.ts";

/** Folded; JSON, which a YAML reader takes as it is. */
export function Recipe({ report }: { readonly report: Report }) {
  return (
    <details class="recipe">
      <summary>Recipe, to make this run again</summary>
      <pre>
        <code>{JSON.stringify(report.recipe, null, 2)}</code>
      </pre>
    </details>
  );
}
