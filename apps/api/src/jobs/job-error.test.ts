import { expect, test } from "vitest";
import { jobError } from "./job-error.ts";

test.each([
  ["config.response_schema: type must be a text", "config.response_schema"],
  ["config.plan.steps.0: there is no such agent", "config.plan.steps.0"],
  ["The provider rejected config.temperature: too hot", null],
  ["config.a and so on: no", null],
  ["It failed.", null],
])("of the words %j the error's field is %j", (message, param) => {
  expect(jobError("invalid_config", message, { job_id: "j" })).toMatchObject({
    code: "invalid_config",
    message,
    param,
  });
});
