/** What each stage did and what it skipped, in full. */

import { formatValue } from "../../src/report/format.ts";
import type { Report, Stage } from "../../src/report/schema.ts";
import { EnsembleTable } from "./ensemble.tsx";

function Skipped({ stage }: { readonly stage: Stage }) {
  if (stage.skipped.length === 0) return null;
  const list = (
    <table class="skipped">
      <thead>
        <tr>
          <th scope="col">Skipped node</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {stage.skipped.map(({ node, reason }, index) => (
          <tr key={index}>
            <td>
              <code>{node}</code>
            </td>
            <td>{reason}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
  if (stage.skipped.length <= 6) return list;
  return (
    <details>
      <summary>{stage.skipped.length} skipped nodes, with reasons</summary>
      {list}
    </details>
  );
}

function Changes({ changes }: { readonly changes: readonly string[] }) {
  if (changes.length === 0) return null;
  const list = (
    <ul class="changes">
      {changes.map((change, index) => (
        <li key={index}>{change}</li>
      ))}
    </ul>
  );
  if (changes.length <= 6) return list;
  return (
    <details>
      <summary>{changes.length} changes</summary>
      {list}
    </details>
  );
}

function StageNote({ stage }: { readonly stage: Stage }) {
  const params = Object.entries(stage.params);
  return (
    <li class="stage-note">
      <div>
        <h3>{stage.name}</h3>
        {stage.method !== null && <p class="method">{stage.method}</p>}
        <p class="file">
          <code>{stage.file}</code>
          <span class="hash" title={stage.sha256}>
            sha256 {stage.sha256.slice(0, 16)}…
          </span>
        </p>
      </div>
      <div>
        {params.length > 0 && (
          <p class="params">
            {params.map(([name, value]) => (
              <span key={name}>
                {name} <b>{formatValue(value)}</b>
              </span>
            ))}
          </p>
        )}
        {stage.ensemble && <EnsembleTable stage={stage} ensemble={stage.ensemble} />}
        <Changes changes={stage.changes} />
        <Skipped stage={stage} />
        {stage.method !== null && stage.skipped.length === 0 && <p class="note">No node was skipped.</p>}
      </div>
    </li>
  );
}

/** A list of the stages in order. */
export function StageNotes({ report }: { readonly report: Report }) {
  return (
    <ol class="stage-notes">
      {report.stages.map((stage, index) => (
        <StageNote key={index} stage={stage} />
      ))}
    </ol>
  );
}
