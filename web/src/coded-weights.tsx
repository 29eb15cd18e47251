/** The selected stage as a `.pare` file: what each layer's weights take in it, and their distribution before and after. */

import { useCallback } from "preact/hooks";
import { formatBytes, formatInteger, formatPercent, formatShape } from "../../src/report/format.ts";
import type { Coded, Report } from "../../src/report/schema.ts";
import { describeCoded } from "../../src/report/stage-facts.ts";
import { originalStage } from "../../src/report/summary.ts";
import { Chart } from "./chart.tsx";
import { drawHistogram } from "./histogram-plot.ts";
import { ScrollBox } from "./scroll-box.tsx";
import { StagePicker } from "./stage-picker.tsx";

type Row = Omit<Coded["layers"][number], "shape" | "values">;

const bitsOf = ({ bytes, weights }: Row) => ((8 * bytes) / Math.max(1, weights)).toFixed(2);

function Sizes({ row }: { readonly row: Row }) {
  return (
    <>
      <td>{formatInteger(row.weights)}</td>
      <td>{formatPercent(row.density)}</td>
      <td>{bitsOf(row)}</td>
      <td>{formatBytes(row.bytes)}</td>
      <td>{formatBytes(row.entropyBytes)}</td>
      <td>{formatBytes(row.huffmanBytes)}</td>
    </>
  );
}

const heads = ["Weights", "Left", "Bits each", "In the file", "Entropy", "Static Huffman"] as const;

function LayerCodes({ coded }: { readonly coded: Coded }) {
  const { weights, otherBytes, structureBytes } = coded;
  return (
    <ScrollBox label="bytes of each layer's weights">
      <table class="coded">
        <thead>
          <tr>
            <th scope="col">Layer</th>
            <th scope="col">Shape</th>
            <th scope="col">Values</th>
            {heads.map((head) => (
              <th scope="col" key={head}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {coded.layers.map((row) => (
            <tr key={row.layer}>
              <th scope="row">{row.layer}</th>
              <td class="shape">{formatShape(row.shape)}</td>
              <td>{row.values || "float"}</td>
              <Sizes row={row} />
            </tr>
          ))}
          <tr>
            <th scope="row">all</th>
            <td colSpan={2} />
            <Sizes row={{ ...weights, layer: "all", weights: weights.count }} />
          </tr>
        </tbody>
        <caption>
          Besides, {formatBytes(otherBytes)} of biases and other constants, and {formatBytes(structureBytes)} of graph,
          codebooks and scales.
        </caption>
      </table>
    </ScrollBox>
  );
}

/** `selected` is an index into the report's stages. */
export function CodedWeights(props: {
  readonly report: Report;
  readonly selected: number;
  readonly onSelect: (index: number) => void;
}) {
  const { report, selected } = props;
  const before = originalStage(report).coded?.histogram;
  const coded = report.stages[selected]!.coded;
  const after = coded?.histogram;
  const draw = useCallback((width: number) => drawHistogram(before ?? [], after ?? [], width), [before, after]);
  return (
    <>
      <StagePicker {...props} />
      {coded ? (
        <>
          <p>
            As a <code>.pare</code> file: {describeCoded(report, coded)}.
          </p>
          <Chart draw={draw} label="distribution of the weights before and after" />
          <LayerCodes coded={coded} />
        </>
      ) : (
        <p>
          This stage has no <code>.pare</code> file.
        </p>
      )}
    </>
  );
}
