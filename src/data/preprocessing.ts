/**
 * From stored bytes to what a network reads: `x' = (x·scale - mean) / std`, a channel at a time.
 * It is written into a model's metadata, so that later commands need no flags.
 */
import { z } from "zod";

const perChannel = z.array(z.number()).min(1);

/** `mean` and `std` have one entry, or one a channel in the order of `channels`. */
export const preprocessingSchema = z.object({
  scale: z.number(),
  mean: perChannel,
  std: perChannel.refine((std) => std.every((s) => s !== 0), "std must not be 0"),
  /** Channel order that the network expects. */
  channels: z.enum(["rgb", "bgr", "grey"]),
});

export type Preprocessing = z.infer<typeof preprocessingSchema>;
