/** Every layer of the selected stage against the original's layer of the same name; sortable by any number. */

import { useMemo, useState } from "preact/hooks";
import { type AlignedLayer, alignLayers } from "../../src/report/align.ts";
import { formatShape } from "../../src/report/format.ts";
import type { Report } from "../../src/report/schema.ts";
import { originalStage } from "../../src/report/summary.ts";
import { LayerCell } from "./layer-cell.tsx";
import { type LayerColumn, layerColumns } from "./layer-columns.ts";
import { ScrollBox } from "./scroll-box.tsx";
import { StagePicker } from "./stage-picker.tsx";

function hasWeights({ before, after }: AlignedLayer): boolean {
  return (before?.parameters ?? 0) > 0 || (after?.parameters ?? 0) > 0;
}

function largest(rows: readonly AlignedLayer[], column: LayerColumn): number {
  if (column.scale === "none") return 0;
  if (column.scale === "one") return 1;
  const layers = rows.flatMap(({ before, after }) => [before, after]).filter((layer) => layer !== null);
  return Math.max(0, ...layers.map((layer) => column.value(layer) ?? 0));
}

function sorted(rows: readonly AlignedLayer[], column: LayerColumn | undefined): readonly AlignedLayer[] {
  if (column === undefined) return rows;
  const size = ({ before, after }: AlignedLayer) => column.value((after ?? before)!) ?? 0;
  return [...rows].sort((a, b) => size(b) - size(a));
}

function LayerRow(props: { readonly row: AlignedLayer; readonly most: readonly number[]; readonly alone: boolean }) {
  const { before, after, name } = props.row;
  const layer = after ?? before!;
  const fate = props.alone || (before !== null && after !== null) ? null : after === null ? "gone" : "new";
  return (
    <tr class={fate ?? ""}>
      <th scope="row" class="layer-name">
        {name}
        {fate !== null && <small class="fate">{fate}</small>}
      </th>
      <td class="op">{layer.op}</td>
      <td class="shape">{formatShape(layer.shape)}</td>
      {layerColumns.map((column, index) => (
        <LayerCell key={column.head} column={column} before={before} after={after} most={props.most[index]!} />
      ))}
    </tr>
  );
}

function SortableHead(props: { readonly order: number | null; readonly onOrder: (order: number | null) => void }) {
  return (
    <thead>
      <tr>
        <th scope="col">
          <button type="button" onClick={() => props.onOrder(null)} aria-pressed={props.order === null}>
            Layer
          </button>
        </th>
        <th scope="col">Operator</th>
        <th scope="col">Output</th>
        {layerColumns.map(({ head }, index) => (
          <th key={head} scope="col" aria-sort={props.order === index ? "descending" : "none"}>
            <button type="button" onClick={() => props.onOrder(props.order === index ? null : index)}>
              {head}
              {props.order === index ? " ↓" : ""}
            </button>
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** The table with its choice of stage, of order, and of layers without weights. */
export function LayerTable(props: {
  readonly report: Report;
  readonly selected: number;
  readonly onSelect: (index: number) => void;
}) {
  const { report, selected } = props;
  const [order, setOrder] = useState<number | null>(null);
  const [all, setAll] = useState(false);
  const stage = report.stages[selected]!;
  const rows = useMemo(() => alignLayers(originalStage(report).layers, stage.layers), [report, stage]);
  const shown = all ? rows : rows.filter(hasWeights);
  const most = layerColumns.map((column) => largest(shown, column));
  const bare = rows.length - rows.filter(hasWeights).length;
  return (
    <>
      <div class="controls">
        <StagePicker {...props} />
        {bare > 0 && (
          <label class="check">
            <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} /> also{" "}
            {bare} without weights
          </label>
        )}
      </div>
      <ScrollBox label={`Layers of ${stage.name}`} tall>
        <table class="layers">
          <caption class="visually-hidden">
            Layers of {stage.name}, with the original's numbers where they differ
          </caption>
          <SortableHead order={order} onOrder={setOrder} />
          <tbody>
            {sorted(shown, order === null ? undefined : layerColumns[order]).map((row, index) => (
              <LayerRow key={index} row={row} most={most} alone={selected === 0} />
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p class="note">
        {selected > 0 && (
          <>
            <span class="key was" /> original <span class="key is" /> {stage.name}.{" "}
          </>
        )}
        Choose a column's heading to sort by it, Layer for the network's own order.
      </p>
    </>
  );
}
