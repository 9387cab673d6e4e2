/** What an `item_reference` of a request stands for: an output item of an earlier response, by its id. */
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Services } from "../../../services.ts";
import { createBudget, mostGivenBytes } from "./given-limits.ts";
import { itemRefOf, responseId } from "./ids.ts";
import type { ResolveItem } from "./items.ts";
import { findResponse, readResponse } from "./read-response.ts";
import type { ResponseObject } from "./response.ts";

/** Reads of one request. */
const MOST_READS = 1_000;

/** Items of one response follow one another, so the last one read is kept. */
export function createItemResolver(services: Services, owner: string): ResolveItem {
  let last: ResponseObject | null = null;
  let reads = 0;
  let param = "input";
  const budget = createBudget(mostGivenBytes(services.config), (most) =>
    invalid(param, `it makes what the request refers to larger than ${most} bytes`),
  );

  async function read(jobId: string) {
    if (last?.id === responseId(jobId)) return last.output;
    if (reads++ === MOST_READS) throw invalid(param, `items of more than ${MOST_READS} responses are referred to`);
    last = await readResponse(services, await findResponse(services, owner, jobId));
    return last.output;
  }

  async function resolve(id: string): Promise<readonly GivenMessage[]> {
    const ref = itemRefOf(id);
    if (ref === null) throw notFound(param);
    if (ref.type === "reasoning") return [];
    const item = (await read(ref.jobId)).find((output) => output.id === id);
    if (item?.type === "message") {
      return [{ role: "assistant", content: item.content.map(({ text }) => text).join("") }];
    }
    if (item?.type !== "function_call") throw notFound(param);
    const { call_id, name, arguments: args } = item;
    return [{ role: "assistant", content: "", tool_calls: [{ id: call_id, name, arguments: args }] }];
  }

  return async (id, at) => {
    param = at;
    const messages = await resolve(id);
    budget.spend(Buffer.byteLength(JSON.stringify(messages)));
    return messages;
  };
}

const invalid = (param: string, problem: string) =>
  new PlatformError("invalid_request", { message: `${param}: ${problem}`, param });

const notFound = (param: string) => invalid(param, "there is no such item");
