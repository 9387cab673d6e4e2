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
