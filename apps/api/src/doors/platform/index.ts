/** The native wire of the platform: a table of contents of its routes. */
import type { Door } from "../../http/door.ts";
import { BASE_PATH } from "./base-path.ts";
import { errorSchema, formatError } from "./error-format.ts";
import { getAgent, listAgents } from "./routes/agents.ts";
import { postChatCompletions } from "./routes/chat-completions.ts";
import { getChatHistory } from "./routes/chat-history.ts";
import { postExecute } from "./routes/execute.ts";
import { healthRoutes } from "./routes/health.ts";
import { postJobCancel } from "./routes/job-cancel.ts";
import { postJobDecisions } from "./routes/job-decisions.ts";
import { getJobEvents } from "./routes/job-events.ts";
import { postJobRerun } from "./routes/job-rerun.ts";
import { getJobSteps } from "./routes/job-steps.ts";
import { getJob, getJobs } from "./routes/jobs.ts";
import { getDocumentChunks } from "./routes/knowledge-chunks.ts";
import { deleteCollection, getCollection, listCollections } from "./routes/knowledge-collections.ts";
import { deleteDocument, getDocument, listDocuments, postDocument } from "./routes/knowledge-documents.ts";
import { postKnowledgeQuery } from "./routes/knowledge-query.ts";
import { getMetrics } from "./routes/metrics.ts";
import { deleteSession, getSession, listSessions, patchSession } from "./routes/sessions.ts";

export const platformDoor: Door = {
  tags: {
    Chat: "Messages to agents, answered as they are written or at once.",
    Sessions: "Conversations. A key sees its own.",
    Agents: "What live workers offer, and tasks for them.",
    Jobs: "State, results and events of chats and tasks; cancelling.",
    Knowledge: "Collections of documents, and searches in them.",
    Health: "For load balancers and for people.",
  },
  basePath: BASE_PATH,
  // Express asks one after the other, so the most frequent come first.
  routes: (services) => [
    postChatCompletions(services),
    postExecute(services),
    getChatHistory(services),
    listSessions(services),
    getSession(services),
    patchSession(services),
    deleteSession(services),
    listAgents(services),
    getAgent(services),
    getJobs(services),
    getJob(services),
    getJobEvents(services),
    getJobSteps(services),
    postJobCancel(services),
    postJobDecisions(services),
    postJobRerun(services),
    listCollections(services),
    getCollection(services),
    deleteCollection(services),
    postDocument(services),
    listDocuments(services),
    getDocument(services),
    getDocumentChunks(services),
    deleteDocument(services),
    postKnowledgeQuery(services),
    getMetrics(services),
    ...healthRoutes(services),
  ],
  formatError,
  errorSchema,
};
