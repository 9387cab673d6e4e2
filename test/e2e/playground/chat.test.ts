/** Chats in the playground, in a real browser: answers, tools, people, lost connections, other tabs. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { formatDirectives } from "../../../scripts/model-server/client.ts";
import { startChromium } from "../../support/chromium.ts";
import { openQueue } from "../../support/open-queues.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../../support/platform.ts";
import { builtPlayground, openPlayground, type Playground, type PlaygroundOptions } from "../../support/playground.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { waitFor } from "../../support/wait-for.ts";

let platform: TestPlatform;
let browser: Browser;
let proxy: TcpProxy;
const opened: Playground[] = [];

beforeAll(async () => {
  await builtPlayground();
  browser = await startChromium();
  platform = await startTestPlatform();
  proxy = await startTcpProxy(platform.alice.origin);
}, 180_000);
afterAll(async () => {
  await Promise.all([browser?.close(), proxy?.close(), platform?.stop()]);
});
afterEach(() => Promise.all(opened.splice(0).map((playground) => playground.close())));

async function open(options?: PlaygroundOptions, origin = platform.alice.origin): Promise<Playground> {
  const playground = await openPlayground(browser, origin, options);
  opened.push(playground);
  return playground;
}

/** An error of the platform that the client throws at once. */
const refusal = (code: string) => ({ status: 429, json: { error: { code, message: `It is ${code}.` } } });

/** One word a token, so that it can be seen which are there. */
const words = (count: number): string => Array.from({ length: count }, (_, at) => `w${at + 1}`).join(" ");

