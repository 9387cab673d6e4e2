/** The playground in a browser, as a person has it: what they see and do, and nothing of its code. */
import { buildPlayground } from "@agent-paas/playground/build.ts";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { KEYS } from "./platform.ts";

export type Playground = {
  readonly page: Page;
  /** Writes a message and sends it; returns once it stands in the conversation. */
  send(message: string): Promise<void>;
  /** Waits for the end of the answer that comes, and returns the text of the last one. */
  answer(): Promise<string>;
  /** The page asked no other host, and the browser's console has no error. */
  expectClean(): void;
  close(): Promise<void>;
};

export type PlaygroundOptions = BrowserContextOptions & {
  /** Behind `#`. Default: the key of alice. */
  readonly fragment?: string;
  /** Errors of the console that the test provokes, such as those of a server that is gone. */
  readonly expected?: RegExp;
};

/** How long an answer may take, ms: the machine may be crowded. */
const ANSWERED_WITHIN_MS = 45_000;

/** Built once for all tests of a process. */
export const builtPlayground = (): Promise<boolean> => buildPlayground();

export async function openPlayground(
  browser: Browser,
  origin: string,
  { fragment = `key=${KEYS.alice}`, expected, ...context }: PlaygroundOptions = {},
): Promise<Playground> {
  const opened = await browser.newContext({
    ...{ viewport: { width: 1280, height: 800 }, locale: "en-GB", reducedMotion: "reduce" as const },
    ...context,
  });
  const page = await opened.newPage();
  const errors: string[] = [];
  const elsewhere: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !expected?.test(message.text())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.stack ?? error.message));
  opened.on("request", (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin) {
      elsewhere.push(request.url());
    }
  });
  await page.goto(`${origin}/#${fragment}`);

  return {
    page,
    async send(message) {
      await page
        .getByRole("textbox", { name: /^(?:Message|消息)$/ })
        .last()
        .fill(message);
      // Until the agents are known, nothing can be sent.
      await page.getByRole("button", { name: /^(?:Send|发送)$/, disabled: false }).waitFor();
      const before = await page.locator(".exchange").count();
      await page.keyboard.press("Enter");
      await page.locator(".exchange").nth(before).waitFor();
    },
    async answer() {
      const last = page.locator(".answer").last();
      await last.and(page.locator("[aria-busy=false]")).waitFor({ timeout: ANSWERED_WITHIN_MS });
      return textOf(last.locator(".markdown"));
    },
    expectClean() {
      expect(elsewhere).toEqual([]);
      expect(errors).toEqual([]);
    },
    close: () => opened.close(),
  };
}

/** The text as it was written: line breaks of paragraphs are one line break. */
const textOf = async (element: ReturnType<Page["locator"]>): Promise<string> =>
  (await element.count()) === 0 ? "" : (await element.innerText()).trim();
