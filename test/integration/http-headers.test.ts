/** The headers of every answer, and the comments that keep an idle stream open. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { SSE_HEARTBEAT_MS: "200" } });
});
afterAll(() => platform.stop());

test("answers carry Helmet's headers and a request id, and do not name the server software", async () => {
  const { headers } = await platform.alice.get("/agents");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("content-security-policy")).toContain("default-src 'self'");
  expect(headers.get("x-powered-by")).toBeNull();
  expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});

test("a plain request id of the client is used, any other is replaced", async () => {
  const idFor = async (id: string) =>
    (await platform.alice.get("/agents", { "X-Request-Id": id })).headers.get("x-request-id");
  expect(await idFor("trace-7.b")).toBe("trace-7.b");
  expect(await idFor('"quoted"')).toMatch(/^[0-9a-f-]{36}$/);
});

test("a stream that waits for the model is kept open by comments, which are not events", async () => {
  const response = await fetch(`${platform.alice.origin}/api/v1/chat/completions`, {
    method: "POST",
    headers: { "X-API-Key": KEYS.alice },
    body: JSON.stringify({ agent_type: "chat_basic", message: "[[ttft=1500 text=Late]] wait" }),
  });
  const text = await response.text();
  const frames = text.split("\n\n").filter((frame) => frame !== "");
  expect(frames.filter((frame) => frame === ": hb").length).toBeGreaterThan(2);
  expect(frames.filter((frame) => frame.startsWith("id: ")).length).toBe(3);
  expect(frames.at(-1)).toContain("event: done");
});
