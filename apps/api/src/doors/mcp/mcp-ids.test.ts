import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { callKey, issueSessionId, readSessionId } from "./client-session.ts";
import { eventIds, readEventId } from "./event-id.ts";
import { questionId, readQuestionId, readRequestState } from "./state.ts";

const jobId = randomUUID();

describe("the ids of events", () => {
  test.each([
    [1, null],
    ["a/b.c", "☂.1"],
    ["x".repeat(255), "y".repeat(255)],
  ])("an id says all that a stream of request %s needs", (requestId, progressToken) => {
    const call = { jobId, requestId, progressToken, elicits: true };
    expect(readEventId(eventIds(call)(42))).toEqual({ ...call, after: 42 });
  });

  const suffix = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  test.each([
    ["nothing", ""],
    ["no job", `x.1.${suffix([1, null, false])}`],
    ["no seq", `${jobId}.x.${suffix([1, null, false])}`],
    ["no call", `${jobId}.1.${suffix([{}, null, false])}`],
    ["no JSON", `${jobId}.1.????`],
    ["a long id", `${jobId}.1.${"A".repeat(10_000)}`],
  ])("%s is refused", (_what, id) => {
    expect(() => readEventId(id)).toThrow("Last-Event-ID: is not the id of an event of this server");
  });
});

describe("the ids of client sessions", () => {
  test.each([true, false])("an id says whether the client asks its user: %s", (elicits) => {
    expect(readSessionId(issueSessionId(elicits))).toMatchObject({ elicits });
  });

  test("requests of the ids 1 and '1' are two, and so are those of two clients", () => {
    const [one, other] = [readSessionId(issueSessionId(false)), readSessionId(issueSessionId(false))];
    if (one === null || other === null) throw new Error("no session");
    expect(new Set([callKey(one, 1), callKey(one, "1"), callKey(other, 1)]).size).toBe(3);
  });

  test("none is no session, and another server's is refused", () => {
    expect(readSessionId(undefined)).toBeNull();
    expect(() => readSessionId("abc")).toThrow("was not given by this server");
  });
});

test("a question's id comes back with its job; other ids are none", () => {
  expect(readQuestionId(questionId(jobId, "call/with/slashes"))).toEqual({ jobId, inquiryId: "call/with/slashes" });
  for (const id of [1, "1", jobId, `${jobId}/`, "x/y"]) expect(readQuestionId(id)).toBeNull();
});

test.each([undefined, 1, "", jobId, `${jobId}.`, `${jobId}.1.2`, `${jobId}.1-TAMPERED`, "x.1"])(
  "%s is no state of a call",
  (state) => {
    expect(readRequestState(state)).toBeNull();
  },
);
