import { expect, test } from "vitest";
import { type ChunkSink, observeChunks, produceChunks } from "./chunk-stream.ts";
import type { ModelTurn } from "./model.ts";

const TURN: ModelTurn = {
  content: "ab",
  toolCalls: [],
  finishReason: "stop",
  usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
};
const chunk = (content: string) => ({ type: "text", content }) as const;

/** A stream whose production the test drives. */
function driven() {
  const { promise, resolve, reject } = Promise.withResolvers<ModelTurn>();
  const started: ChunkSink[] = [];
  let stops = 0;
  const stream = produceChunks(
    (sink) => {
      started.push(sink);
      return promise;
    },
    () => {
      stops++;
      reject(new Error("stopped"));
    },
  );
  return { stream, started, resolve, reject, stops: () => stops };
}

test("a stream begins when its first chunk is asked for, and ends with its turn", async () => {
  const { stream, started, resolve } = driven();
  expect(started).toHaveLength(0);
  const first = stream.next();
  started[0]?.push(chunk("a"));
  started[0]?.push(chunk("b"));
  expect(await first).toEqual({ done: false, value: chunk("a") });
  expect(await stream.next()).toEqual({ done: false, value: chunk("b") });
  const last = stream.next();
  resolve(TURN);
  expect(await last).toEqual({ done: true, value: TURN });
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test("a failure is told behind the chunks before it, once", async () => {
  const { stream, started, reject } = driven();
  const first = stream.next();
  started[0]?.push(chunk("a"));
  started[0]?.push(chunk("b"));
  reject(new Error("reset"));
  await first;
  expect(await stream.next()).toEqual({ done: false, value: chunk("b") });
  await expect(stream.next()).rejects.toThrow("reset");
  expect(await stream.next()).toEqual({ done: true, value: undefined });
});

test("a reader that leaves ends the production and waits for its end, and does so once", async () => {
  const { stream, started, stops } = driven();
  const first = stream.next();
  started[0]?.push(chunk("a"));
  await first;
  expect(await stream.return(TURN)).toEqual({ done: true, value: TURN });
  await stream.return(TURN);
  expect(stops()).toBe(1);
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  await expect(stream.throw(new Error("mine"))).rejects.toThrow("mine");
});

test("a stream that nobody has read starts nothing, also when it is left", async () => {
  const { stream, started, stops } = driven();
  await stream.return(TURN);
  expect([started.length, stops()]).toEqual([0, 0]);
});

test("a producer knows how many chunks wait, and when all are taken", async () => {
  const { stream, started, resolve } = driven();
  const first = stream.next();
  const [sink] = started;
  let taken = 0;
  for (const each of ["a", "b", "c"]) sink?.push(chunk(each));
  sink?.onceTaken(() => taken++);
  expect(sink?.waiting()).toBe(2);
  await first;
  await stream.next();
  expect([sink?.waiting(), taken]).toEqual([1, 0]);
  await stream.next();
  expect([sink?.waiting(), taken]).toEqual([0, 1]);
  resolve(TURN);
  expect(await Array.fromAsync(stream)).toEqual([]);
});

test("a break before the end is told once: a failure, what the observer throws, a reader that leaves", async () => {
  const breaks: string[] = [];
  const observed = (name: string, observe: () => void = () => {}) => {
    const below = driven();
    return {
      ...below,
      stream: observeChunks(
        () => below.stream,
        observe,
        () => breaks.push(name),
      ),
    };
  };
  const failing = observed("failure");
  const failed = failing.stream.next();
  failing.reject(new Error("reset"));
  await expect(failed).rejects.toThrow("reset");
  await failing.stream.return(TURN);

  const refusing = observed("refusal", () => {
    throw new Error("too much");
  });
  const refused = refusing.stream.next();
  refusing.started[0]?.push(chunk("a"));
  await expect(refused).rejects.toThrow("too much");

  const leaving = observed("leaving");
  const first = leaving.stream.next();
  leaving.started[0]?.push(chunk("a"));
  await first;
  await leaving.stream.return(TURN);
  await leaving.stream.return(TURN);

  const whole = observed("none");
  const last = whole.stream.next();
  whole.resolve(TURN);
  await last;
  await whole.stream.return(TURN);
  expect(breaks).toEqual(["failure", "refusal", "leaving"]);
});
