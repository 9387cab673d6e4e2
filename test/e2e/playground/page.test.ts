/** The playground as a page: its size, hostile texts, keyboard and contrast, long conversations. */
import { readdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { formatDirectives } from "../../../scripts/model-server/client.ts";
import { startChromium } from "../../support/chromium.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../../support/platform.ts";
import { builtPlayground, openPlayground, type Playground, type PlaygroundOptions } from "../../support/playground.ts";
import { seedSession } from "../../support/seed-session.ts";
import { ROOT } from "../../support/sources.ts";

const DIST = join(ROOT, "apps/playground/dist");
const MOST_BYTES = 250 * 1_024;
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let platform: TestPlatform;
let browser: Browser;
const opened: Playground[] = [];

beforeAll(async () => {
  await builtPlayground();
  browser = await startChromium();
  platform = await startTestPlatform();
}, 180_000);
afterAll(async () => {
  await Promise.all([browser?.close(), platform?.stop()]);
});
afterEach(() => Promise.all(opened.splice(0).map((playground) => playground.close())));

async function open(options?: PlaygroundOptions): Promise<Playground> {
  const playground = await openPlayground(browser, platform.alice.origin, options);
  opened.push(playground);
  return playground;
}

test("the page with all its parts has less than 250 KiB, gzipped", async () => {
  const names = (await readdir(DIST)).filter((name) => name.endsWith(".gz"));
  expect(names.length).toBeGreaterThan(4);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(DIST, name))).size));
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MOST_BYTES);
});

test("page and files are gzipped, typed, cached by their names, and under a strict policy", async () => {
  const { origin } = platform.alice;
  const page = await fetch(`${origin}/`);
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect([page.headers.get("content-encoding"), page.headers.get("cache-control")]).toEqual(["gzip", "no-cache"]);
  const html = await page.text();
  const script = /src="(assets\/main-[\w-]+\.js)"/.exec(html)?.[1];
  const file = await fetch(`${origin}/${script}`, { headers: { "Accept-Encoding": "identity" } });
  expect([file.status, file.headers.get("content-encoding")]).toEqual([200, null]);
  expect(file.headers.get("content-type")).toContain("text/javascript");
  expect(file.headers.get("cache-control")).toContain("immutable");
  for (const name of ["none.js", "..%2f..%2fpackage.json", "sources.sha256", "index.html.gz", "main.map"]) {
    expect([name, (await fetch(`${origin}/assets/${name}`)).status]).toEqual([name, 404]);
  }
});

/** Each would run something, load something from elsewhere, or stop the page, if it were taken for more than text. */
const HOSTILE: Readonly<Record<string, string>> = {
  scripts: '<script>window.hacked=1</script><img src=x onerror="window.hacked=1"><svg onload=window.hacked=1>',
  links:
    "[a](javascript:window.hacked=1) [b](JaVaScRiPt:window.hacked=1) [c](data:text/html,<script>1</script>) " +
    "<javascript:window.hacked=1>",
  beacons: "![x](http://127.0.0.1:9/beacon.png) <img src=http://127.0.0.1:9/b.png> ![y](//127.0.0.1:9/c.png)",
  "formulas that expand": "$\\def\\a{\\a\\a}\\a$ $$\\href{javascript:window.hacked=1}{x}$$ $\\htmlData{x=y}{z}$",
  "marks of direction": "\u202Eesrever\u202D \u2066isolate [\u202Elink](https://example.org) \u200F\u200F",
  "unclosed emphasis": `${"**a*b ".repeat(4_000)}`,
  brackets: "[".repeat(20_000),
  "nested quotes and lists": `${"> ".repeat(3_000)}deep\n\n${"1. ".repeat(3_000)}deep`,
};

