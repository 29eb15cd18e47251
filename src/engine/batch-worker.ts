/** The worker that fills the batches to come of a training; it is ended from outside. */
import { workerData } from "node:worker_threads";
import { type FillJob, fillAhead } from "./batch-feed.ts";

fillAhead(workerData as FillJob);
