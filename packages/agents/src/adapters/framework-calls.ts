/**
 * The tool calls of one run that are in flight. A call that must end the run waits until no other is, so that those
 * beside it have their results in the journal: a call that is broken off may be in doubt.
 */
export type OpenCall = {
  readonly name: string;
  readonly idempotent: boolean;
  /** The call within which this one is made, as by an agent that is a tool. */
  readonly outer: OpenCall | null;
};

export type CallsInFlight = {
  begin(call: OpenCall): void;
  end(call: OpenCall): void;
  /** Ends the call and those around it, which cannot end before it; resolves when no other call is in flight. */
  othersEnded(call: OpenCall): Promise<void>;
};

export function createCallsInFlight(): CallsInFlight {
  const open = new Set<OpenCall>();
  const waiting: (() => void)[] = [];

  function end(call: OpenCall): void {
    open.delete(call);
    if (open.size === 0) for (const resolve of waiting.splice(0)) resolve();
  }

  return {
    begin: (call) => void open.add(call),
    end,
    async othersEnded(call) {
      for (const each of withOuter(call)) end(each);
      // The framework begins the calls of a turn one after the other, within one turn of the event loop.
      await nextTurn();
      while (open.size > 0) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        await nextTurn();
      }
    },
  };
}

export function* withOuter(call: OpenCall): Generator<OpenCall> {
  for (let each: OpenCall | null = call; each !== null; each = each.outer) yield each;
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
