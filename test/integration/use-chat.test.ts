/** `useChat` of `@ai-sdk/react` in a page, with only `api` and `headers` set. */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { openPage, type PageOptions } from "../support/react-page.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ apis: 2 });
});
afterAll(() => platform.stop());

const open: { close(): void }[] = [];
afterEach(() => {
  for (const page of open.splice(0)) page.close();
});

async function pageOf(agent: string, options: Partial<PageOptions> = {}, api = 0) {
  const page = await openPage({
    api: `${platform.apis[api]?.origin}/api/v1/ui-messages/${agent}`,
    headers: { Authorization: `Bearer ${KEYS.alice}` },
    id: randomUUID(),
    ...options,
  });
  open.push(page);
  await waitFor("the page", () => page.status() === "ready");
  return page;
}

type Page = Awaited<ReturnType<typeof pageOf>>;

/** The page is drawn in steps: a chat that is ready may not show its answer yet, or its last state still. */
const answers = (page: Page, ...texts: readonly string[]) =>
  waitFor(`the answers ${texts}`, () => page.status() === "ready" && `${page.shown("assistant")}` === `${texts}`);

test("a user chats, and reads each answer", async () => {
  const page = await pageOf("chat_basic");
  page.send("hello [[text=Hi]]");
  await answers(page, "Hi");
  page.send("and again [[text=Bye]]");
  await answers(page, "Hi", "Bye");
  expect([page.shown("user"), page.error()]).toEqual([["hello [[text=Hi]]", "and again [[text=Bye]]"], ""]);
});

test("a user approves a call, and reads the result in the same message", async () => {
  const page = await pageOf("tool_basic", { body: { config: { tools: ["calculator"], approve: ["calculator"] } } });
  page.send('sum [[text=Done calls=calculator({"expression":"6*7"})]]');
  await waitFor("the approval", () => page.status() === "ready" && page.shown("tool")[0] === "approval-requested");
  page.click("approve");
  await waitFor("the result", () => page.status() === "ready" && page.shown("tool")[0] === "output-available");
  await waitFor(
    "the answer",
    () => page.shown("assistant").length === 1 && page.shown("assistant")[0]?.includes("Done"),
  );
});

test("a page runs its own tool, and the answer that follows stands in the same message", async () => {
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const inputs: unknown[] = [];
  const page = await pageOf("chat_basic", {
    body: { tools: [{ name: "weather", description: "Tells the weather.", parameters }] },
    runTool(input) {
      inputs.push(input);
      return { sky: "grey" };
    },
  });
  page.send('a page of weather [[text=Grey calls=weather({"city":"Oslo"})]]');
  await answers(page, "Grey");
  expect([inputs, page.shown("tool"), page.error()]).toEqual([[{ city: "Oslo" }], ["output-available"], ""]);
  const call = (await platform.model.calls({ contains: "a page of weather" })).at(-1);
  const { messages } = await platform.model.call(call?.id ?? 0);
  expect(messages?.at(-1)).toMatchObject({ role: "tool", content: '{"sky":"grey"}' });
});

test("a user stops an answer, and the next one follows at once", async () => {
  const page = await pageOf("chat_basic");
  page.send("[[tokens=2000 rate=20]] long");
  await waitFor("some text", () => (page.shown("assistant")[0] ?? "").length > 5);
  page.click("stop");
  await waitFor("the stop", () => page.status() === "ready");
  page.send("next [[text=Next]]");
  await waitFor("the next answer", () => page.status() === "ready" && page.shown("assistant")[1] === "Next");
});

test("a page that is reloaded shows the whole answer, from another API process", async () => {
  const id = randomUUID();
  const text = "[[tokens=60 rate=20]] reloaded";
  const before = await pageOf("chat_basic", { id });
  before.send(text);
  await waitFor("some text", () => (before.shown("assistant")[0] ?? "").length > 5);
  before.close();
  const kept = [{ id: "kept", role: "user" as const, parts: [{ type: "text" as const, text }] }];
  const after = await openPage({
    ...{ id, messages: kept, headers: { Authorization: `Bearer ${KEYS.alice}` } },
    api: `${platform.apis[1]?.origin}/api/v1/ui-messages/chat_basic`,
  });
  open.push(after);
  const { body } = await platform.alice.get("/jobs?limit=1");
  const { result } = await platform.alice.ended(body.jobs[0].id);
  await answers(after, result.content);
});
