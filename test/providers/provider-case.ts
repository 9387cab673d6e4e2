/** What a provider's file holds: answers as that provider writes them, and what has to become of each. */
import type { ModelMessage, ModelOptions } from "@agent-paas/agents";
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";

export type ProviderAnswer = {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream: an object is the `data:` of one event, a string stands in the body as it is. */
  readonly events?: readonly (object | string)[];
  /** A whole body: an object as JSON, a string as it is. */
  readonly body?: object | string;
  readonly gzip?: true;
  /** The connection breaks off behind the body. */
  readonly breaksOff?: true;
  /** The body does not end. */
  readonly staysOpen?: true;
};

/** One request as the provider gets it; paths are as in `expect().toHaveProperty`. */
export type SentRequest = {
  readonly has?: object;
  readonly lacks?: readonly string[];
};

export type ExpectedUsage = readonly [input: number, output: number, total: number];

export type ProviderCase = {
  readonly title: string;
  /** Where the fact is from: an address, or `owner/repository: path`. */
  readonly source: string;
  /** One for each request, in their order. */
  readonly answers: readonly ProviderAnswer[];
  readonly request?: {
    readonly messages?: readonly ModelMessage[];
    readonly options?: ModelOptions;
    /** Offers the tool `lookup` to the model. */
    readonly tools?: true;
  };
  /** How the answers are asked for. Default: `turn`, a single model turn. `loop`: with the tool's results. */
  readonly by?: "turn" | "loop";
  /** So often is the same request made through one provider, and the last time is looked at. Default: 1. */
  readonly times?: number;
  readonly expect: {
    /** The answer as the client shows it, and as it is stored. Default: none. */
    readonly shown?: string;
    readonly thoughts?: string;
    readonly calls?: readonly { readonly name: string; readonly args: unknown; readonly id?: string }[];
    readonly finishReason?: string;
    /** `estimated`: the provider reports none that can be used. */
    readonly usage?: ExpectedUsage | "estimated";
    readonly error?: {
      readonly code: ErrorCode;
      /** A part of the message that the user sees. */
      readonly says?: string;
      readonly retryAfterMs?: number;
    };
    readonly sent?: readonly SentRequest[];
  };
};

export type Provider = {
  /** As the tables of docs/providers.md, in both languages, name it. */
  readonly name: string;
  /** What to set for it, as these tables give it. */
  readonly settings: string;
  readonly cases: readonly ProviderCase[];
};
