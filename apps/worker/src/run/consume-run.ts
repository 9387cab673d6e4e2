/** Reads the events of a run: they go to the writer, and their text to the answer. */

import type { AgentRun } from "@agent-paas/agents/agent/agent.ts";
import { concludeAnswer } from "@agent-paas/agents/agent/answer-end.ts";
import { type AgentEvent, applyMessage, assertEvent } from "@agent-paas/agents/agent/events.ts";
import { createWholeCharacters } from "@agent-paas/agents/agent/whole-characters.ts";
import type { TurnWatch } from "@agent-paas/agents/model/last-turn.ts";
import type { ModelMessage } from "@agent-paas/agents/model/model.ts";
import { assertTurn } from "@agent-paas/agents/model/open-turn.ts";
import type { Citation, Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { GrowingText } from "@agent-paas/shared/growing-text.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { wellFormedJson } from "@agent-paas/shared/text.ts";
import type { JobEventWriter } from "../events/job-event-writer.ts";

/** What a run has produced so far; it is kept when the run is aborted. */
export type Answer = {
  readonly content: GrowingText;
  data: unknown;
  /** As the agent returned it. */
  finishReason: unknown;
  citations: readonly Citation[] | null;
  /** As `AgentOutcome` has it; null: the client is to make no calls. */
  openTurn: readonly ModelMessage[] | null;
  readonly usage: () => Usage;
  /** Of `content`. */
  readonly tokens: () => number;
};

type Consumer = {
  readonly signal: AbortSignal;
  readonly writer: JobEventWriter;
  readonly row: Promise<unknown>;
  readonly answer: Answer;
  readonly turns: TurnWatch;
  readonly locale: Locale;
};

/** Ends with the signal, even when the agent ignores it or Redis does not answer. */
export async function consume(events: AgentRun, consumer: Consumer): Promise<void> {
  const { signal } = consumer;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
  });
  // One race for the whole run instead of one per event, so that each token costs only the await of the agent itself.
  const consumed = consumeAll(events, consumer);
  try {
    await Promise.race([consumed, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // An error that the run throws after it was aborted is a consequence of the abort.
    consumed.catch(() => {});
    // Not awaited: a generator that hangs would hold the job's slot.
    events.return(undefined).catch(() => {});
  }
}

/** Appends no event after the signal has aborted. */
async function consumeAll(events: AgentRun, consumer: Consumer): Promise<void> {
  const { signal, writer, row, answer, turns, locale } = consumer;
  let isWritten = false;
  const characters = createWholeCharacters();
  const show = (event: AgentEvent) => {
    writer.append(event);
    if (event.event === "message") applyMessage(answer.content, event);
  };
  for (;;) {
    signal.throwIfAborted();
    const next = await events.next();
    if (!next.done && !isWritten) await row;
    isWritten = true;
    signal.throwIfAborted();
    if (next.done) {
      for (const event of characters.rest()) show(event);
      const outcome = next.value ?? {};
      answer.finishReason = outcome.finishReason;
      answer.data = asJson(outcome.data);
      answer.citations = asJson(outcome.citations) ?? null;
      const openTurn = asJson(outcome.openTurn) ?? null;
      if (openTurn !== null) assertTurn(openTurn);
      answer.openTurn = openTurn;
      for (const event of concludeAnswer(`${answer.content}`, outcome, { turns, locale })) {
        await row;
        signal.throwIfAborted();
        writer.append(event);
      }
      return;
    }
    assertEvent(next.value);
    const event = characters.show(next.value);
    if (event !== null) show(event);
    if (writer.congested) await writer.flushed();
  }
}

/** Converts a returned value to the form in which it is stored. Throws for values that JSON cannot represent. */
const asJson = <T>(value: T): T =>
  value === undefined ? value : (parseJson(wellFormedJson(JSON.stringify(value))) as T);
