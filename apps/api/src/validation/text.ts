import { z } from "zod";

/** Longest message or task, characters: the payload of its job carries it through Redis. */
export const MAX_TEXT = 65_536;

/** A message or a task. */
export const TextSchema = z
  .string()
  .max(MAX_TEXT)
  .refine((text) => text.trim() !== "", "must not be empty")
  // JSON can carry half a surrogate pair, the database cannot: it would return another text than the stream did.
  .transform((text) => text.toWellFormed());
