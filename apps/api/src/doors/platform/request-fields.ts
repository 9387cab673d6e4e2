/** Fields that several routes take. */
import { LimitsSchema } from "@agent-paas/shared/contract/limits.ts";
import { z } from "zod";
import { bodySchema, JsonObjectSchema } from "../../validation/validate.ts";

/** Longest message or task, characters: the payload of its job carries it through Redis. */
const MAX_TEXT = 65_536;

export const TextSchema = z
  .string()
  .max(MAX_TEXT)
  .refine((text) => text.trim() !== "", "must not be empty")
  // JSON can carry half a surrogate pair, the database cannot: it would return another text than the stream did.
  .transform((text) => text.toWellFormed());

export const AgentIdSchema = z
  .string()
  .min(1)
  .max(64)
  .describe("The id of an agent.")
  .meta({ examples: ["chat_basic"] });

export const ConfigSchema = JsonObjectSchema.default({}).describe("For the agent; its `config_schema` says what.");

export const RequestLimitsSchema = bodySchema(LimitsSchema.shape).default({}).describe("How much the job may use.");

export const MetadataSchema = JsonObjectSchema.default({}).describe("Kept with what the request makes.");

export const OnBusySchema = z
  .enum(["queue", "reject", "interrupt"])
  .default("queue")
  .describe("When the session has a job already: wait for it, answer 409, or cancel it.");
