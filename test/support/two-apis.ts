/** Two API processes and two workers, for tests of requests that reach either API. */
import type { ApiClient } from "./api-client.ts";
import { startTestPlatform } from "./platform.ts";

/** The model sends nothing until the chat is cancelled. */
export const BUSY = "[[tokens=1 ttft=60000]]";

export type TwoApis = Awaited<ReturnType<typeof startTwoApis>>;

export async function startTwoApis() {
  const platform = await startTestPlatform({ apis: 2, workers: 2 });
  const [alice, elsewhere] = platform.apis.map((api) => api.alice) as [ApiClient, ApiClient];
  return {
    platform,
    /** A client of each API process, with the same key. */
    ...{ alice, elsewhere },
    callsOf: (contains: string) => platform.model.calls({ contains }),
    /** A running chat that ends only when it is cancelled. */
    async startBusyChat(message: string) {
      const chat = await alice.chat({ message: `${BUSY} ${message}` });
      await alice.started(chat.jobId);
      return chat;
    },
  };
}
