/** The lines of JavaScript for the platform's own client. */
import type { BaseUrl, Call } from "./call.ts";
import { JAVASCRIPT, literal, quote } from "./literals.ts";

export function clientOf(call: Call, base: BaseUrl): string {
  const { imports = [], lines } = linesOf(call);
  return [
    ...imports,
    'import { createClient } from "@agent-paas/client";',
    "",
    `const client = createClient({ baseUrl: ${quote(base)}, apiKey: process.env.AGENT_PAAS_KEY });`,
    "",
    ...lines,
    "",
  ].join("\n");
}

type Lines = { readonly imports?: readonly string[]; readonly lines: readonly string[] };

const js = (value: unknown): string => literal(value, JAVASCRIPT);

function linesOf(call: Call): Lines {
  switch (call.kind) {
    case "chat":
      return {
        lines: [
          `const chat = client.chat(${js(call.body)});`,
          "for await (const { event, data } of chat) console.log(event, data);",
          "console.log((await chat.result()).text);",
        ],
      };
    case "execute":
      return {
        lines: [
          `const job = await client.execute(${quote(call.agent)}, ${js(call.body)}, { wait: true });`,
          "console.log(job.status, job.result?.content);",
        ],
      };
    case "events": {
      const after = call.after === undefined ? "" : `, ${js({ after: call.after })}`;
      return {
        lines: [
          `const events = client.events(${quote(call.jobId)}${after});`,
          "for await (const { id, event, data } of events) console.log(id, event, data);",
        ],
      };
    }
    case "upload":
      return uploadLines(call);
    case "query":
      return {
        lines: [
          `const { passages } = await client.knowledge.query(${quote(call.collection)}, ${js(call.body)});`,
          "for (const { score, source, content } of passages) console.log(score, source, content);",
        ],
      };
  }
}

function uploadLines({ collection, source, text }: Extract<Call, { kind: "upload" }>): Lines {
  const document = text === undefined ? `await openAsBlob(${quote(source)})` : quote(text);
  return {
    ...(text === undefined ? { imports: ['import { openAsBlob } from "node:fs";'] } : {}),
    lines: [
      `const document = ${document};`,
      `const stored = await client.knowledge.upload(${quote(collection)}, document, ${js({ source })});`,
      "console.log((await client.jobs.wait(stored.job_id)).status);",
    ],
  };
}
