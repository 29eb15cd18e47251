/** Declares an operator's attributes with kinds and defaults, and reads a node's attributes by that declaration. */
import type { Attribute, Attributes } from "../graph/attributes.ts";
import { type Node, nodeLabel } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How one attribute is read. */
export interface Field<T> {
  readonly kind: Exclude<Attribute["kind"], "opaque">;
  readonly default: T;
}

/** Attribute names and how to read each. */
export type AttributeSchema = Readonly<Record<string, Field<unknown>>>;

/** What reading by `S` gives. */
export type AttributesOf<S extends AttributeSchema> = { readonly [K in keyof S]: S[K]["default"] };

function field<T>(kind: Field<T>["kind"]) {
  function declare(): Field<T | undefined>;
  function declare(defaultValue: T): Field<T>;
  function declare(defaultValue?: T): Field<T | undefined> {
    return { kind, default: defaultValue };
  }
  return declare;
}

/** Declarations by kind: `attr.int(1)` has the default 1, `attr.ints()` may be absent. */
export const attr = {
  int: field<number>("int"),
  ints: field<readonly number[]>("ints"),
  float: field<number>("float"),
  floats: field<readonly number[]>("floats"),
  string: field<string>("string"),
  strings: field<readonly string[]>("strings"),
  tensor: field<Tensor>("tensor"),
};

/**
 * The attributes of `node`, defaults filled in.
 * @throws NetpareError `bad-model` where an attribute has another kind than declared.
 */
export function readAttributes<S extends AttributeSchema>(node: Node, schema: S): AttributesOf<S> {
  const read: Record<string, unknown> = {};
  const given: Attributes = node.attributes;
  for (const [name, { kind, default: fallback }] of Object.entries(schema)) {
    const attribute = given[name];
    if (attribute !== undefined && attribute.kind !== kind)
      throw new NetpareError(
        "bad-model",
        `${nodeLabel(node)}: attribute ${name} is of kind ${attribute.kind}, expected ${kind}`,
      );
    read[name] = attribute === undefined ? fallback : attribute.value;
  }
  return read as AttributesOf<S>;
}
