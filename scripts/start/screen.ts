/** The terminal output of `npm start`: a line for each process, then how to use the platform, then only problems. */
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { styleText } from "node:util";
import { describeExit } from "../services/child.ts";
import type { StateChange } from "../services/supervised-process.ts";

const NAME_WIDTH = 10;
/** What a terminal that nobody reads (Ctrl-S, a stopped pager) may leave unwritten, in bytes. */
const MAX_UNWRITTEN = 256 * 1024;
/** What the last lines may wait for it. */
const FLUSHED_WITHIN_MS = 1_000;

export type Welcome = {
  readonly url: string;
  /** Undefined: API_KEYS is set, and only the hashes of the keys are known. */
  readonly apiKey: string | undefined;
  readonly model: string;
  readonly dataDir: string;
  readonly logDir: string | undefined;
};

export type Screen = ReturnType<typeof createScreen>;

/** Writing to `out` must not block (`keepNodeFromWaiting`): then the processes are supervised whoever reads it. */
export function createScreen(out: Writable) {
  // After a SIGHUP the terminal is gone; a write error must not keep the processes from being stopped in order.
  out.on("error", () => {});
  let dropped = 0;
  function print(...lines: string[]): void {
    if (out.writableLength > MAX_UNWRITTEN) {
      dropped += lines.length;
      return;
    }
    const remark = dropped === 0 ? "" : `  (${dropped} lines are not shown: the terminal took none)\n`;
    dropped = 0;
    out.write(`${remark}${lines.join("\n")}\n`);
  }
  const style = (format: "green" | "red" | "bold" | "dim", text: string) => styleText(format, text, { stream: out });
  const column = (name: string) => name.padEnd(NAME_WIDTH);
  const tick = style("green", "✓");
  const cross = style("red", "✗");

  return {
    title: () => print("", style("bold", "Agent PaaS"), ""),
    process(name: string, change: StateChange, remark = "") {
      if (change.kind === "ready") {
        const comment = change.isRestart ? "is back" : remark;
        print(`  ${tick} ${column(name)} ${seconds(change.afterMs)}  ${comment}`.trimEnd());
      } else if (change.kind === "replaced") {
        print(
          `  ${tick} ${column(name)} ${seconds(change.afterMs)}  has the new agents; its predecessor ends its jobs`,
        );
      } else {
        const restart = `starting it again in ${seconds(change.restartInMs)}`;
        print(`  ${cross} ${column(name)} ended (${describeExit(change.exit)}); ${restart}`);
      }
    },
    problem: (name: string, text: string) => print(`  ${cross} ${column(name)} ${text}`),
    remark: (name: string, text: string) => print(`  ${style("dim", "·")} ${column(name)} ${text}`),
    /** Prints a line that the process itself wrote. */
    output: (name: string, line: string) => print(`  ${style("dim", `${column(name)} │`)} ${line}`),
    welcome({ url, apiKey, model, dataDir, logDir }: Welcome) {
      print(
        "",
        `  ${column("API")} ${url}`,
        `  ${column("API key")} ${apiKey ?? "one of yours (API_KEYS is set)"}`,
        `  ${column("Page")} ${pageLink(url, apiKey)}`,
        `  ${column("Model")} ${model}`,
        `  ${column("Data")} ${dataDir}`,
        `  ${column("Logs")} ${logDir ?? "off"}`,
        "",
        style("bold", "  Try it:"),
        "",
        exampleRequest(url, apiKey ?? "$API_KEY"),
        "",
        "  Ctrl-C stops everything.",
        "",
      );
    },
    stopping: (reason: string) => print("", `  Stopping (${reason}) …`),
    stopped: () => print("  Everything has stopped."),
    /** Resolves when everything is written, or when nobody seems to read it. */
    flush: () => Promise.race([new Promise<void>((done) => out.write("", () => done())), delay(FLUSHED_WITHIN_MS)]),
    failure(message: string, lastLines: readonly string[] = []) {
      print("", `${cross} ${message}`, ...lastLines.map((line) => `    ${line}`), "");
    },
  };
}

/** What follows `#` stays in the browser: no server, proxy or log sees the key. */
const pageLink = (url: string, apiKey: string | undefined): string =>
  apiKey === undefined ? `${url}/` : `${url}/#key=${encodeURIComponent(apiKey)}`;

/** One line, so that it can be copied from the terminal. */
function exampleRequest(url: string, apiKey: string): string {
  return [
    `curl -N ${url}/api/v1/chat/completions`,
    `-H "Authorization: Bearer ${apiKey}"`,
    `-H "Content-Type: application/json"`,
    `-d '{"agent_type":"chat_basic","message":"Hello"}'`,
  ].join(" ");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
