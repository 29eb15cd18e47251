/** Options for the parameters of architectures that the data does not decide: the union over the zoo. */
import { z } from "zod";
import { architectures, commonParams } from "../zoo/index.ts";

const named = architectures.flatMap(({ params }) =>
  Object.entries(params.shape)
    .filter(([key]) => !(key in commonParams))
    .map(([key, field]) => [key, describe(field)] as const),
);

/** `--width`, `--dropout`, … as optional numbers; the architecture itself checks range and meaning. */
export const architectureOptions: Readonly<Record<string, z.ZodOptional<z.ZodNumber>>> = Object.fromEntries(
  named.map(([key]) => {
    const meanings = new Set(named.filter(([other]) => other === key).map(([, meaning]) => meaning));
    return [
      key,
      z
        .number()
        .optional()
        .describe(`architecture: ${[...meanings].join("; or ")}`),
    ];
  }),
);

function describe(field: unknown): string {
  return field instanceof z.ZodType ? (field.description ?? "a parameter") : "a parameter";
}

/** The settings that were given. */
export function givenSettings(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
