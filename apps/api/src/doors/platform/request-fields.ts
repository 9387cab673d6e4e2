/** Fields that several routes take. */
import { z } from "zod";

/** Longest message or task, characters: the payload of its job carries it through Redis. */
const MAX_TEXT = 65_536;

export const TextSchema = z
  .string()
  .max(MAX_TEXT)
  .refine((text) => text.trim() !== "", "must not be empty")
  // JSON can carry half a surrogate pair, the database cannot: it would return another text than the stream did.
  .transform((text) => text.toWellFormed());

export const AgentIdSchema = z.string().min(1).max(64);

/** `create`: a session of that id begins with this request if there is none. */
export const IfNotExistsSchema = z.literal("create").optional();

export const OnBusySchema = z.enum(["queue", "reject", "interrupt"]).default("queue");
