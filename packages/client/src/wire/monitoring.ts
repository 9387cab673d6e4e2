/** What the API answers on how things go. Written by `npm run client-types` from the OpenAPI document: do not edit. */
import type { JobStatus } from "./requests.ts";

/** The timeline of a job. */
export type JobSteps = {
  readonly job_id: string;
  readonly status: JobStatus;
  readonly attempts: readonly Attempt[];
  /** In the order of their beginnings. */
  readonly steps: readonly JobStep[];
  /**
   * Whether some are missing: the latest 500 steps are kept, and an attempt may die before it leaves
   * anything.
   */
  readonly truncated: boolean;
};

/** One start of the agent for a job. */
export type Attempt = {
  readonly attempt: number;
  /** The worker that ran it. */
  readonly worker: string;
  readonly started_at: string;
  /** Null while it runs. Of one that was lost with its worker: when that was noticed. */
  readonly ended_at: string | null;
  /**
   * Null while it runs. `suspended`: the job waits for people. `retried`: a further attempt follows an
   * error that may pass. `requeued`: its worker stopped in order. `lost`: its worker died.
   */
  readonly outcome: "completed" | "failed" | "cancelled" | "suspended" | "retried" | "requeued" | "lost" | null;
};

/** A piece of a job's work, or a wait. What an earlier attempt did is not repeated. */
export type JobStep = {
  /** Unique within the job. */
  readonly id: string;
  /** The `delegate` step within which it was done. */
  readonly parent_id: string | null;
  /** Of a wait: the attempt that follows it. */
  readonly attempt: number;
  /**
   * `model`: one model turn. `tool`: one tool call. `retrieval`: one search in stored documents.
   * `delegate`: a run of another agent within the job. `work`: what an agent does once over all attempts
   * (`journal.once`). `wait`: no worker has the job.
   */
  readonly kind: "model" | "tool" | "retrieval" | "delegate" | "work" | "wait";
  /**
   * The model, tool or collection; the delegating agent's name for the run; of a wait: `queue`, `retry`
   * or `person`.
   */
  readonly name: string;
  /** Of a `delegate`: the agent that runs. */
  readonly agent_type?: string | undefined;
  /** `interrupted`: its attempt, or the job, ended first. `in_doubt`: it may have taken effect. */
  readonly status: "running" | "completed" | "failed" | "in_doubt" | "interrupted";
  readonly started_at: string;
  /** Null while it runs. */
  readonly ended_at: string | null;
  /** Of a `model` step: when its first text or reasoning came. */
  readonly first_token_at?: string | undefined;
  /** Of a `model` step that completed. */
  readonly usage?: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly total_tokens: number;
  } | undefined;
};

/** Numbers of the whole platform over the last ten minutes. */
export type Metrics = {
  /** How long an interval is, s. */
  readonly interval_s: number;
  /** Oldest first; none of an interval in which no worker lived. */
  readonly points: readonly {
    /** The beginning of the interval. */
    readonly at: string;
    /** Of all models, as they came; by an estimate. */
    readonly tokens_per_s: number;
    /** From the acceptance of a job to its first token, ms, to 5 %. Null if no job had one. */
    readonly first_token_ms: {
      readonly p50: number;
      readonly p95: number;
    } | null;
    /** Jobs whose first attempt a worker began. */
    readonly jobs_started: number;
    /** Jobs that ended, the failed ones included. */
    readonly jobs_ended: number;
    /** Jobs that failed. */
    readonly jobs_failed: number;
    /** Jobs that ran at the end of the interval. */
    readonly running: number;
    /** Jobs that waited for a worker then. */
    readonly queued: number;
  }[];
  /** Those of the last 15 s. */
  readonly workers: readonly {
    /** Another one after each start. */
    readonly id: string;
    /** As the attempts of jobs name it. */
    readonly name: string;
    /** Jobs that it runs. */
    readonly running: number;
    /** How many it may run at once. */
    readonly concurrency: number;
    /** Processors that it used in its last interval: 1 is one core. */
    readonly cpu: number;
    /** Resident, MiB. */
    readonly memory_mb: number;
    readonly last_seen: string;
  }[];
};
