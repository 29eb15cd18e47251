/** One training curve: lines over epochs, each named at its end. */

import { dot, gridY, lineY, plot, selectLast, text } from "@observablehq/plot";

/** One line of a figure. */
export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly points: readonly { readonly epoch: number; readonly value: number }[];
}

/** The figure `width` pixels wide; `format` writes the value axis. */
export function drawCurve(
  title: string,
  series: readonly Series[],
  format: (value: number) => string,
  width: number,
): Element {
  const named = series.length > 1;
  return plot({
    width,
    height: 190,
    marginLeft: 48,
    marginRight: named ? 66 : 12,
    marginTop: 28,
    marginBottom: 34,
    style: { background: "none", fontSize: "11.5px", overflow: "visible" },
    x: { label: "epoch", labelAnchor: "center", labelArrow: "none", tickSize: 0, ticks: 5, labelOffset: 32 },
    y: { label: title, labelArrow: "none", tickSize: 0, ticks: 4, tickFormat: format, nice: true },
    marks: [
      gridY({ stroke: "var(--rule)", strokeOpacity: 1 }),
      ...series.map(({ points, colour }) =>
        lineY(points, { x: "epoch", y: "value", stroke: colour, strokeWidth: 1.75 }),
      ),
      ...series
        .filter(({ points }) => points.length < 4)
        .map(({ points, colour }) => dot(points, { x: "epoch", y: "value", r: 3, fill: colour })),
      ...(named
        ? series.map(({ points, colour, name }) =>
            text(
              points,
              selectLast({
                x: "epoch",
                y: "value",
                text: () => name,
                textAnchor: "start",
                dx: 6,
                fill: colour,
              }),
            ),
          )
        : []),
    ],
  });
}
