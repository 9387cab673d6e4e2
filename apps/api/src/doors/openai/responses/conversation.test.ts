import { DAY } from "@agent-paas/shared/time.ts";
import { expect, test } from "vitest";
import { type ConversationServices, findConversation } from "./conversation.ts";
import { newConversationId, readConversationId } from "./ids.ts";

const ID = newConversationId("alice");
const SESSION_ID = readConversationId("alice", ID)?.sessionId;

type State = { readonly ageMs?: number; readonly isStored?: boolean; readonly isDeleted?: boolean };

function find({ ageMs = 0, isStored = false, isDeleted = false }: State, owner = "alice") {
  const services = {
    clock: { now: () => Date.now() + ageMs },
    sessions: {
      find: async (_owner: string, id: string) =>
        isStored
          ? { id, agent_type: "chat_basic", created_at: "", updated_at: "", config: "{}", metadata: "{}" }
          : undefined,
      isTaken: async () => false,
    },
    sessionQueues: { findPending: async () => null, isDeleted: async () => isDeleted },
  } as unknown as ConversationServices;
  return findConversation(services, owner, ID, "conversation");
}

test.each<[string, State]>([
  ["one that has just begun", {}],
  ["an old one that has a response", { ageMs: 30 * DAY, isStored: true }],
])("%s is found by its id", async (_name, state) => {
  expect(await find(state)).toMatchObject({ id: ID, sessionId: SESSION_ID });
});

test.each<[string, State, string?]>([
  ["one that was deleted", { isDeleted: true }],
  ["one that is remembered no more as deleted", { ageMs: DAY }],
  ["somebody else's", { isStored: true }, "bob"],
])("%s is not found", async (_name, state, owner) => {
  await expect(find(state, owner)).rejects.toMatchObject({ code: "session_not_found", param: "conversation" });
});
