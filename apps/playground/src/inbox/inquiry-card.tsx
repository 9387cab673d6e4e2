/** What a job waits for, with the means to decide it. It stands in the inbox and within a conversation. */
import type { Inquiry } from "@agent-paas/client";
import { CircleHelp, ShieldQuestion } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { platformNow } from "../state/clock.ts";
import { formatDuration, formatTime } from "../text/format.ts";
import { Icon } from "../ui/icon.tsx";
import { Approval } from "./approval.tsx";
import { type Decide, decide } from "./decide.ts";
import { Question } from "./question.tsx";
import { texts } from "./texts.ts";

type Props = {
  readonly jobId: string;
  readonly inquiry: Inquiry;
  /** The request is off the table, by this decision or by that of somebody else. */
  onDecided(): void;
};

export function InquiryCard({ jobId, inquiry, onDecided }: Props) {
  const [isBusy, setBusy] = useState(false);
  const send: Decide = async (decision) => {
    setBusy(true);
    const isOver = await decide(jobId, { ...decision, request_id: inquiry.request_id });
    // Decided cards stay shut until the list comes without them.
    if (isOver) onDecided();
    else setBusy(false);
  };
  const isApproval = inquiry.type === "approval";
  return (
    <article class="inquiry" aria-label={isApproval ? `${texts.wantsToCall} ${inquiry.tool}` : texts.question}>
      <header>
        <Icon of={isApproval ? ShieldQuestion : CircleHelp} />
        <span class="what">
          {isApproval ? texts.wantsToCall : texts.question} {isApproval && <code dir="auto">{inquiry.tool}</code>}
        </span>
        <Expiry at={inquiry.expires_at} />
      </header>
      {isApproval ? (
        <Approval inquiry={inquiry} isBusy={isBusy} decide={send} />
      ) : (
        <Question inquiry={inquiry} isBusy={isBusy} decide={send} />
      )}
    </article>
  );
}

const EVERY_MS = 1_000;

function Expiry({ at }: { readonly at: string }) {
  const [, setRound] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setRound((last) => last + 1), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const left = Date.parse(at) - platformNow();
  return (
    <time class="muted small number" dateTime={at} title={formatTime(at)}>
      {left > 0 ? texts.expiresIn(formatDuration(left)) : texts.expired}
    </time>
  );
}
