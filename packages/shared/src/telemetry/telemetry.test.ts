import { expect, test } from "vitest";
import { emit, observe, type TelemetryEvents } from "./telemetry.ts";

test("an observer receives the events of the observed name until it unsubscribes", () => {
  const turn: TelemetryEvents["model.turn"] = {
    job_id: "job",
    usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
    ms: 4,
  };
  const seen: unknown[] = [];
  const stop = observe("model.turn", (event) => void seen.push(event));
  emit("model.turn", turn);
  emit("tool.call", { job_id: "job", tool: "calculator", status: "ok", ms: 1 });
  stop();
  emit("model.turn", turn);
  expect(seen).toEqual([turn]);
});
