/**
 * Sharing out an amount over several curves of cost at the least sum of costs: steps along each curve's lower convex hull are taken in
 * rising order of cost per amount, which is best wherever a step ends (Lagrange multipliers over discrete points: Shoham, Gersho 1988).
 */

/** One choice of a curve: how much it brings, and what it costs. */
export interface Choice {
  readonly amount: number;
  readonly cost: number;
}

/** A step from a choice to another of the same curve, by their places there. */
export interface Step {
  readonly curve: number;
  readonly from: number;
  readonly to: number;
  /** What it brings, above 0. */
  readonly amount: number;
}

/** The steps of all `curves`, cheapest first; each curve starts at its first choice, from which amounts must rise. */
export function cheapestSteps(curves: readonly (readonly Choice[])[]): Step[] {
  const steps = curves.flatMap((choices, curve) => {
    const slope = (from: number, to: number) =>
      (choices[to]!.cost - choices[from]!.cost) / (choices[to]!.amount - choices[from]!.amount);
    const hull: number[] = [];
    for (const place of choices.keys()) {
      while (hull.length > 1 && slope(hull.at(-2)!, hull.at(-1)!) >= slope(hull.at(-1)!, place)) hull.pop();
      hull.push(place);
    }
    return hull.slice(1).map((to, i) => {
      const from = hull[i]!;
      return { curve, from, to, amount: choices[to]!.amount - choices[from]!.amount, slope: slope(from, to) };
    });
  });
  return steps.toSorted((a, b) => a.slope - b.slope).map(({ slope: _, ...step }) => step);
}
