/** Every setting the search tried, in the order it tried them. */

import { formatBytes, formatCount, formatMs, formatParams, formatPercent } from "../../src/report/format.ts";
import type { Trial } from "../../src/report/schema.ts";
import { ScrollBox } from "./scroll-box.tsx";

/** Folded; accuracies are on the validation split. */
export function TrialTable({ trials }: { readonly trials: readonly Trial[] }) {
  if (trials.length === 0) return null;
  return (
    <details class="trials">
      <summary>All {trials.length} settings tried</summary>
      <ScrollBox label="Settings tried">
        <table>
          <caption class="visually-hidden">Settings tried, judged on the validation split</caption>
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col" class="words">
                Setting
              </th>
              <th scope="col">Validation top-1</th>
              <th scope="col">File</th>
              <th scope="col">MACs</th>
              <th scope="col">Latency</th>
              <th scope="col">Kept</th>
            </tr>
          </thead>
          <tbody>
            {trials.map((trial, index) => (
              <tr key={index}>
                <th scope="row">{trial.method}</th>
                <td class="words">{formatParams(trial.params)}</td>
                <td>{formatPercent(trial.validationAccuracy)}</td>
                <td>{formatBytes(trial.fileBytes)}</td>
                <td>{formatCount(trial.macs)}</td>
                <td>{formatMs(trial.latencyMs)}</td>
                <td>{trial.kept ? "yes" : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </details>
  );
}
