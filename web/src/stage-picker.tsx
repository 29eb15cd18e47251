/** Chooses the stage to hold against the original. */

import type { Report } from "../../src/report/schema.ts";
import { Segmented } from "./segmented.tsx";

/** `selected` is an index into the report's stages; the original itself can be chosen where `withOriginal`. */
export function StagePicker(props: {
  readonly report: Report;
  readonly selected: number;
  readonly onSelect: (index: number) => void;
}) {
  const names = props.report.stages.slice(1).map((stage) => stage.name);
  if (names.length < 2) return null;
  return (
    <Segmented
      label="Stage"
      options={names}
      chosen={props.selected - 1}
      onChoose={(index) => props.onSelect(index + 1)}
    />
  );
}
