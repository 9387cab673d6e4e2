/**
 * The baseline `direct`: what an engineer writes without a platform. Express and the openai SDK in one process; no
 * queue, no storage, no retry.
 */
import express from "express";
import OpenAI from "openai";
import { LOOPBACK } from "../../../scripts/services/ports.ts";
import { frame, requiredEnv, SSE_HEADERS, serveUntilStopped } from "./baseline.ts";

const openai = new OpenAI({ baseURL: requiredEnv("OPENAI_BASE_URL"), apiKey: "sk-bench" });
const app = express();

app.post("/chat", express.json(), async (req, res) => {
  const abort = new AbortController();
  res.on("close", () => abort.abort());
  res.writeHead(200, SSE_HEADERS);
  let id = 0;
  const stream = await openai.chat.completions.create(
    { model: "local-model", stream: true, messages: [{ role: "user", content: req.body.message }] },
    { signal: abort.signal },
  );
  for await (const chunk of stream) {
    const content = chunk.choices[0]?.delta.content;
    if (content) res.write(frame(++id, "message", { content, type: "text" }));
  }
  res.end(frame(++id, "done", { status: "completed" }));
});

const server = app.listen(Number(requiredEnv("PORT")), LOOPBACK, () =>
  serveUntilStopped(() => server.closeAllConnections()),
);
