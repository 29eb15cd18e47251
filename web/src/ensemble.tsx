/** The members of a stage that is an ensemble: how well each does alone, and on how many images each two differ. */

import { formatBytes, formatPercent } from "../../src/report/format.ts";
import type { Ensemble, Stage } from "../../src/report/schema.ts";
import { ScrollBox } from "./scroll-box.tsx";

/** A row a member, the ensemble last; the shade of a pair grows with what the two differ on. */
export function EnsembleTable({ stage, ensemble }: { readonly stage: Stage; readonly ensemble: Ensemble }) {
  const { members, disagreement } = ensemble;
  const most = Math.max(1e-9, ...disagreement.flat());
  return (
    <ScrollBox label={`members of ${stage.name}`}>
      <table class="ensemble">
        <caption>
          Answers the average of {members.length} networks. Shares of test images on which two of them differ:
        </caption>
        <thead>
          <tr>
            <th scope="col">Member</th>
            <th scope="col">top-1</th>
            <th scope="col">File</th>
            {members.map((_, i) => (
              <th scope="col" key={i}>
                {i + 1}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {members.map(({ file, fileBytes, accuracy }, row) => (
            <tr key={file}>
              <th scope="row">{row + 1}</th>
              <td>{formatPercent(accuracy.top1, 2)}</td>
              <td title={file}>{formatBytes(fileBytes)}</td>
              {disagreement[row]!.map((share, column) => (
                <td
                  key={column}
                  style={{
                    background: `color-mix(in srgb, var(--is) ${Math.round((40 * share) / most)}%, transparent)`,
                  }}
                >
                  {row === column ? "" : formatPercent(share, 1)}
                </td>
              ))}
            </tr>
          ))}
          <tr>
            <th scope="row">average</th>
            <td>{formatPercent(stage.accuracy.top1, 2)}</td>
            <td>{formatBytes(stage.fileBytes)}</td>
            <td colSpan={members.length} />
          </tr>
        </tbody>
      </table>
    </ScrollBox>
  );
}
