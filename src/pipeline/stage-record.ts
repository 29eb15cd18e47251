/** What a stage leaves beside its model: what was done, and how it was trained. Written last, it marks the stage as done. */
import { z } from "zod";
import { stageSchema } from "../report/schema.ts";

export const recordSchema = z.object({
  name: z.string(),
  method: z.string().nullable(),
  params: z.record(z.string(), z.unknown()),
  changes: z.array(z.string()),
  skipped: z.array(z.object({ node: z.string(), reason: z.string() })),
  training: stageSchema.shape.training,
  /** Files beside the model that it is the average of, where it is an ensemble. */
  members: z.array(z.string()).default([]),
});

export type StageRecord = z.output<typeof recordSchema>;
