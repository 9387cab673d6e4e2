/** Fields of a request for a job that are the platform's own, at whichever door. */
import { LimitsSchema } from "@agent-paas/shared/contract/limits.ts";
import { bodySchema, JsonObjectSchema } from "./validate.ts";

export const JOB_FIELDS = {
  config: JsonObjectSchema.default({}).describe("For the agent; its `config_schema` says what."),
  limits: bodySchema(LimitsSchema.shape).default({}).describe("How much the job may use."),
  metadata: JsonObjectSchema.default({}).describe("Kept with what the request makes."),
};
