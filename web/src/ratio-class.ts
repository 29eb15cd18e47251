/** How a ratio is coloured: a gain, a loss, or, within five in a hundred of 1, neither. */

/** The class of `ratio`'s text. */
export function ratioClass(ratio: number | null): "gain" | "worse" | "" {
  if (ratio === null) return "";
  return ratio >= 1.05 ? "gain" : ratio <= 0.95 ? "worse" : "";
}
