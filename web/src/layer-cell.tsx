/** One number of the layer table, with the original's beside it where it differs and a bar of both beneath. */

import type { Layer } from "../../src/report/schema.ts";
import type { LayerColumn } from "./layer-columns.ts";

/** `most` is what a full bar stands for, 0 for no bar. */
export function LayerCell(props: {
  readonly column: LayerColumn;
  readonly before: Layer | null;
  readonly after: Layer | null;
  readonly most: number;
}) {
  const { column, most } = props;
  const was = props.before === null ? null : column.value(props.before);
  const is = props.after === null ? null : column.value(props.after);
  const text = is === null ? "–" : column.format(is);
  const old = was === null || was === is ? null : column.format(was);
  return (
    <td>
      {old !== null && old !== text && (
        <>
          <s>
            <span class="visually-hidden">was </span>
            {old}
          </s>{" "}
        </>
      )}
      {text}
      {most > 0 && (
        <span class="pair" aria-hidden="true">
          <span class="share was" style={{ width: `${((was ?? 0) / most) * 100}%` }} />
          <span class="share is" style={{ width: `${((is ?? 0) / most) * 100}%` }} />
        </span>
      )}
    </td>
  );
}
