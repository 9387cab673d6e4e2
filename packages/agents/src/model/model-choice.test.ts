import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import type { Model, ModelRequest, ModelTurn } from "./model.ts";
import { createModelChoice, type Fallback, type OfferedModel } from "./model-choice.ts";

const NEVER = new AbortController().signal;
const REQUEST: ModelRequest = { messages: [{ role: "user", content: "Hi" }] };
const USAGE = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };

const turnBy = (model: string): ModelTurn => ({
  ...{ content: model, toolCalls: [], finishReason: "stop", usage: USAGE },
  model,
});

type Behaviour = () => PlatformError | Error | null;
const works: Behaviour = () => null;
const fails =
  (...[code, options]: ConstructorParameters<typeof PlatformError>): Behaviour =>
  () =>
    new PlatformError(code, options);

/** Models by name, each with its behaviour; all but `mayUse` and `fallbacks` are for everyone and none. */
function choosing(behaviours: Record<string, Behaviour>, more: Record<string, Partial<OfferedModel>> = {}) {
  const asked: (string | undefined)[] = [];
  const told: Fallback[] = [];
  const modelOf = (name: string): Model => ({
    async *stream(request) {
      asked.push(request.model);
      const error = behaviours[name]?.() ?? null;
      if (error !== null) throw error;
      yield { type: "text", content: name };
      return turnBy(name);
    },
  });
  const find = (name = "main") => ({
    ...{ name, model: modelOf(name), mayUse: () => true, fallbacks: [] },
    ...more[name],
  });
  const start = () =>
    createModelChoice({ models: { find }, owner: "alice", onFallback: (fallback) => told.push(fallback) });
  return { asked, told, start };
}

async function turn(model: Model, request: Partial<ModelRequest> = {}): Promise<ModelTurn> {
  const stream = model.stream({ ...REQUEST, ...request }, NEVER);
  for (;;) {
    const step = await stream.next();
    if (step.done) return step.value;
  }
}

test("a model that fails before its first token is replaced by the next one, and told", async () => {
  const { start, asked, told } = choosing({ main: fails("model_unavailable"), b: fails("model_timeout"), c: works });
  expect((await turn(start(), { fallbacks: ["b", "c"] })).model).toBe("c");
  expect(asked).toEqual([undefined, "b", "c"]);
  expect(told).toEqual([
    { failed: "main", code: "model_unavailable", next: "b" },
    { failed: "b", code: "model_timeout", next: "c" },
  ]);
});

test("a model whose first token was shown is not replaced", async () => {
  const model: Model = {
    async *stream() {
      yield { type: "text", content: "Half" };
      throw new PlatformError("model_stream_broken");
    },
  };
  const find = (name = "main") => ({ name, model, mayUse: () => true, fallbacks: [] });
  const choice = createModelChoice({ models: { find }, owner: "alice", onFallback: () => expect.fail("replaced") });
  await expect(turn(choice, { fallbacks: ["b"] })).rejects.toMatchObject({ code: "model_stream_broken" });
});

test("the models of the setting stand in, but those of the request in their place, and none for an empty list", async () => {
  const behaviours = { main: fails("model_unavailable"), set: works, own: works };
  const { start } = choosing(behaviours, { main: { fallbacks: ["set"] } });
  expect((await turn(start())).model).toBe("set");
  expect((await turn(start(), { fallbacks: ["own"] })).model).toBe("own");
  await expect(turn(start(), { fallbacks: [] })).rejects.toMatchObject({ code: "model_unavailable" });
});

test("the one that answered is asked first from then on, and the others if it fails", async () => {
  let isDown = true;
  const down: Behaviour = () => (isDown ? new PlatformError("model_unavailable") : null);
  const up: Behaviour = () => (isDown ? null : new PlatformError("model_unavailable"));
  const { start, asked } = choosing({ main: down, b: up });
  const choice = start();
  const request = { fallbacks: ["b"] };
  await turn(choice, request);
  await turn(choice, request);
  expect(asked).toEqual([undefined, "b", "b"]);
  isDown = false;
  expect((await turn(choice, request)).model).toBe("main");
  expect(asked.slice(3)).toEqual(["b", undefined]);
});

