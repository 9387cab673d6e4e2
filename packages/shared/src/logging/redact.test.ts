import { expect, test } from "vitest";
import { createRedactor } from "./redact.ts";

const redact = createRedactor(["exact-secret-value", "tiny"]);

test.each([
  ['{"msg":"Incorrect API key provided: sk-abc123DEF456ghi"}', "sk-abc123"],
  ['{"h":"Authorization: Bearer eyJhbGciOi.J9"}', "eyJhbGci"],
  ['{"headers":{"x-api-key":"ap_0123456789abcdef"}}', "ap_0123"],
  ['{"api_key":"some-value-123"}', "some-value-123"],
  ['{"msg":"{\\"password\\":\\"hunter2hunter2\\"}"}', "hunter2"],
  ['{"url":"redis://user:pa55word@host:6379"}', "pa55word"],
  ['{"url":"redis://:pa55word@host:6379"}', "pa55word"],
  ['{"msg":"it said exact-secret-value twice: exact-secret-value"}', "exact-secret-value"],
])("the line %s is redacted", (line, secret) => {
  expect(line).toContain(secret);
  expect(redact(line)).not.toContain(secret);
  expect(redact(line)).toContain("[redacted]");
});

test("a redacted line is still JSON, and fields without secrets stay readable", () => {
  const line = JSON.stringify({
    level: 30,
    url: "http://127.0.0.1:8000/api",
    tokens: 12,
    msg: "job ended",
    api_key: "ap_0123456789",
  });
  expect(JSON.parse(redact(line))).toMatchObject({ url: "http://127.0.0.1:8000/api", tokens: 12, msg: "job ended" });
});

test("a short secret is not redacted, because it would match parts of words", () => {
  expect(redact("a tiny line")).toBe("a tiny line");
});

test("the user and password of every URL of a line are redacted, whatever its scheme", () => {
  const line = "a+b://user:pa55word@host and mongodb+srv://user:pa55word@host and http://host/a@b";
  expect(redact(line)).toBe("a+b://[redacted]@host and mongodb+srv://[redacted]@host and http://host/a@b");
});
