/** The API of OpenAI, whose clients know agents as models. */
import type { Door } from "../../http/door.ts";
import { errorHeaders, errorSchema, formatError } from "./error-format.ts";
import {
  deleteConversation,
  getConversation,
  getConversationItems,
  postConversations,
} from "./responses/routes/conversations.ts";
import { postResponses } from "./responses/routes/create-response.ts";
import { getInputItems } from "./responses/routes/input-items.ts";
import { deleteResponse, getResponse, postResponseCancel } from "./responses/routes/responses.ts";
import { postChatCompletions } from "./routes/chat-completions.ts";
import { getModel, listModels } from "./routes/models.ts";

export const openAiDoor: Door = {
  tags: { OpenAI: "The API of OpenAI, for its clients. Its models are the agents." },
  basePath: "/v1",
  routes: (services) => [
    postChatCompletions(services),
    listModels(services),
    getModel(services),
    postResponses(services),
    getResponse(services),
    postResponseCancel(services),
    deleteResponse(services),
    getInputItems(services),
    postConversations(services),
    getConversation(services),
    getConversationItems(services),
    deleteConversation(services),
  ],
  formatError,
  errorSchema,
  errorHeaders,
};
