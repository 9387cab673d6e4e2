import { z } from "zod";

/** A field of the protocol that would change the answer, and that no agent can heed. */
export const unsupported = () => z.never("is not supported").optional();
