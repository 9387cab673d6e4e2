import { expect, test } from "vitest";
import { decisionOfResponse, type OpenInquiry } from "./inquiries.ts";

const question: OpenInquiry = { request_id: "r", type: "input", question: "Which?", schema: null };
const approval: OpenInquiry = { request_id: "r", type: "approval", tool: "write", arguments: {} };

const answered = (result: Record<string, unknown> | null) => ({ result, error: null });

test.each([
  ["an error", { result: null, error: { message: "Method not found" } }, /could not ask its user: Method not found/],
  ["a user who closes the question", answered({ action: "cancel" }), /closed the question/],
  ["no answer", answered({ colour: "red" }), /no answer to a question/],
  ["nothing", answered(null), /no answer to a question/],
])("%s leaves neither a question nor an approval open", (_what, response, reason) => {
  for (const inquiry of [question, approval]) {
    expect(decisionOfResponse(inquiry, response)).toEqual({
      decision: "reject",
      reason: expect.stringMatching(reason),
    });
  }
});

test("a long error is cut to what a reason may be", () => {
  const { reason } = decisionOfResponse(question, { result: null, error: { message: "x".repeat(9_000) } });
  expect(reason).toHaveLength(2_000);
});

test("an answer and a decision are taken as they are", () => {
  expect(decisionOfResponse(question, answered({ action: "accept", content: { answer: 3 } }))).toEqual({
    ...{ decision: "answer", answer: 3 },
  });
  expect(decisionOfResponse(approval, answered({ action: "accept", content: { decision: "approve" } }))).toEqual({
    ...{ decision: "approve" },
  });
  expect(decisionOfResponse(approval, answered({ action: "decline" }))).toEqual({ decision: "reject" });
});
