import { PlatformError } from "../errors/platform-error.ts";

/**
 * The database could not be used for as long as callers wait for it: its disk is full or fails, or it stays locked. No
 * fault of the work, which can be done unchanged once the database is back.
 */
export class StorageOutage extends PlatformError {
  constructor(cause: unknown) {
    super("storage_unavailable", { cause });
  }
}
