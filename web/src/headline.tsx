/** The result in one sentence. */

import type { Report } from "../../src/report/schema.ts";
import { headlineClauses } from "../../src/report/summary.ts";

/** `ResNet-32 on CIFAR-10: 6.2× smaller, 3.1× faster, −0.4 points`. */
export function Headline({ report }: { readonly report: Report }) {
  const clauses = headlineClauses(report);
  return (
    <h1>
      <span class="subject">{report.title}:</span>{" "}
      {clauses.map(({ figure, text, verdict }, index) => (
        <span key={index} class="clause">
          <span class={`figure ${verdict}`}>{figure}</span>
          {text === "" ? "" : ` ${text}`}
          {index < clauses.length - 1 ? ", " : ""}
        </span>
      ))}
    </h1>
  );
}
