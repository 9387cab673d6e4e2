/** I6 after a crash: an entry in a session's turns whose job does not exist blocks nobody, however it came about. */
import { v7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

/** A session with the turn of a job that an API accepted a minute ago and died before it queued it. */
async function sessionWithDeadTurn(): Promise<string> {
  const { body } = await platform.alice.post("/chat/completions", {
    agent_type: "chat_basic",
    message: "hello",
    stream: false,
  });
  const dead = v7({ msecs: Date.now() - 60_000 });
  await platform.redis.rpush(platform.keys.sessionQueue(body.session_id), `chat:${dead}`);
  return body.session_id;
}

test("the next message runs", async () => {
  const session_id = await sessionWithDeadTurn();
  const { status, body } = await platform.alice.post("/chat/completions", {
    agent_type: "chat_basic",
    session_id,
    message: "and now?",
    stream: false,
    on_busy: "reject",
  });
  expect([status, body.status]).toEqual([200, "completed"]);
});

test("the session can be deleted, and takes nothing more", async () => {
  const session_id = await sessionWithDeadTurn();
  expect((await platform.alice.delete(`/sessions/${session_id}`)).status).toBe(204);
  const { status, body } = await platform.alice.post("/chat/completions", {
    agent_type: "chat_basic",
    session_id,
    message: "still there?",
  });
  expect([status, body.error.code]).toEqual([404, "session_not_found"]);
});

test("an entry that is young may be on its way to the queue, and counts", async () => {
  const { body } = await platform.alice.post("/chat/completions", {
    agent_type: "chat_basic",
    message: "hello",
    stream: false,
  });
  const young = v7({ msecs: Date.now() });
  await platform.redis.rpush(platform.keys.sessionQueue(body.session_id), `chat:${young}`);
  const answer = await platform.alice.post("/chat/completions", {
    agent_type: "chat_basic",
    session_id: body.session_id,
    message: "busy?",
    on_busy: "reject",
  });
  expect([answer.status, answer.body.error.code, answer.body.error.job_id]).toEqual([409, "session_busy", young]);
});
