/** Pages of the configured origins may call the API and read the headers that a resume needs; other pages may not. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { CORS_ORIGINS: "https://app.example.com, https://b.example.com" } });
});
afterAll(() => platform.stop());

const preflight = (origin: string) =>
  fetch(`${platform.alice.origin}/api/v1/chat/completions`, {
    method: "OPTIONS",
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization,content-type",
    },
  });

test("a page of a configured origin may call the API, and its preflight request needs no key", async () => {
  const { status, headers } = await preflight("https://b.example.com");
  expect(status).toBe(204);
  expect(headers.get("access-control-allow-origin")).toBe("https://b.example.com");
  expect(headers.get("access-control-allow-methods")).toContain("POST");
  expect(headers.get("access-control-allow-headers")).toBe("authorization,content-type");
});

test("a page of a configured origin may read the header that names where to resume", async () => {
  const { headers } = await platform.alice.get("/sessions", { Origin: "https://app.example.com" });
  expect(headers.get("access-control-allow-origin")).toBe("https://app.example.com");
  expect(headers.get("access-control-expose-headers")).toContain("Location");
});

test("a page of another origin may not call the API", async () => {
  const { headers } = await preflight("https://evil.example.com");
  expect(headers.get("access-control-allow-origin")).toBeNull();
});
