/** Why a pool of threads has not done a call. */

/** The call has used up its time. */
export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
  constructor(ms: number) {
    super(`a call has taken more than ${ms} ms`);
  }
}

/** The call has used up the memory of its thread. */
export class OutOfMemory extends Error {
  override readonly name = "OutOfMemory";
  constructor(options?: ErrorOptions) {
    super("a call has used up the memory of its thread", options);
  }
}

/** Too many calls wait, or a call has waited too long. */
export class PoolIsBusy extends Error {
  override readonly name = "PoolIsBusy";
}

/** No fault of the call: a thread did not start, has ended by itself, or has thrown. */
export class ThreadFailed extends Error {
  override readonly name = "ThreadFailed";
}
