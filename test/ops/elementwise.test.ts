import { checkOps } from "./check-op.ts";

const awayFromZero = (v: number) => v + Math.sign(v) * 0.1;

checkOps("elementwise operators", [
  {
    op: "Add",
    name: "same shape",
    inputs: [
      [2, 3, 4],
      [2, 3, 4],
    ],
  },
  {
    op: "Add",
    name: "broadcast both ways",
    inputs: [
      [2, 1, 4],
      [3, 1],
    ],
  },
  { op: "Relu", name: "away from the kink", inputs: [[2, 3, 5]], draw: awayFromZero },
]);
