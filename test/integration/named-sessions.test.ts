/** Sessions whose ids the client chooses (`if_not_exists: "create"`). */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ApiClient } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { startTwoApis, type TwoApis } from "../support/two-apis.ts";

let apis: TwoApis;
let alice: ApiClient;
let elsewhere: ApiClient;
beforeAll(async () => {
  apis = await startTwoApis();
  ({ alice, elsewhere } = apis);
});
afterEach(() => cancelUnfinished(alice));
afterAll(() => apis.platform.stop());

const CREATE = { if_not_exists: "create" };

test("a session begins under the client's id, and later messages go on in it, with or without the word", async () => {
  const session_id = randomUUID();
  const missing = await alice.chatWhole("[[text=Never]] Hello", { session_id });
  expect([missing.status, missing.body.error.code]).toEqual([404, "session_not_found"]);
  const first = await alice.chatWhole("[[text=One]] First", { session_id, ...CREATE, config: { temperature: 0.5 } });
  expect([first.status, first.body.session_id]).toEqual([200, session_id]);
  const second = await alice.chatWhole("[[text=Two]] Second", { session_id: session_id.toUpperCase(), ...CREATE });
  const third = await alice.chatWhole("[[text=Three]] Third", { session_id });
  for (const { body } of [second, third]) expect(body.session_id).toBe(session_id);
  expect((await alice.history(session_id)).map(({ content }) => content)).toEqual([
    ...["[[text=One]] First", "One", "[[text=Two]] Second", "Two", "[[text=Three]] Third", "Three"],
  ]);
  expect((await alice.get(`/sessions/${session_id}`)).body.config).toEqual({ temperature: 0.5 });
});

test("an execute job begins a session that it names", async () => {
  const session_id = randomUUID();
  const job = await alice.ended(await alice.execute("[[text=Done]] Task", { session_id, ...CREATE }));
  expect(job).toMatchObject({ status: "completed", session_id });
  expect(await alice.history(session_id)).toHaveLength(2);
});

test("first messages that come at once on two APIs make one session, in the order accepted", async () => {
  for (let round = 0; round < 5; round++) {
    const session_id = randomUUID();
    const texts = Array.from({ length: 8 }, (_, at) => `[[text=Yes]] At once ${round}-${at}.`);
    const answers = await Promise.all(
      texts.map((message, at) => (at % 2 === 0 ? alice : elsewhere).chatWhole(message, { session_id, ...CREATE })),
    );
    expect(answers.map(({ status, body }) => [status, body.session_id])).toEqual(texts.map(() => [200, session_id]));
    const history = await alice.history(session_id);
    expect(history.map(({ role }) => role)).toEqual(texts.flatMap(() => ["user", "assistant"]));
    const asked = history.filter(({ role }) => role === "user").map(({ content }) => content);
    expect([...asked].sort()).toEqual(texts);
    // Each request to the model has the messages before it, so none ran beside another.
    const calls = await apis.callsOf(`At once ${round}-`);
    expect(calls.map(({ last_user }) => last_user)).toEqual(asked);
    expect(calls.map(({ messages_count }) => messages_count)).toEqual(texts.map((_, at) => 2 * at + 1));
  }
});

test("another owner's session is not found, whether it is only accepted or has a row", async () => {
  const { bob } = apis.platform;
  const session_id = randomUUID();
  const busy = await alice.chat({ message: "[[tokens=2000 rate=20]] Mine", session_id, ...CREATE });
  await alice.started(busy.jobId);
  const meanwhile = await bob.chatWhole("Theirs", { session_id, ...CREATE });
  await alice.cancel(busy.jobId);
  await alice.ended(busy.jobId);
  const afterwards = await bob.chatWhole("Theirs", { session_id, ...CREATE });
  for (const { status, body } of [meanwhile, afterwards]) {
    expect([status, body.error.code]).toEqual([404, "session_not_found"]);
  }
  expect((await alice.history(session_id)).map(({ role }) => role)[0]).toBe("user");
  expect((await bob.get("/sessions")).body.sessions).toEqual([]);
});

test("the id of a deleted session is not used again, and other words than create are refused", async () => {
  const session_id = randomUUID();
  await alice.chatWhole("[[text=Soon gone]] Hello", { session_id, ...CREATE });
  expect((await alice.delete(`/sessions/${session_id}`)).status).toBe(204);
  const again = await alice.chatWhole("Hello again", { session_id, ...CREATE });
  expect([again.status, again.body.error.code]).toEqual([404, "session_not_found"]);
  const other = await alice.chatWhole("Hello", { session_id: randomUUID(), if_not_exists: "fail" });
  expect([other.status, other.body.error.param]).toEqual([400, "if_not_exists"]);
});
