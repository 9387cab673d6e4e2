/** Runs a load of chats in this process: posts, reads, and checks the position and the delay of each token. */
import { setTimeout as delay } from "node:timers/promises";
import { formatDirectives } from "../../../scripts/model-server/client.ts";
import { spreadOf } from "../measure/statistics.ts";
import { Connection } from "./connection.ts";
import type { ChatFindings, ChatLoad } from "./load.ts";
import { chatRequest, doneMarkOf } from "./protocols.ts";
import { StreamScanner } from "./stream-scanner.ts";
import { TokenCheck } from "./token-check.ts";

/** The wall clock with fractions of a ms; the model stamps its tokens with the same clock. */
const epochMs = () => performance.timeOrigin + performance.now();

export type ChatPhases = {
  /** Every client has received its first token; `tokens` is the number received so far. */
  steady(tokens: number): void;
  /** The first client has finished its chats; `tokens` is the number received so far. */
  ending(tokens: number): void;
};

export async function runChats(load: ChatLoad, phases: ChatPhases): Promise<ChatFindings> {
  const { target, clients, chatsPerClient, tokens, rate, silentMs, rampMs } = load;
  const doneMark = doneMarkOf(target.protocol);
  const directives = formatDirectives({
    tokens,
    stamp: true,
    ...(rate !== null && { rate }),
    ...(silentMs !== undefined && { ttft: silentMs }),
  });
  const lags: number[] = [];
  const firsts: number[] = [];
  const failures: string[] = [];
  const faults = { missing: 0, doubled: 0, misplaced: 0 };
  let restarts = 0;
  let streaming = 0;
  const steady: { from?: number; to?: number } = {};

  async function chat(connection: Connection, question: string, onFirst: () => void): Promise<void> {
    let check = new TokenCheck(tokens, question);
    const askedAt = performance.now();
    let arrivedAt = 0;
    let got = 0;
    const scanner = new StreamScanner(doneMark, {
      token(text, sentAt) {
        if (got++ === 0) {
          firsts.push(performance.now() - askedAt);
          onFirst();
        }
        lags.push(arrivedAt - sentAt);
        check.token(text);
      },
      reset() {
        restarts++;
        check = new TokenCheck(tokens, question);
      },
    });
    try {
      const status = await connection.request(chatRequest(target.protocol, `${directives} ${question}`), (piece) => {
        arrivedAt = epochMs();
        scanner.push(piece);
      });
      if (status !== 200) failures.push(`status ${status}`);
      else if (!scanner.done) failures.push("the stream ended without its terminal event");
    } catch (error) {
      failures.push((error as Error).message);
    }
    const { missing, doubled, misplaced } = check.faults();
    faults.missing += missing;
    faults.doubled += doubled;
    faults.misplaced += misplaced;
  }

  async function client(number: number): Promise<void> {
    await delay((rampMs * number) / clients);
    const connection = new Connection(target.port);
    const onFirstChat = () => {
      if (++streaming < clients) return;
      steady.from = lags.length;
      phases.steady(lags.length);
    };
    for (let turn = 0; turn < chatsPerClient; turn++) {
      await chat(connection, `chat ${number} of turn ${turn}`, turn === 0 ? onFirstChat : () => {});
    }
    connection.close();
    if (steady.to !== undefined) return;
    steady.to = lags.length;
    phases.ending(lags.length);
  }

  const startedAt = performance.now();
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return {
    chats: clients * chatsPerClient,
    failures: failures.length,
    firstFailure: failures[0] ?? null,
    tokens: lags.length,
    ...faults,
    restarts,
    firstTokenMs: spreadOf(firsts),
    lagMs: spreadOf(lags),
    steadyLagMs: spreadOf(lags.slice(steady.from ?? lags.length, steady.to)),
    wallMs: performance.now() - startedAt,
  };
}
