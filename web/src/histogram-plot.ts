/** Two distributions of weights over the same bins: the original's as an outline, the stage's as bars; shares on a root scale, for zeros dwarf all else. */

import { gridY, lineY, plot, rectY } from "@observablehq/plot";

/** Half the width of what the bins cover, in root mean squares. */
const widest = 4;

/** The figure `width` pixels wide. */
export function drawHistogram(before: readonly number[], after: readonly number[], width: number): Element {
  const binsOf = (shares: readonly number[]) =>
    shares.map((share, i) => {
      const step = (2 * widest) / shares.length;
      const from = i * step - widest;
      return { from, to: from + step, middle: from + step / 2, share };
    });
  return plot({
    width,
    height: 190,
    marginLeft: 48,
    marginRight: 12,
    marginTop: 28,
    marginBottom: 34,
    style: { background: "none", fontSize: "11.5px", overflow: "visible" },
    x: {
      label: "weight, in root mean squares of its layer",
      labelAnchor: "center",
      labelArrow: "none",
      tickSize: 0,
      ticks: 9,
      labelOffset: 32,
    },
    y: {
      type: "sqrt",
      label: "share of the weights: bars, now; line, original",
      labelArrow: "none",
      tickSize: 0,
      ticks: 4,
      tickFormat: (share: number) => `${+(100 * share).toPrecision(2)} %`,
    },
    marks: [
      gridY({ stroke: "var(--rule)", strokeOpacity: 1 }),
      rectY(binsOf(after), { x1: "from", x2: "to", y: "share", fill: "var(--is)", inset: 0.5 }),
      lineY(binsOf(before), { x: "middle", y: "share", stroke: "var(--was)", strokeWidth: 1.75, curve: "step" }),
    ],
  });
}
