/**
 * The journal of one job (I5), kept in the database. An entry is named by its kind, its input, and how many entries
 * like it came before, so a retry finds its entries in whatever order it begins them. An entry that is not idempotent
 * is written before its work begins; an entry that was begun and not finished is in doubt. A write that the fence
 * refuses means that another attempt owns the job: then nothing is done (I4).
 */

import { createHash } from "node:crypto";
import type { BudgetAmounts } from "@agent-paas/agents/job/budget.ts";
import type { BegunJournalEntry, Journal, JournalEntry } from "@agent-paas/agents/job/journal.ts";
import { addUsage, type ModelTurn, usageOfTurn } from "@agent-paas/agents/model/model.ts";
import { NO_USAGE, type Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { JournalRow } from "@agent-paas/shared/db/rows.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { WriterRefused } from "../events/job-event-writer.ts";
import type { JournalRepository } from "../storage/journal-repository.ts";

export type JobJournal = Journal & {
  /**
   * The journal of a child, whose entries carry the child's name and are distinct from all others. When the same child
   * runs again within an attempt, its count of like entries starts anew, so it finds the entries that it finished.
   */
  within(name: string): JobJournal;
  /** What the entries of earlier attempts used. It counts against the budget, because the work is not repeated. */
  used(): Promise<{ readonly usage: Usage; readonly budget: BudgetAmounts }>;
};

export type JobJournalOptions = {
  readonly entries: JournalRepository;
  readonly jobId: string;
  readonly fencingToken: number;
  /** Whether an earlier attempt may have left entries. False saves reading them. */
  readonly resumed: boolean;
  /** Resolves when the job's row is written: what an entry stands for must not happen before. */
  readonly row: Promise<unknown>;
  /** Called when the fence refuses a write, because another attempt owns the job. */
  readonly onRefused: () => void;
};

/** JSON characters. A larger value would make each later attempt load it whole. */
const MAX_VALUE_CHARS = 1024 * 1024;
/** A longer input is a conversation, which the messages table holds already. */
const MAX_INPUT_CHARS = 4_000;

export function createJobJournal(options: JobJournalOptions): JobJournal {
  const { entries, jobId, fencingToken, resumed, row: written, onRefused } = options;
  let lastNo = 0;
  let known: Promise<Map<string, JournalRow>> | null = null;

  /** What earlier attempts left, by key; `save` adds what this attempt writes. */
  async function load(): Promise<Map<string, JournalRow>> {
    const rows = resumed ? await entries.load(jobId) : [];
    lastNo = rows.at(-1)?.step_no ?? 0;
    return new Map(rows.map((row) => [row.step_key, row]));
  }

  async function save(row: JournalRow): Promise<void> {
    await written;
    if (await entries.save(row)) {
      (await known)?.set(row.step_key, row);
      return;
    }
    onRefused();
    throw new WriterRefused();
  }

  function within(path: readonly string[]): JobJournal {
    const timesBegun = new Map<string, number>();
    return {
      within: (name) => within([...path, name]),

      async used() {
        known ??= load();
        const rows = [...(await known).values()];
        const turns = rows.filter(({ kind, value }) => kind === "model" && value !== null);
        const usage = turns.reduce((sum, { value }) => addUsage(sum, usageOf(value ?? "")), NO_USAGE);
        const toolCalls = rows.filter(({ kind }) => kind === "tool").length;
        return { usage, budget: { modelTurns: turns.length, toolCalls, outputTokens: usage.output_tokens } };
      },

      async begin({ kind, input, idempotent }: JournalEntry): Promise<BegunJournalEntry> {
        const json = JSON.stringify(input) ?? "null";
        // An input may hold images, so its digest stands for it.
        const named = createHash("sha256").update(JSON.stringify([path, kind, json]));
        const name = named.copy().digest("base64");
        // Counted before the first await: entries that are begun side by side are numbered in the order of the calls.
        const times = (timesBegun.get(name) ?? 0) + 1;
        timesBegun.set(name, times);
        const key = named.update(`#${times}`).digest("hex");
        known ??= load();
        // A request to the model may be on its way while the row is; it changes nothing outside the job.
        if (!idempotent || kind !== "model") await written;
        const row = (await known).get(key);
        if (row?.status === "finished") return { state: "finished", value: parseJson(row.value ?? "null") };
        if (row !== undefined && !idempotent) return { state: "in_doubt" };

        const started: JournalRow = {
          job_id: jobId,
          step_no: row?.step_no ?? ++lastNo,
          step_key: key,
          kind,
          input: json.length <= MAX_INPUT_CHARS ? json : null,
          status: "started",
          value: null,
          fencing_token: fencingToken,
          started_at: entries.time(),
          finished_at: null,
        };
        if (!idempotent) await save(started);
        return {
          state: "new",
          id: digest(`${jobId}/${key}`).slice(0, 32),
          async finish(value) {
            const valueJson = JSON.stringify(value) ?? "null";
            if (valueJson.length > MAX_VALUE_CHARS) {
              throw new RangeError(`the value of a journal entry exceeds ${MAX_VALUE_CHARS} characters`);
            }
            await save({ ...started, status: "finished", value: valueJson, finished_at: entries.time() });
          },
        };
      },
    };
  }
  return within([]);
}

/** Agents may use the kind `model` for entries of their own, whose values hold no usage. */
function usageOf(json: string): Usage {
  const { usage = NO_USAGE, ...turn } = (JSON.parse(json) as Partial<ModelTurn> | null) ?? {};
  return usageOfTurn({ ...turn, usage });
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
