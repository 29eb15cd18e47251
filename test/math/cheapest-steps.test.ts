/** Sharing out an amount over curves at the least cost. */
import { expect, it } from "vitest";
import { type Choice, cheapestSteps } from "../../src/math/cheapest-steps.ts";
import { createRandom } from "../../src/tensor/random.ts";

it("goes along the lower hull, cheapest first over all curves", () => {
  const curves: Choice[][] = [
    [
      { amount: 0, cost: 0 },
      { amount: 1, cost: 5 },
      { amount: 2, cost: 2 },
      { amount: 3, cost: 9 },
    ],
    [
      { amount: 4, cost: 1 },
      { amount: 6, cost: 5 },
    ],
    [{ amount: 0, cost: 0 }],
    [],
  ];
  expect(cheapestSteps(curves)).toEqual([
    { curve: 0, from: 0, to: 2, amount: 2 },
    { curve: 1, from: 0, to: 1, amount: 2 },
    { curve: 0, from: 2, to: 3, amount: 1 },
  ]);
});

it("is the best there is wherever a step ends", () => {
  const random = createRandom(2);
  const curves = Array.from({ length: 4 }, () => {
    let cost = 0;
    return Array.from({ length: 5 }, (_, amount) => {
      cost += random.uniform();
      return { amount, cost };
    });
  });
  const best = new Map<number, number>();
  for (let i = 0; i < 5 ** 4; i++) {
    const chosen = curves.map((curve, k) => curve[Math.floor(i / 5 ** k) % 5]!);
    const [amount, cost] = [0, 0].map((_, j) => chosen.reduce((sum, c) => sum + (j ? c.cost : c.amount), 0));
    best.set(amount!, Math.min(best.get(amount!) ?? Number.POSITIVE_INFINITY, cost!));
  }
  const places = curves.map(() => 0);
  for (const { curve, to } of cheapestSteps(curves)) {
    places[curve] = to;
    const chosen = places.map((place, k) => curves[k]![place]!);
    const amount = chosen.reduce((sum, c) => sum + c.amount, 0);
    expect(chosen.reduce((sum, c) => sum + c.cost, 0)).toBeCloseTo(best.get(amount)!, 12);
  }
});
