import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import type { Services } from "../../../services.ts";
import { messageId } from "./ids.ts";
import { createItemResolver } from "./item-references.ts";

/** A resolver of an owner all of whose responses answer with this text. `read`: which responses were read. */
function resolverOf(text: string) {
  const read: string[] = [];
  const services = {
    config: { MAX_BODY_BYTES: 600, MAX_PARTS_BYTES: 400 },
    events: { log: { read: async () => [] } },
    jobs: {
      async find(_owner: string, id: string) {
        read.push(id);
        const result = JSON.stringify({ content: text, finish_reason: "stop" });
        const at = new Date(0).toISOString();
        const times = { created_at: at, accepted_at: at, started_at: at, finished_at: at };
        return {
          ...{ id, session_id: id, agent_type: "chat_basic", kind: "chat", status: "completed", task: "Hi" },
          ...{ result, usage: null, error_code: null, error_message: null, request: "null", metadata: "{}", ...times },
        } as unknown as JobRow;
      },
    },
    queuedJobs: { find: async () => null },
  } as unknown as Services;
  return { resolve: createItemResolver(services, "alice"), read };
}

test("the items of one response are read once, and only those of the last one are kept", async () => {
  const { resolve, read } = resolverOf("Yes");
  const [first, second] = [newId(), newId()];
  const said = [{ role: "assistant", content: "Yes" }];
  for (const id of [first, first, second, first]) {
    expect(await resolve(messageId(id), "input.0.id")).toEqual(said);
  }
  expect(read).toEqual([first, second, first]);
});

test("references to more than a request may be are refused by the first one too many", async () => {
  const { resolve } = resolverOf("x".repeat(400));
  const id = messageId(newId());
  await resolve(id, "input.0.id");
  await resolve(id, "input.1.id");
  await expect(resolve(id, "input.2.id")).rejects.toMatchObject({ code: "invalid_request", param: "input.2.id" });
});

test("references to items of more than 1000 responses are refused", async () => {
  const { resolve, read } = resolverOf("");
  // Without a text there is no item to find, which is an error as well: only the reads count here.
  for (let at = 0; at < 1_001; at++) await resolve(messageId(newId()), `input.${at}.id`).catch(() => {});
  expect(read).toHaveLength(1_000);
});
