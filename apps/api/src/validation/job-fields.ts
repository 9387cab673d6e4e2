/** Fields of a request for a job that are the platform's own, at whichever door. */
import { LimitsSchema } from "@agent-paas/shared/contract/limits.ts";
import { z } from "zod";
import { bodySchema, JsonObjectSchema } from "./validate.ts";

export const JOB_FIELDS = {
  config: JsonObjectSchema.default({}).describe("For the agent; its `config_schema` says what."),
  limits: bodySchema(LimitsSchema.shape).default({}).describe("How much the job may use."),
  metadata: JsonObjectSchema.default({}).describe("Kept with what the request makes."),
};

/** Those of doors whose users watch the answer: what they say next ends one that nobody waits for. */
export const CHAT_FIELDS = {
  ...JOB_FIELDS,
  on_busy: z
    .enum(["queue", "reject", "interrupt"])
    .default("interrupt")
    .describe("When the session has a job already: wait for it, answer 409, or cancel it."),
};