test.each([
  ["en-GB", "Hello there", "New chat"],
  ["zh-CN", "你好，请介绍一下自己", "新会话"],
])("a chat in %s answers, and its session stands at the side by its title", async (locale, message, newChat) => {
  const playground = await open({ locale });
  await playground.send(message);
  expect(await playground.answer()).toContain(message);
  const { page } = playground;
  await page.locator(".sessions a[aria-current]", { hasText: message }).waitFor();
  expect(page.url()).toMatch(/#\/chat\/[0-9a-f-]{36}$/);
  // The key has left the address.
  expect(page.url()).not.toContain("key");

  await page.getByRole("button", { name: newChat }).first().click();
  await page.locator(".welcome").waitFor();
  await page.locator(".sessions a", { hasText: message }).first().click();
  expect(await playground.answer()).toContain(message);
  playground.expectClean();
});

test("a long question, code and a table stay within the width of a small phone", async () => {
  const playground = await open({ viewport: { width: 360, height: 740 } });
  const text = `| a | b |\n|---|---|\n| ${"wide ".repeat(40)} | 1 |\n\n\`\`\`ts\nconst x = "${"y".repeat(300)}";\n\`\`\``;
  await playground.send(`${"A question without an end, ".repeat(10)} ${formatDirectives({ text })}`);
  await playground.answer();
  const { page } = playground;
  await page.locator(".code-block").waitFor();
  expect(
    await page.evaluate("[...document.querySelectorAll('main, .chat .frame')].map((one) => one.scrollWidth)"),
  ).toEqual([360, 360]);
  playground.expectClean();
});

test("a tool call is folded under the answer, with arguments and result", async () => {
  const playground = await open();
  const { page } = playground;
  await page.getByLabel("Agent", { exact: true }).selectOption("tool_basic");
  await playground.send('What is six by seven? [[calls=calculator({"expression":"6*7"})]]');
  expect(await playground.answer()).toContain("42");
  await page.locator(".thoughts > summary").click();
  await page.locator(".thoughts li summary", { hasText: "calculator" }).click();
  await expect
    .poll(() => page.locator(".thoughts .value").allInnerTexts())
    .toEqual([expect.stringContaining("6*7"), expect.stringContaining("42")]);
  playground.expectClean();
});

test("what an agent did is shown after a reload, and its steps when the events are gone", async () => {
  const playground = await open();
  const { page } = playground;
  const message = 'What is six by eight? [[calls=calculator({"expression":"6*8"})]]';
  const { sessionId, jobId } = await platform.alice.chat({ agent_type: "tool_basic", message });
  await platform.alice.ended(jobId);
  await page.goto(`${platform.alice.origin}/#/chat/${sessionId}`);
  await page.locator(".thoughts summary", { hasText: "What it did" }).click();
  await page.locator(".thoughts li summary", { hasText: "calculator" }).click();
  await expect
    .poll(() => page.locator(".thoughts .value").allInnerTexts())
    .toEqual([expect.stringContaining("6*8"), expect.stringContaining("48")]);

  await platform.redis.del(platform.keys.eventLog(jobId));
  await page.reload();
  await page.locator(".thoughts summary", { hasText: "What it did" }).click();
  await expect
    .poll(() => page.locator(".thoughts li").allInnerTexts())
    .toEqual([expect.stringContaining("local-model"), expect.stringContaining("calculator"), expect.any(String)]);

  // Another answer comes of the session's own agent.
  const calls = async () => (await platform.model.calls({ contains: "six by eight" })).length;
  const before = await calls();
  await page.getByRole("button", { name: "Another answer" }).click();
  await expect.poll(calls, { timeout: 20_000 }).toBe(2 * before);
  expect(await playground.answer()).toContain("48");
  playground.expectClean();
});

test("a call waits for a person, who changes its arguments, and goes on", async () => {
  const playground = await open();
  const { page } = playground;
  const message = 'May you? [[calls=calculator({"expression":"6*7"})]]';
  const config = { tools: ["calculator"], approve: ["calculator"] };
  const { sessionId } = await platform.alice.chat({ agent_type: "tool_basic", message, config });
  await page.goto(`${platform.alice.origin}/#/chat/${sessionId}`);
  await page.getByRole("button", { name: "Edit" }).last().click();
  await page.getByRole("textbox", { name: /arguments/i }).fill('{"expression":"6*8"}');
  await page.getByRole("button", { name: /^Approve/ }).click();
  expect(await playground.answer()).toContain("48");
  playground.expectClean();
});

test("a reload in the middle of an answer loses no word and doubles none", async () => {
  const playground = await open();
  const { page } = playground;
  const text = words(120);
  await playground.send(`Count ${formatDirectives({ text, rate: 40 })}`);
  await page.locator(".answer", { hasText: "w10 " }).waitFor();
  await page.reload();
  await page.locator(".answer", { hasText: "w20 " }).waitFor();
  expect(await playground.answer()).toBe(text);
  expect(await page.locator(".exchange").count()).toBe(1);
  playground.expectClean();
});

test("an answer survives cuts of its connection, a new API process and the death of its worker", async () => {
  const origin = new URL(proxy.url).origin;
  const playground = await open({ expected: /Failed to load resource|ERR_/ }, origin);
  const text = words(150);
  await playground.send(`Count ${formatDirectives({ text, rate: 30 })}`);
  const { page } = playground;
  for (const word of ["w10 ", "w30 "]) {
    await page.locator(".answer", { hasText: word }).waitFor();
    proxy.sever();
  }
  await page.locator(".answer", { hasText: "w50 " }).waitFor();
  const [api] = platform.apis;
  await api?.kill();
  proxy.sever();
  const { port } = new URL(platform.alice.origin);
  await platform.startApi({ PORT: port, PROCESS_NAME: "api-1" });
  await page.locator(".answer", { hasText: "w70 " }).waitFor();
  await platform.startWorker();
  await platform.workers[0]?.kill();
  expect(await playground.answer()).toBe(text);
  playground.expectClean();
});

test("messages wait their turn, also over a reload; stop ends the job at work, and what was there stays", async () => {
  const playground = await open({ expected: /429/ });
  const { page } = playground;
  const queue = openQueue(platform, "chat");
  await queue.pause();
  try {
    await playground.send("Nobody is there");
    await page.getByText("Waiting for its turn").waitFor();
    await page.waitForURL(/#\/chat\/[0-9a-f-]{36}$/);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped", { exact: true }).waitFor();
  } finally {
    await queue.resume();
  }
  await playground.send(`Count ${formatDirectives({ text: words(3_000), rate: 20 })}`);
  const waiting = ["one", "two", "three", "four", "five", "six"];
  for (const word of waiting) await playground.send(`Say ${formatDirectives({ text: `it is ${word}` })}`);
  // A refusal that the client does not wait out itself: the page comes back.
  await page.route("**/events", (route) => route.fulfill(refusal("suspended_jobs_limit")), { times: 1 });
  await page.reload();
  await page.getByText("It is suspended_jobs_limit.").waitFor();
  await page.locator(".answer .markdown", { hasText: "w5 " }).waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect.poll(() => page.getByText("Stopped", { exact: true }).count(), { timeout: 20_000 }).toBe(2);
  const answers = () => page.locator(".answer .markdown").allInnerTexts();
  const wanted = [expect.stringMatching(/^w1 w2 w3/), ...waiting.map((word) => `it is ${word}`)];
  await expect.poll(answers, { timeout: 45_000 }).toEqual(wanted);
  playground.expectClean();
});

test("on a phone a refused message is sent again or left, and the list makes room for it", async () => {
  const playground = await open({ viewport: { width: 390, height: 844 }, expected: /429/ });
  const { page } = playground;
  await page.route("**/chat/completions", (route) => route.fulfill(refusal("sessions_limit")), { times: 2 });
  await playground.send("Left behind");
  await page.locator(".answer", { hasText: "sessions_limit" }).waitFor();
  await page.getByRole("button", { name: "New chat" }).click();
  await page.locator(".welcome").waitFor();
  await playground.send("A kestrel hovers");
  await page.locator(".answer", { hasText: "sessions_limit" }).waitFor();
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".answer .markdown", { hasText: "A kestrel hovers" }).waitFor();
  expect(await page.locator(".exchange").count()).toBe(1);
  await page.locator(".bar strong", { hasText: "A kestrel hovers" }).waitFor();

  await page.getByRole("button", { name: "Conversations" }).click();
  await page.locator(".sessions a[aria-current]").click();
  await page.locator(".sessions").waitFor({ state: "hidden" });

  const focused = () => page.evaluate("document.activeElement.ariaLabel");
  await page.locator(".question").getByRole("button", { name: "Edit" }).click();
  await expect.poll(focused).toBe("Message");
  await page.keyboard.press("Escape");
  await expect.poll(focused).toBe("Edit");
  playground.expectClean();
});

test("two tabs on one session agree, also on what is edited and answered anew", async () => {
  const first = await open();
  await first.send(`One ${formatDirectives({ text: "first answer" })}`);
  expect(await first.answer()).toBe("first answer");
  const second = await open();
  await second.page.goto(first.page.url());
  expect(await second.answer()).toBe("first answer");

  await second.send(`Two ${formatDirectives({ text: "second answer" })}`);
  await waitFor("the other tab's answer", () => first.page.getByText("second answer", { exact: true }).isVisible());

  await first.page.getByRole("button", { name: "Edit" }).first().click();
  await first.page
    .getByRole("textbox", { name: "Message" })
    .first()
    .fill(`Else ${formatDirectives({ text: "other" })}`);
  await first.page.getByRole("button", { name: "Send again" }).click();
  await expect.poll(() => first.page.locator(".exchange").count(), { timeout: 20_000 }).toBe(1);
  expect(await first.answer()).toBe("other");
  await expect.poll(() => second.page.locator(".exchange").count(), { timeout: 20_000 }).toBe(1);
  await first.page.getByRole("button", { name: "Another answer" }).click();
  await expect.poll(() => platform.model.calls({ contains: "Else" }).then((calls) => calls.length)).toBe(2);
  expect(await first.answer()).toBe("other");
  first.expectClean();
  second.expectClean();
});

test("a session is renamed, found by a word of its messages, and deleted", async () => {
  const playground = await open();
  const { page } = playground;
  await playground.send(`Where is the kingfisher? ${formatDirectives({ text: "At the river." })}`);
  await playground.answer();
  await page.getByRole("button", { name: /^Rename, Delete: Where is/ }).click();
  await page.locator(".row-actions").getByRole("button", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Title" }).fill("Birds");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await page.locator(".sessions .title", { hasText: /^Birds$/ }).waitFor();
  // What a phone shows above the conversation.
  await expect.poll(() => page.locator(".bar strong").textContent()).toBe("Birds");

  await page.getByRole("searchbox").fill("kingfisher");
  await expect.poll(() => page.locator(".sessions .title").allInnerTexts(), { timeout: 20_000 }).toEqual(["Birds"]);
  await page.getByRole("button", { name: "Rename, Delete: Birds" }).click();
  await page.locator(".row-actions").getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Nothing found.").waitFor();
  playground.expectClean();
});

test("a browser that lets the page keep nothing shows it all the same", async () => {
  const playground = await open({ fragment: "" });
  const { page } = playground;
  await page.addInitScript(`
    for (const name of ["localStorage", "sessionStorage"]) {
      Object.defineProperty(window, name, { get: () => { throw new DOMException("denied", "SecurityError"); } });
    }`);
  await page.goto(`${platform.alice.origin}/?again#key=${KEYS.alice}`);
  await playground.send("Hello there");
  expect(await playground.answer()).toContain("Hello there");
  await page.getByRole("link", { name: "Platform" }).click();
  await page.getByRole("heading", { name: "Platform" }).waitFor();
  playground.expectClean();
});

test("a wrong key is asked for again, and the right one is kept for the tab or the device", async () => {
  const playground = await open({ fragment: "key=wrong", expected: /401/ });
  const { page } = playground;
  await page.getByText("The platform does not know this key.").waitFor();
  await page.getByLabel("Key", { exact: true }).fill("ap_test_key_of_alice");
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Open" }).click();
  await page.locator(".agent-choice option").first().waitFor({ state: "attached" });
  expect(await page.getByRole("dialog").count()).toBe(0);
  const another = await page.context().newPage();
  await another.goto(platform.alice.origin);
  await another.locator(".agent-choice option").first().waitFor({ state: "attached" });
  playground.expectClean();
});
