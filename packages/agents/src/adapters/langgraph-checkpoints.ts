/**
 * A checkpointer of LangGraph in the journal of the job: what the graph has done is there for a later attempt, in
 * whichever worker it runs. It keeps the calls by which a saver in memory was filled, and makes them again.
 */
import type { Journal } from "../job/journal.ts";
import { currentRun } from "./framework-run.ts";

type Configurable = Readonly<Record<string, unknown>>;
type Config = { readonly configurable?: Configurable };

/** What the adapter needs of LangGraph's `MemorySaver`; the rest is the graph's matter. */
type Saver = {
  readonly serde: {
    dumpsTyped(value: unknown): PromiseLike<[string, Uint8Array]> | [string, Uint8Array];
    loadsTyped(type: string, data: Uint8Array): unknown;
  };
  put(config: Config, checkpoint: unknown, metadata: unknown, versions: unknown): Promise<unknown>;
  putWrites(config: Config, writes: readonly Write[], taskId: string, taskPath?: string | undefined): Promise<void>;
};
type Write = readonly [channel: string, value: unknown];

/** A value as LangGraph serializes it: its type and its bytes in base64. */
type Kept = readonly [type: string, bytes: string];

type KeptCall =
  | { readonly put: readonly [Config, Kept, Kept, unknown] }
  | {
      readonly writes: readonly [
        Config,
        readonly (readonly [channel: string, value: Kept])[],
        string,
        (string | undefined)?,
      ];
    };

/** Methods that belong to the saver of a run. All others belong to any saver, such as the numbering of versions. */
const OF_RUN: readonly unknown[] = ["getTuple", "list", "deleteThread", "getDeltaChannelHistory"];

/**
 * `create` makes an empty saver: `journaledCheckpointer(() => new MemorySaver())`. Each attempt gets one of its own,
 * filled from the job's journal. Outside a job there is one for all.
 */
export function journaledCheckpointer<Checkpointer extends object>(create: () => Checkpointer): Checkpointer {
  const outside = create();
  // By the job's attempt, which may run the graph again after a decision.
  const savers = new WeakMap<object, JobSaver>();

  function ofRun(): JobSaver | null {
    const run = currentRun();
    if (run === undefined) return null;
    const { context } = run;
    const known = savers.get(context) ?? createJobSaver(create() as unknown as Saver, context.journal);
    savers.set(context, known);
    return known;
  }

  return new Proxy(outside, {
    get(target, name) {
      const own = Reflect.get(target, name, target);
      if (typeof own !== "function") return own;
      return (...args: unknown[]) => {
        const saver = ofRun();
        if (saver === null) return own.apply(target, args);
        if (name === "put") return saver.put(...(args as Parameters<Saver["put"]>));
        if (name === "putWrites") return saver.putWrites(...(args as Parameters<Saver["putWrites"]>));
        if (name === "list") return saver.list(args);
        return OF_RUN.includes(name) ? saver.read(String(name), args) : own.apply(target, args);
      };
    },
  });
}

type JobSaver = Pick<Saver, "put" | "putWrites"> & {
  read(method: string, args: readonly unknown[]): Promise<unknown>;
  list(args: readonly unknown[]): AsyncGenerator<unknown>;
};

function createJobSaver(saver: Saver, journal: Journal): JobSaver {
  const log = createCallLog(journal);
  const restored = restore();
  // Writes are begun side by side; their entries have numbers.
  let latest: Promise<unknown> = restored;

  const call = (method: string, args: readonly unknown[]): unknown =>
    (saver as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[method]?.(...args);

  async function restore(): Promise<void> {
    for await (const kept of log.known()) {
      if ("put" in kept) {
        const [config, checkpoint, metadata, versions] = kept.put;
        await saver.put(config, await load(checkpoint), await load(metadata), versions);
      } else {
        const [config, writes, ...task] = kept.writes;
        const loaded = await Promise.all(writes.map(async ([channel, value]) => [channel, await load(value)] as const));
        await saver.putWrites(config, loaded, ...task);
      }
    }
  }

  function inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = latest.then(work);
    latest = done.catch(() => {});
    return done;
  }

  async function dump(value: unknown): Promise<Kept> {
    const [type, bytes] = await saver.serde.dumpsTyped(value);
    return [type, Buffer.from(bytes).toString("base64")];
  }

  const load = async ([type, bytes]: Kept): Promise<unknown> =>
    saver.serde.loadsTyped(type, new Uint8Array(Buffer.from(bytes, "base64")));

  return {
    put: (config, checkpoint, metadata, versions) =>
      inOrder(async () => {
        const next = await saver.put(config, checkpoint, metadata, versions);
        await log.append({ put: [placeOf(config), await dump(checkpoint), await dump(metadata), versions] });
        return next;
      }),
    putWrites: (config, writes, ...task) =>
      inOrder(async () => {
        await saver.putWrites(config, writes, ...task);
        const kept = await Promise.all(writes.map(async ([channel, value]) => [channel, await dump(value)] as const));
        await log.append({ writes: [placeOf(config), kept, ...task] });
      }),
    async read(method, args) {
      await latest;
      return call(method, args);
    },
    async *list(args) {
      await latest;
      yield* call("list", args) as AsyncIterable<unknown>;
    },
  };
}

/** A graph's config holds much more, of which nothing is the checkpoint's. */
function placeOf({ configurable = {} }: Config): Config {
  const { thread_id, checkpoint_ns, checkpoint_id } = configurable;
  return { configurable: { thread_id, checkpoint_ns, checkpoint_id } };
}

/** Numbered entries of the journal: those of earlier attempts, then those of this one. */
function createCallLog(journal: Journal) {
  let next = 0;
  const begin = () => journal.begin({ kind: "checkpoint", input: next++, idempotent: true });
  let free: Awaited<ReturnType<typeof begin>> | null = null;
  return {
    async *known(): AsyncGenerator<KeptCall> {
      for (;;) {
        const entry = await begin();
        if (entry.state !== "finished") {
          free = entry;
          return;
        }
        yield entry.value as KeptCall;
      }
    },
    async append(call: KeptCall): Promise<void> {
      const entry = free ?? (await begin());
      free = null;
      if (entry.state === "new") await entry.finish(call);
    },
  };
}
