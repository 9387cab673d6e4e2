// What a person sees of `npm start`: a line for each part, then what is needed to use it, then only trouble.
import { styleText } from "node:util";
import { describeExit } from "../services/child.ts";
import type { PartNews } from "../services/part.ts";

const NAME_WIDTH = 10;

export interface Welcome {
  readonly url: string;
  /** Undefined: the keys are the operator's own, and not known here. */
  readonly apiKey: string | undefined;
  readonly model: string;
  readonly dataDir: string;
  readonly logDir: string | undefined;
}

export type Screen = ReturnType<typeof createScreen>;

export function createScreen(out: NodeJS.WriteStream) {
  // The terminal may be gone (SIGHUP); the parts are to be stopped in order all the same.
  out.on("error", () => {});
  const print = (...lines: string[]) => void out.write(`${lines.join("\n")}\n`);
  const style = (format: "green" | "red" | "bold" | "dim", text: string) => styleText(format, text, { stream: out });
  const column = (name: string) => name.padEnd(NAME_WIDTH);
  const tick = style("green", "✓");
  const cross = style("red", "✗");

  return {
    title: () => print("", style("bold", "Agent PaaS"), ""),
    part(name: string, news: PartNews, remark = "") {
      if (news.kind === "ready")
        print(`  ${tick} ${column(name)} ${seconds(news.afterMs)}  ${news.again ? "is back" : remark}`.trimEnd());
      else
        print(
          `  ${cross} ${column(name)} ended (${describeExit(news.exit)}); starting it again in ${seconds(news.againInMs)}`,
        );
    },
    remark: (name: string, text: string) => print(`  ${style("dim", "·")} ${column(name)} ${text}`),
    /** A line that a part wrote itself. */
    output: (name: string, line: string) => print(`  ${style("dim", `${column(name)} │`)} ${line}`),
    welcome({ url, apiKey, model, dataDir, logDir }: Welcome) {
      print(
        "",
        `  ${column("API")} ${url}`,
        `  ${column("API key")} ${apiKey ?? "one of yours (API_KEYS is set)"}`,
        `  ${column("Model")} ${model}`,
        `  ${column("Data")} ${dataDir}`,
        `  ${column("Logs")} ${logDir ?? "off"}`,
        "",
        style("bold", "  Try it:"),
        "",
        `curl -N ${url}/api/v1/chat/completions -H "Authorization: Bearer ${apiKey ?? "$API_KEY"}" -H "Content-Type: application/json" -d '{"agent_type":"chat_basic","message":"Hello"}'`,
        "",
        "  Ctrl-C stops everything.",
        "",
      );
    },
    stopping: (reason: string) => print("", `  Stopping (${reason}) …`),
    stopped: () => print("  Everything has stopped."),
    failure(message: string, lastLines: readonly string[] = []) {
      print("", `${cross} ${message}`, ...lastLines.map((line) => `    ${line}`), "");
    },
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