describe("hostile", () => {
  let playground: Playground;
  beforeAll(async () => {
    playground = await openPlayground(browser, platform.alice.origin);
  });
  afterAll(() => playground.close());

  test.each(Object.entries(HOSTILE))("%s do nothing in an answer", async (_, text) => {
    const { page } = playground;
    await page.goto(`${platform.alice.origin}/#/chat`);
    await page.locator(".welcome").waitFor();
    await playground.send(`Say it ${formatDirectives({ text })}`);
    await playground.answer();
    for (const link of await page.locator(".markdown a").all()) {
      expect(await link.getAttribute("href")).toMatch(/^(?:https?:)?\/\//);
      expect(await link.getAttribute("rel")).toContain("noopener");
    }
    expect(await page.evaluate(() => "hacked" in globalThis)).toBe(false);
    expect(await page.locator(".markdown img, .markdown svg, .markdown script").count()).toBe(0);
    // What the person writes next still works.
    await playground.send(`And now ${formatDirectives({ text: "well" })}`);
    await expect.poll(() => playground.answer(), { timeout: 30_000 }).toBe("well");
    playground.expectClean();
  });
});

test("a megabyte of text and a table of 3,000 rows are shown whole, beside a page that works", {
  timeout: 180_000,
}, async () => {
  const playground = await open();
  const { page } = playground;
  const table = `| a | b |\n|---|---|\n${"| one | two |\n".repeat(3_000)}`;
  const line = `${`${"x".repeat(99)} `.repeat(10_000)}.`;
  await platform.model.script({ match: "table", steps: [{ text: table }] });
  await platform.model.script({ match: "line", steps: [{ text: line }] });
  await playground.send("A table, please");
  await playground.answer();
  await expect.poll(() => page.locator(".markdown tr").count(), { timeout: 30_000 }).toBe(3_001);
  const limits = { max_output_tokens: 1_000_000 };
  const { sessionId } = await platform.alice.chat({ message: "A long line, please", limits });
  await page.goto(`${platform.alice.origin}/#/chat/${sessionId}`);
  await playground.answer();
  const shown = async () => (await page.locator(".answer").last().locator(".markdown").textContent())?.length;
  await expect.poll(shown, { timeout: 90_000 }).toBe(line.length);
  // Nothing is wider than the page.
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  await page.getByRole("link", { name: "Jobs" }).click();
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  playground.expectClean();
});

test("a session of 5,000 messages is opened at its end, and read to its beginning", { timeout: 180_000 }, async () => {
  const storage = openStorage(platform.databaseUrl);
  const sessionId = await seedSession(storage, "alice", 2_500).finally(() => storage.close());
  const playground = await open();
  const { page } = playground;
  await page.goto(`${platform.alice.origin}/#/chat/${sessionId}`);
  await page.getByText("assistant 1 turns ago").first().waitFor();
  const toTop = () => page.evaluate("document.querySelector('.chat .frame').scrollTo({ top: 0 })");
  const shown = () => page.locator(".exchange").count();
  await expect.poll(() => toTop().then(shown), { timeout: 150_000, interval: 50 }).toBe(2_500);
  expect(await page.locator(".exchange").first().textContent()).toContain("user 2500 turns ago");
  playground.expectClean();
});

test("everything of a chat is done by keyboard alone", async () => {
  const playground = await open();
  const { page } = playground;
  await page.locator(".welcome .button").first().waitFor();
  await focusOn(page, "Message");
  await page.keyboard.type(`Hello ${formatDirectives({ text: "by keys" })}`);
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("second line");
  await page.keyboard.press("Enter");
  expect(await playground.answer()).toBe("by keys");
  await focusOn(page, "Another answer");
  await page.keyboard.press("Enter");
  await expect.poll(() => platform.model.calls({ contains: "second line" }).then((calls) => calls.length)).toBe(2);
  await playground.answer();
  await focusOn(page, "Settings of the agent");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  await focusOn(page, "Jobs");
  await page.keyboard.press("Enter");
  await expect.poll(() => page.url()).toContain("#/jobs");
  playground.expectClean();
});

test("a text that is no key is refused wherever it comes from, and a link gives its key to a page that is open", async () => {
  const playground = await open({ fragment: `key=${encodeURIComponent("错误的密钥")}` });
  const { page } = playground;
  const refusal = page.getByText("The platform does not know this key.");
  await refusal.waitFor();
  for (const typed of ["错误的密钥", `${KEYS.alice}\u200b`, "two words"]) {
    await page.getByLabel("Key", { exact: true }).fill(typed);
    await page.getByRole("button", { name: "Open" }).click();
    await refusal.waitFor();
  }
  await page.evaluate("sessionStorage.setItem('agent-paas.key', '错误的密钥')");
  await page.reload();
  await page.getByLabel("Key", { exact: true }).waitFor();
  expect(await refusal.count()).toBe(0);
  await page.evaluate(`location.hash = "key=${KEYS.alice}"`);
  await page.locator(".welcome .button").first().waitFor();
  expect(page.url()).not.toContain("key");
  await page.reload();
  await page.locator(".welcome .button").first().waitFor();
  playground.expectClean();
});

const FOCUSED = "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim()";

/** Goes there with Tab, as somebody does who has no mouse; backwards if that is nearer does not matter. */
async function focusOn(page: Page, name: string): Promise<void> {
  for (let step = 0; step < 80; step += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(FOCUSED);
    if (focused === name) return;
  }
  throw new Error(`no way to "${name}" by Tab`);
}

test.each(["light", "dark"] as const)("axe finds nothing serious on any page in the %s theme", async (colorScheme) => {
  // The page's policy runs no foreign script, such as axe.
  const playground = await open({ colorScheme, bypassCSP: true });
  const { page } = playground;
  await playground.send(`Markdown ${formatDirectives({ text: "# One\n\n`two` **three**\n\n```js\nlet a = 1;\n```" })}`);
  await playground.answer();
  for (const address of ["", "#/inbox", "#/jobs", "#/jobs/new", "#/documents", "#/overview"]) {
    if (address !== "") await page.goto(`${platform.alice.origin}/${address}`);
    await page.locator("main *").first().waitFor();
    await expect.poll(() => page.locator("main .loading").count()).toBe(0);
    expect([address, await violations(page)]).toEqual([address, []]);
  }
  playground.expectClean();
});

type Violation = { readonly id: string; readonly impact: string; readonly nodes: readonly { readonly html: string }[] };

async function violations(page: Page): Promise<readonly string[]> {
  await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate<{ readonly violations: readonly Violation[] }>("axe.run()");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" ")}`);
}
