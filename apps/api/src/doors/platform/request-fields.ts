/** Fields that several routes take. */
import type { Response } from "express";
import { z } from "zod";

/** Longest message or task, characters: it travels in the job's payload, through Redis. */
const MAX_TEXT = 65_536;

export const TextSchema = z
  .string()
  .max(MAX_TEXT)
  .refine((text) => text.trim() !== "", "must not be empty")
  // Halves of surrogate pairs survive in JSON and nowhere else: the database would give back other text than the stream.
  .transform((text) => text.toWellFormed());

export const AgentIdSchema = z.string().min(1).max(64);

export const OnBusySchema = z.enum(["queue", "reject", "interrupt"]).default("queue");

/** Aborts when the client's connection is gone. */
export function abortOnClose(res: Response): AbortSignal {
  const controller = new AbortController();
  if (res.destroyed) controller.abort();
  else res.on("close", () => controller.abort());
  return controller.signal;
}
