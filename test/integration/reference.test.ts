/** The reference: the OpenAPI document, and a page that shows it without a key and without any outside address. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { answerChecks } from "../support/answer-checks.ts";
import type { Answer, Json } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ workers: 0 });
});
afterAll(() => platform.stop());

async function get(path: string): Promise<Answer<Json>> {
  const response = await fetch(platform.alice.origin + path);
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  const body = await (isJson ? response.json() : response.text());
  const answer = { status: response.status, headers: response.headers, body };
  (await answerChecks()).answer("GET", path, answer);
  return answer;
}

test("anybody may read the OpenAPI document", async () => {
  const { status, body } = await get("/openapi.json");
  expect(status).toBe(200);
  expect(body).toEqual(JSON.parse(await readFile(inject("openApiFile"), "utf8")));
});

test("the page runs no inline script, and all that it loads comes from the API", async () => {
  const page = await get("/docs");
  expect(page.status).toBe(200);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("content-security-policy")).not.toMatch(/unsafe|https?:|\*/);
  expect(page.body).not.toMatch(/<script>|<style|\son\w+=|:\/\//);
  const loaded = [...page.body.matchAll(/(?:src|href)="([^":]+)"/g)].map(([, path]) => path);
  expect(loaded).toHaveLength(3);
  for (const path of loaded) {
    const { status, headers } = await get(path);
    expect([path, status]).toEqual([path, 200]);
    expect(headers.get("content-type")).toMatch(/^text\/(css|javascript); charset=utf-8$/);
  }
});

test("no other file is served, whatever its name", async () => {
  for (const name of ["package.json", "swagger-ui.js", "..%2f..%2fpackage.json", "__proto__", "toString"]) {
    const { status, body } = await get(`/docs/${name}`);
    expect([name, status, body.error?.code]).toEqual([name, 404, "route_not_found"]);
  }
});
