import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { z } from "zod";
import type { FormatError } from "../../http/door.ts";

/** The envelope of every error response. */
export const formatError: FormatError = (error, requestId) => ({
  error: {
    message: error.message,
    type: error.type,
    code: error.code,
    param: error.param,
    request_id: requestId,
    ...error.details,
  },
});

export const errorSchema = (codes: readonly ErrorCode[]) =>
  z.object({
    // Some codes have further fields, such as the `job_id` of the running job.
    error: z.looseObject({
      message: z.string(),
      type: z.enum([...new Set(codes.map((code) => ERROR_CODES[code].type))]),
      code: z.enum(codes),
      param: z.string().nullable().describe("The field of the request that is not valid."),
      request_id: z.string(),
    }),
  });
