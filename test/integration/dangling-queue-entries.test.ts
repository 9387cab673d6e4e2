/** I6 after a crash: an entry of a session queue whose job does not exist blocks no job of the session. */
import { MINUTE } from "@agent-paas/shared/time.ts";
import { v7 } from "uuid";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

/** A session whose queue ends with an entry of this age, as an API leaves it that dies before it queues the job. */
async function sessionWithDanglingEntry(ageMs: number) {
  const { body } = await platform.alice.chatWhole("hello");
  const jobId = v7({ msecs: Date.now() - ageMs });
  await platform.redis.rpush(platform.keys.sessionQueue(body.session_id), `chat:${jobId}`);
  return { session_id: body.session_id, jobId };
}

test("the next message of a session with an old dangling entry runs", async () => {
  const { session_id } = await sessionWithDanglingEntry(MINUTE);
  const { status, body } = await platform.alice.chatWhole("and now?", { session_id, on_busy: "reject" });
  expect([status, body.status]).toEqual([200, "completed"]);
});

test("a session with an old dangling entry can be deleted, and takes no message afterwards", async () => {
  const { session_id } = await sessionWithDanglingEntry(MINUTE);
  expect((await platform.alice.delete(`/sessions/${session_id}`)).status).toBe(204);
  const { status, body } = await platform.alice.chatWhole("still there?", { session_id });
  expect([status, body.error.code]).toEqual([404, "session_not_found"]);
});

test("a new entry without a job keeps the session busy, because its job may be about to be queued", async () => {
  const { session_id, jobId } = await sessionWithDanglingEntry(0);
  const { status, body } = await platform.alice.chatWhole("busy?", { session_id, on_busy: "reject" });
  expect([status, body.error.code, body.error.job_id]).toEqual([409, "session_busy", jobId]);
});
