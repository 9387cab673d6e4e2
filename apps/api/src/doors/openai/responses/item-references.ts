/** What an `item_reference` of a request stands for: an output item of an earlier response, by its id. */
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Services } from "../../../services.ts";
import { itemRefOf } from "./ids.ts";
import type { ResolveItem } from "./items.ts";
import { findResponse, readResponse } from "./read-response.ts";

/** Items of one response follow one another, so it is read once. */
export function createItemResolver(services: Services, owner: string): ResolveItem {
  const responses = new Map<string, ReturnType<typeof readResponse>>();

  async function read(jobId: string) {
    const response =
      responses.get(jobId) ?? findResponse(services, owner, jobId).then((it) => readResponse(services, it));
    responses.set(jobId, response);
    return (await response).output;
  }

  return async (id, param): Promise<readonly GivenMessage[]> => {
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
  };
}

const notFound = (param: string) =>
  new PlatformError("invalid_request", { message: `${param}: there is no such item`, param });
