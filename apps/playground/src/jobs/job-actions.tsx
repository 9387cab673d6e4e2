/** What can be done with a job: follow it in code, stop it, run it again, go to its conversation. */
import type { Job } from "@agent-paas/client";
import { MessageSquare, RotateCw, Square } from "lucide";
import { useState } from "preact/hooks";
import { SnippetButton } from "../snippets/snippet-button.tsx";
import { client } from "../state/connection.ts";
import { goTo } from "../state/route.ts";
import { Button } from "../ui/button.tsx";
import { confirm } from "../ui/confirm.tsx";
import { notify, notifyError } from "../ui/notices.tsx";
import { texts } from "./texts.ts";
import { hasEnded } from "./timeline.ts";

export function JobActions({ job, onChanged }: { readonly job: Job; onChanged(): void }) {
  const [isBusy, setBusy] = useState(false);
  const attempt = async (action: () => Promise<void>) => {
    setBusy(true);
    await action().catch(notifyError);
    setBusy(false);
  };
  const cancel = async () => {
    const question = { title: texts.cancelTitle, text: texts.cancelText, action: texts.cancel };
    if (!(await confirm(question))) return;
    await client.peek().cancel(job.id);
    notify(texts.cancelling);
    onChanged();
  };
  const runAgain = async () => {
    const { job_id } = await client.peek().jobs.rerun(job.id);
    goTo("jobs", job_id);
  };
  const { session_id } = job;
  // The system's own jobs begin with what they are for.
  const isAgentJob = job.kind === "execute" && !job.agent_type.includes(".");
  return (
    <div class="actions">
      <SnippetButton request={{ kind: "events", jobId: job.id }} />
      {session_id !== null && (
        <Button icon={MessageSquare} onClick={() => goTo("chat", session_id)}>
          {texts.openChat}
        </Button>
      )}
      {isAgentJob && (
        <Button icon={RotateCw} disabled={isBusy} onClick={() => attempt(runAgain)}>
          {texts.rerun}
        </Button>
      )}
      {!hasEnded(job) && (
        <Button look="danger" icon={Square} disabled={isBusy} onClick={() => attempt(cancel)}>
          {texts.cancel}
        </Button>
      )}
    </div>
  );
}