test("a turn that the journal replays tells who is to be asked next", async () => {
  const { start, asked } = choosing({ main: works, b: works });
  const request = { ...REQUEST, fallbacks: ["b"] };
  const choice = start();
  choice.replayed(request, turnBy("b"));
  expect((await turn(choice, request)).model).toBe("b");
  // Of another list nothing is known, nor of a model that is not on it.
  choice.replayed({ ...REQUEST, fallbacks: ["c"] }, turnBy("gone"));
  expect((await turn(choice, { fallbacks: ["c"] })).model).toBe("main");
  expect(asked).toEqual(["b", undefined]);
});

test("a model is refused to whom it is not for, by name; as a stand-in of the setting it is passed over", async () => {
  const mine = { mayUse: (owner: string) => owner === "bob" };
  const { start, asked } = choosing(
    { main: fails("model_unavailable"), dear: works, b: works },
    { main: { fallbacks: ["dear", "b"] }, dear: mine },
  );
  expect(() => start().stream({ ...REQUEST, model: "dear" }, NEVER)).toThrow(
    expect.objectContaining({ code: "model_not_allowed", param: "config.model" }),
  );
  expect(() => start().stream({ ...REQUEST, fallbacks: ["dear"] }, NEVER)).toThrow(
    expect.objectContaining({ code: "model_not_allowed", param: "config.fallback_models" }),
  );
  expect((await turn(start())).model).toBe("b");
  expect(asked).toEqual([undefined, "b"]);
});

test.each<[string, Behaviour, Behaviour, object]>([
  ["that may pass", fails("model_auth_failed"), fails("model_timeout"), { code: "model_timeout" }],
  [
    "that passes first",
    fails("model_rate_limited", { retryAfterMs: 9_000 }),
    fails("model_rate_limited", { retryAfterMs: 2_000 }),
    { code: "model_rate_limited", retryAfterMs: 2_000 },
  ],
  ["of the first choice", fails("model_quota_exceeded"), fails("model_auth_failed"), { code: "model_quota_exceeded" }],
])("when all fail, the failure %s counts", async (_, main, b, expected) => {
  await expect(turn(choosing({ main, b }).start(), { fallbacks: ["b"] })).rejects.toMatchObject(expected);
});

test("what is no failure of the model, and the end of the run, replace nothing", async () => {
  const { start, told } = choosing({ main: fails("budget_exhausted"), b: works, broken: () => new Error("bug") });
  await expect(turn(start(), { fallbacks: ["b"] })).rejects.toMatchObject({ code: "budget_exhausted" });
  await expect(turn(start(), { model: "broken", fallbacks: ["b"] })).rejects.toThrow("bug");
  const stopped = new AbortController();
  stopped.abort(new Error("cancelled"));
  const { start: startDown } = choosing({ main: fails("model_unavailable"), b: works });
  const stream = startDown().stream({ ...REQUEST, fallbacks: ["b"] }, stopped.signal);
  await expect(stream.next()).rejects.toMatchObject({ code: "model_unavailable" });
  expect(told).toEqual([]);
});

test("a reader that leaves before the first chunk ends the stream below", async () => {
  let isClosed = false;
  const held = Promise.withResolvers<never>();
  const stream = {
    next: () => held.promise,
    async return() {
      isClosed = true;
      held.reject(new PlatformError("model_unavailable"));
      return { done: true as const, value: undefined as never };
    },
  };
  const model = { stream: () => stream as unknown as ReturnType<Model["stream"]> };
  const find = (name = "main") => ({ name, model, mayUse: () => true, fallbacks: [] });
  const choice = createModelChoice({ models: { find }, owner: "alice", onFallback: () => expect.fail("replaced") });
  const chunks = choice.stream({ ...REQUEST, fallbacks: ["b"] }, NEVER);
  const first = chunks.next();
  await chunks.return(undefined as never);
  expect(await first).toEqual({ done: true, value: undefined });
  expect(isClosed).toBe(true);
  expect(await chunks.next()).toEqual({ done: true, value: undefined });
});
