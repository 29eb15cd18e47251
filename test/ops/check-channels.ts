/**
 * The test of a channel rule: for every class of slots that the rule allows to go, the operator on inputs without those slots
 * must give the outputs without those slots, exactly what it gave when the slots held zeros.
 */
import { describe, expect, it } from "vitest";
import type { Attributes } from "../../src/graph/attributes.ts";
import type { AxisRef, ChannelLinks } from "../../src/ops/channels.ts";
import { type Fact, fact } from "../../src/ops/fact.ts";
import { findOp } from "../../src/ops/registry.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { takeAxes } from "../../src/tensor/take.ts";
import { type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";
import { expectClose } from "./check-op.ts";

export interface ChannelCase {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly (readonly number[] | Tensor | undefined)[];
  readonly attributes?: Attributes;
  /** How many classes may go, each leaving something of every axis; axes that are no channels (axis 0 of input 0) left out. */
  readonly classes: number;
}

/** Declares the tests of a table of cases. */
export function checkChannels(title: string, cases: readonly ChannelCase[]): void {
  describe(title, () => {
    for (const given of cases) it(`${given.op}: ${given.name}`, () => checkCase(given));
  });
}

type Slot = string;
const slotOf = ({ side, index, axis }: AxisRef, i: number): Slot => `${side}/${index}/${axis}/${i}`;

function checkCase({ op: name, inputs: given, attributes = {}, classes: expected }: ChannelCase): void {
  const op = findOp({ op: name, domain: "" })!;
  const random = createRandom(13);
  const inputs = given.map((input) => {
    if (input === undefined || "dtype" in input) return input;
    return tensorOf(
      "float64",
      input,
      Array.from({ length: input.reduce((a, b) => a * b, 1) }, () => 1 + random.uniform()),
    );
  });
  const node = { name: "", op: name, domain: "", inputs: inputs.map((_, i) => `i${i}`), outputs: ["o"], attributes };
  const factOf = (t: Tensor | undefined): Fact | undefined => t && { ...fact(t.dtype, t.shape), constant: t };
  const facts = inputs.map(factOf);
  const outputs = [op.evaluate(node, inputs)[0]!];
  const axes = [...inputs.map((t, index) => ["I", index, t] as const), ["O", 0, outputs[0]!] as const].flatMap(
    ([side, index, t]) => (t?.shape ?? []).map((size, axis) => ({ ref: { side, index, axis }, size })),
  );
  const { parent, mentioned } = collect(op.link!.bind(undefined, node, facts, [factOf(outputs[0])!]), axes);
  const root = (slot: Slot): Slot => (parent.get(slot) === slot ? slot : root(parent.get(slot)!));
  const bySlot = new Map<Slot, { ref: AxisRef; i: number }[]>();
  for (const { ref, size } of axes)
    for (let i = 0; i < size; i++)
      bySlot.set(root(slotOf(ref, i)), [...(bySlot.get(root(slotOf(ref, i))) ?? []), { ref, i }]);
  const key = ({ side, index, axis }: AxisRef) => `${side}/${index}/${axis}`;
  const sizes = new Map(axes.map(({ ref, size }) => [key(ref), size]));
  const removable = [...bySlot.values()].filter(
    (slots) =>
      slots.every(
        ({ ref }) =>
          mentioned.has(key(ref)) && slots.filter((s) => key(s.ref) === key(ref)).length < sizes.get(key(ref))!,
      ) &&
      !slots.some(
        ({ ref }) => key(ref) === "I/0/0" && axes[0]!.size === inputs[0]!.shape[0] && inputs[0]!.shape.length > 2,
      ),
  );
  expect(removable.length, `${name}: classes that may go`).toBe(expected);
  for (const slots of removable) {
    const kept = (ref: AxisRef) => {
      const gone = new Set(slots.filter((s) => key(s.ref) === key(ref)).map((s) => s.i));
      return Array.from({ length: sizes.get(key(ref))! }, (_, i) => i).filter((i) => !gone.has(i));
    };
    const cut = (side: "I" | "O", index: number, t: Tensor) =>
      takeAxes(
        t,
        t.shape.map((_, axis) => kept({ side, index, axis })),
      );
    const shrunken = op.shrink(node, facts, [factOf(outputs[0])!], kept);
    const small = inputs.map((t, i) => shrunken.inputs?.get(i) ?? (t && cut("I", i, t)));
    const [got] = op.evaluate({ ...node, attributes: shrunken.attributes ?? attributes }, small);
    const [zeroed] = op.evaluate(
      node,
      inputs.map(
        (t, i) =>
          t &&
          silence(
            t,
            slots.filter((s) => s.ref.side === "I" && s.ref.index === i),
          ),
      ),
    );
    expectClose(`${name} without ${slots.map((s) => slotOf(s.ref, s.i)).join(" ")}`, got!, cut("O", 0, zeroed!), 1e-12);
  }
}

/** The union of what a rule ties, and the axes it speaks of. */
function collect(link: (links: ChannelLinks) => void, axes: readonly { ref: AxisRef; size: number }[]) {
  const key = ({ side, index, axis }: AxisRef) => `${side}/${index}/${axis}`;
  const sizes = new Map(axes.map(({ ref, size }) => [key(ref), size]));
  const parent = new Map<Slot, Slot>();
  for (const { ref, size } of axes) for (let i = 0; i < size; i++) parent.set(slotOf(ref, i), slotOf(ref, i));
  const root = (slot: Slot): Slot => (parent.get(slot) === slot ? slot : root(parent.get(slot)!));
  const mentioned = new Set<string>();
  link({
    tie(p, q, map = (i) => i) {
      mentioned.add(key(p)).add(key(q));
      for (let i = 0; i < sizes.get(key(p))!; i++) {
        const j = map(i);
        if (j !== undefined && j >= 0 && j < sizes.get(key(q))!) parent.set(root(slotOf(p, i)), root(slotOf(q, j)));
      }
    },
    free: (ref) => mentioned.add(key(ref)),
    pin: (ref) => mentioned.delete(key(ref)),
  });
  return { parent, mentioned };
}

/** Zeros in the given slots of a float tensor. */
function silence(t: Tensor, slots: readonly { ref: AxisRef; i: number }[]): Tensor {
  if (t.dtype !== "float64") return t;
  const values = toNumbers(t).slice();
  for (const { ref, i } of slots) {
    const stride = t.shape.slice(ref.axis + 1).reduce((a, b) => a * b, 1);
    for (let at = 0; at < values.length; at++) if (Math.floor(at / stride) % t.shape[ref.axis]! === i) values[at] = 0;
  }
  return tensorOf("float64", t.shape, values);
}
