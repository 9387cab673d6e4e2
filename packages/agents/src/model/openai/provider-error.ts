/** For agents that ask a provider by a library of their own: their failures mean the same as the platform's own. */
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { providerFailure } from "./errors.ts";

export type ProviderErrorOptions = {
  /** HTTP status of the provider's answer; none: the provider could not be reached, or its answer broke off. */
  readonly status?: number | null | undefined;
  /** The provider's own code, such as `insufficient_quota`. */
  readonly code?: string | number | null | undefined;
  readonly type?: string | null | undefined;
  /** The provider's words. Users see them, without secrets, only where the request was at fault. */
  readonly message?: string | null | undefined;
  /** How long the provider asks to wait, ms. */
  readonly retryAfterMs?: number | null | undefined;
  /** The original error. Only the log shows it. */
  readonly cause?: unknown;
};

/** The error to throw for a failure of a model provider: `model_auth_failed` for a 401, and so on. */
export const providerError = ({ cause, ...failure }: ProviderErrorOptions): PlatformError =>
  providerFailure(failure, undefined, cause);
