/** The API of OpenAI, whose clients know agents as models. */
import type { Door } from "../../http/door.ts";
import { errorHeaders, errorSchema, formatError } from "./error-format.ts";
import { postChatCompletions } from "./routes/chat-completions.ts";
import { getModel, listModels } from "./routes/models.ts";

export const openAiDoor: Door = {
  tags: { OpenAI: "The API of OpenAI, for its clients. Its models are the agents." },
  basePath: "/v1",
  routes: (services) => [postChatCompletions(services), listModels(services), getModel(services)],
  formatError,
  errorSchema,
  errorHeaders,
};
