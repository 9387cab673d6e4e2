/** Jobs and what waits for people, in the playground: started, watched, decided, stopped. */
import { randomUUID } from "node:crypto";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startChromium } from "../../support/chromium.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../../support/platform.ts";
import { builtPlayground, openPlayground, type Playground, type PlaygroundOptions } from "../../support/playground.ts";
import { decide, waitingFor } from "../../support/waiting-job.ts";

let platform: TestPlatform;
let browser: Browser;
const opened: Playground[] = [];

beforeAll(async () => {
  await builtPlayground();
  browser = await startChromium();
  platform = await startTestPlatform({ env: FIXTURE_AGENTS });
}, 180_000);
afterAll(async () => {
  await Promise.all([browser?.close(), platform?.stop()]);
});
afterEach(() => Promise.all(opened.splice(0).map((playground) => playground.close())));

async function openAt(place: string, options?: PlaygroundOptions): Promise<Playground> {
  const playground = await openPlayground(browser, platform.alice.origin, options);
  opened.push(playground);
  await playground.page.goto(`${platform.alice.origin}/#/${place}`);
  return playground;
}

const APPROVED = { tools: ["calculator"], approve: ["calculator"] };
const sum = (...expressions: readonly string[]): string =>
  `Sum [[calls=${expressions.map((expression) => `calculator({"expression":"${expression}"})`).join(";")}]]`;

const badge = (page: Page, status: string) => page.locator(`.heading .badge.${status}`);

