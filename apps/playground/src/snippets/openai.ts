/** The lines for OpenAI's own libraries. */
import type { BaseUrl, Call } from "./call.ts";
import { JAVASCRIPT, literal, PYTHON, quote } from "./literals.ts";
import { filled, type OpenAiRequest, openAiRequestOf } from "./openai-request.ts";

export type OpenAiLanguage = "javascript" | "python";

/** Null where the protocol has no such request. */
export function openAiOf(call: Call, base: BaseUrl, language: OpenAiLanguage): string | null {
  const request = openAiRequestOf(call);
  if (request === null) return null;
  return language === "python" ? pythonOf(request, base) : javaScriptOf(request, base);
}

function javaScriptOf({ method, id, fields, own, answer }: OpenAiRequest, base: BaseUrl): string {
  const all = literal({ ...fields, ...own }, JAVASCRIPT);
  const call = `await client.${method}(${id === undefined ? "" : `${quote(id)}, `}${all});`;
  return [
    'import OpenAI from "openai";',
    "",
    `const client = new OpenAI({ baseURL: ${quote(`${base}v1`)}, apiKey: process.env.AGENT_PAAS_KEY });`,
    "",
    ...{
      chunks: [
        `const stream = ${call}`,
        'for await (const { choices } of stream) process.stdout.write(choices[0]?.delta.content ?? "");',
      ],
      response: [
        `let response = ${call}`,
        'while (response.status === "queued" || response.status === "in_progress") {',
        "  await new Promise((resolve) => setTimeout(resolve, 1_000));",
        "  response = await client.responses.retrieve(response.id);",
        "}",
        "console.log(response.status, response.output_text);",
      ],
      events: [`const events = ${call}`, "for await (const event of events) console.log(event);"],
    }[answer],
    "",
  ].join("\n");
}

function pythonOf({ method, id, fields, own, answer }: OpenAiRequest, base: BaseUrl): string {
  const extra = filled(own);
  const given = [
    ...(id === undefined ? [] : [quote(id, PYTHON)]),
    ...Object.entries({ ...fields, extra_body: extra })
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${literal(value, PYTHON, "    ")}`),
  ];
  const call = `client.${method}(\n    ${given.join(",\n    ")},\n)`;
  return [
    ...(answer === "response" ? ["import os", "import time", ""] : ["import os", ""]),
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${quote(`${base}v1`, PYTHON)}, api_key=os.environ["AGENT_PAAS_KEY"])`,
    "",
    ...{
      chunks: [
        `stream = ${call}`,
        "for chunk in stream:",
        "    if chunk.choices:",
        '        print(chunk.choices[0].delta.content or "", end="", flush=True)',
      ],
      response: [
        `response = ${call}`,
        'while response.status in ("queued", "in_progress"):',
        "    time.sleep(1)",
        "    response = client.responses.retrieve(response.id)",
        "print(response.status, response.output_text)",
      ],
      events: [`events = ${call}`, "for event in events:", "    print(event)"],
    }[answer],
    "",
  ].join("\n");
}