test("a job is started from the form of its agent, and shows its timeline, its result and its events", async () => {
  const playground = await openAt("jobs/new");
  const { page } = playground;
  await page.getByLabel("Agent", { exact: true }).selectOption("tool_basic");
  await page.getByLabel("Task", { exact: true }).fill(sum("6*7"));
  await page.getByLabel("temperature", { exact: true }).fill("2.5");
  await page.getByText("At most 2.").waitFor();
  await page.getByLabel("Input", { exact: true }).fill("{");
  await page.getByText("This is not valid JSON.").waitFor();
  await page.getByRole("button", { name: "Start" }).click();
  expect(page.url()).toContain("#/jobs/new");

  await page.getByLabel("temperature", { exact: true }).fill("1.50");
  await page.getByLabel("Input", { exact: true }).fill('{"unit": "m"}');
  // As on plain HTTP, where the page has no clipboard.
  await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
  await page.getByRole("button", { name: "Show as code" }).click();
  await page.getByRole("dialog").locator("pre", { hasText: '"config": {"temperature": 1.5}' }).waitFor();
  await page.evaluate("addEventListener('copy', () => { globalThis.copied = document.activeElement.value; })");
  await page.getByRole("button", { name: "Copy the code" }).click();
  await page.getByRole("button", { name: "Copied" }).and(page.locator(":focus")).waitFor();
  expect(await page.evaluate("copied")).toContain('"input": {"unit": "m"}');
  await page.evaluate("document.execCommand = () => false");
  await page.getByRole("button", { name: "Copy the code" }).click();
  await page.locator(".notice", { hasText: "did not allow copying" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Start" }).click();
  await badge(page, "completed").waitFor();
  expect(page.url()).toMatch(/#\/jobs\/[0-9a-f-]{36}$/);
  await page.getByRole("button", { name: "Show as code" }).click();
  await page
    .getByRole("dialog")
    .locator("pre", { hasText: `/jobs/${page.url().slice(-36)}/events` })
    .waitFor();
  await page.keyboard.press("Escape");
  const [call] = await platform.model.calls({ contains: "6*7" });
  expect(call).toMatchObject({ temperature: 1.5 });

  await page.locator(".timeline tr.tool", { hasText: "calculator" }).waitFor();
  expect(await page.locator(".timeline tr.attempt").count()).toBe(1);
  expect(await page.locator(".timeline tr.model").count()).toBe(2);
  expect(await page.getByRole("region", { name: "Result" }).innerText()).toContain("42");
  await page.getByText("Events", { exact: true }).click();
  await page.locator(".events li", { hasText: /^\d+ done/ }).waitFor();
  await page.locator(".events li", { hasText: "tool_result" }).waitFor();

  const first = page.url();
  await page.getByRole("button", { name: "Run again" }).click();
  await expect.poll(() => page.url()).not.toBe(first);
  await badge(page, "completed").waitFor();
  expect((await platform.model.calls({ contains: "6*7" })).length).toBe(4);
  playground.expectClean();
});

test("the inbox shows what waits: a call is rejected with a reason, questions are answered and declined", async () => {
  const called = await platform.alice.execute(sum("7*8"), { config: APPROVED }, "tool_basic");
  const playground = await openAt("jobs/new");
  const { page } = playground;
  // This agent has no settings.
  await page.getByLabel("Agent", { exact: true }).selectOption("asking");
  expect(await page.getByRole("region", { name: "Config" }).count()).toBe(0);
  await page.getByLabel("Task", { exact: true }).fill("Ask me");
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForURL(/#\/jobs\/[0-9a-f-]{36}$/);
  const asked = page.url().slice(-36);
  await Promise.all([waitingFor(platform.alice, asked), waitingFor(platform.alice, called)]);
  await page.getByRole("link", { name: /^Inbox/ }).click();

  const call = page.locator(".inquiry", { hasText: "calculator" });
  expect(await call.getByRole("textbox", { name: "Arguments" }).inputValue()).toContain('"7*8"');
  const focused = (name: string) => call.getByRole("button", { name }).and(page.locator(":focus"));
  await call.getByRole("button", { name: "Edit arguments" }).click();
  await call.locator("textarea:focus").fill('{"expression": 9007199254740993}');
  await call.getByText("A number is too large").waitFor();
  await call.getByRole("button", { name: "Back" }).click();
  await focused("Edit arguments").waitFor();
  await call.getByRole("button", { name: "Reject" }).click();
  await call.getByRole("button", { name: "Back" }).click();
  await focused("Reject").waitFor();
  await call.getByRole("button", { name: "Reject" }).click();
  await call.getByRole("textbox", { name: /Reason/ }).fill("too late");
  await call.getByRole("button", { name: "Reject" }).click();
  expect((await platform.alice.ended(called)).result.content).toContain("too late");

  const colour = page.locator(".inquiry", { hasText: "Which colour?" });
  await colour.getByRole("button", { name: "Send answer" }).click();
  await colour.getByText("This is needed.").waitFor();
  await colour.getByLabel("Answer").selectOption("blue");
  await colour.getByRole("button", { name: "Send answer" }).click();
  const size = page.locator(".inquiry", { hasText: "Which size?" });
  await size.getByRole("button", { name: "Decline" }).click();
  await size.getByRole("button", { name: "Decline" }).click();
  const replies = [
    { answered: true, answer: "blue" },
    { answered: false, reason: null, expired: false },
  ];
  expect((await platform.alice.ended(asked)).result.content).toContain(JSON.stringify(replies));
  await page.getByText("Nothing waits for you.").waitFor();
  playground.expectClean();
});

test("a person who decides what somebody else has decided otherwise is told so", async () => {
  const job = await platform.alice.execute(sum("1+1", "2+2"), { config: APPROVED }, "tool_basic");
  const [{ request_id }] = await waitingFor(platform.alice, job, 2);
  const playground = await openAt("inbox", { expected: /409/ });
  const { page } = playground;
  const call = page.locator(".inquiry").first();
  await call.waitFor();
  // The page does not hear of it before the click.
  await page.route(/\/api\/v1\/jobs\?/, () => {});
  await decide(platform.alice, job, { request_id, decision: "reject" });
  await call.getByRole("button", { name: "Approve" }).click();
  await page.locator(".notice", { hasText: "Someone else has decided this differently." }).waitFor();
  await expect.poll(() => page.locator(".inquiry").count()).toBe(1);
  await platform.alice.cancel(job);
  await platform.alice.ended(job);
  playground.expectClean();
});

test("the list shows jobs by their status, and one that runs is watched and cancelled", async () => {
  const job = await platform.alice.execute("Write [[tokens=3000 rate=20]]", { metadata: { order: "A-17" } });
  await platform.alice.started(job);
  const playground = await openAt("jobs", { expected: /404/ });
  const { page } = playground;
  await page.getByLabel("Status").selectOption("running");
  await page.getByLabel("Kind").selectOption("chat");
  await page.getByText("No job is like this.").waitFor();
  await page.getByLabel("Kind").selectOption("execute");
  await page.getByRole("link", { name: job }).click();
  await badge(page, "running").waitFor();
  await page.locator(".timeline tr.model .bar.open").waitFor();
  expect(await page.getByRole("region", { name: "Metadata" }).getByRole("textbox").inputValue()).toContain("A-17");
  await page.getByRole("button", { name: "Cancel job" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel job" }).click();
  await badge(page, "cancelled").waitFor();
  await page.locator(".timeline tr.attempt.cancelled").waitFor();
  expect(await page.locator(".timeline .open").count()).toBe(0);
  await page.getByRole("link", { name: "All jobs" }).click();
  await page.getByText("No job is like this.").waitFor();
  expect(await platform.alice.ended(job)).toMatchObject({ status: "cancelled" });

  // A page that nobody sees asks once; for what does not exist, it asks no more when it is seen.
  await page.addInitScript("Object.defineProperty(document, 'hidden', { get: () => !globalThis.isSeen })");
  await page.clock.install();
  await page.goto(`${platform.alice.origin}/#/jobs/${randomUUID()}`);
  await page.reload();
  await page.locator(".failure").waitFor();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.clock.runFor(10_000);
  expect(asked).toEqual([]);
  await page.evaluate("isSeen = true; document.dispatchEvent(new Event('visibilitychange'))");
  const counted = page.waitForRequest(/status=waiting/);
  await page.clock.runFor(10_000);
  await counted;
  expect(asked.filter((url) => !url.includes("status=waiting"))).toEqual([]);
  playground.expectClean();
});

const EXCESS = "document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth";

test("inbox, list, form and one job fit a small phone", async () => {
  const job = await platform.alice.execute(sum("9".repeat(300)), { config: APPROVED }, "tool_basic");
  await waitingFor(platform.alice, job);
  const playground = await openAt("inbox", { viewport: { width: 360, height: 640 } });
  const { page } = playground;
  // By this computer's clock, all has expired.
  await page.clock.setFixedTime(Date.now() + 365 * 86_400_000);
  await page.reload();
  await page.getByText(/^expires in/).waitFor();
  for (const place of ["inbox", "jobs", "jobs/new", `jobs/${job}`]) {
    await page.goto(`${platform.alice.origin}/#/${place}`);
    await page.locator("main .card").first().waitFor();
    expect([place, await page.evaluate(EXCESS)]).toEqual([place, 0]);
  }
  await platform.alice.cancel(job);
  playground.expectClean();
});
