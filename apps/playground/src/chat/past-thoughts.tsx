/** What the agent did for an answer that this page did not see come: asked for when somebody opens it. */
import { ChevronRight } from "lucide";
import { useState } from "preact/hooks";
import { client } from "../state/connection.ts";
import { Icon } from "../ui/icon.tsx";
import { Await } from "../ui/states.tsx";
import { useLoad } from "../ui/use-load.ts";
import { texts } from "./texts.ts";
import { ThoughtLines } from "./thought-list.tsx";
import { gatherThought, type Thought, thoughtsOfSteps } from "./thoughts.ts";

export function PastThoughts({ jobId }: { readonly jobId: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="thoughts" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <Icon of={ChevronRight} size={14} />
        <span>{texts.pastSteps}</span>
      </summary>
      {isOpen && <LoadedThoughts jobId={jobId} />}
    </details>
  );
}

function LoadedThoughts({ jobId }: { readonly jobId: string }) {
  const thoughts = useLoad((signal) => pastThoughts(jobId, signal), [jobId]);
  return (
    <Await of={thoughts}>
      {(list) =>
        list.length === 0 ? <p class="small muted">{texts.nothingElse}</p> : <ThoughtLines thoughts={list} />
      }
    </Await>
  );
}

/** As its events told it, while the platform keeps them; its steps are kept as long as the job. */
async function pastThoughts(jobId: string, signal: AbortSignal): Promise<readonly Thought[]> {
  let thoughts: readonly Thought[] = [];
  for await (const event of client.peek().events(jobId, { signal })) {
    if (event.event === "thought") thoughts = gatherThought(thoughts, event, null);
  }
  if (thoughts.length > 0) return thoughts;
  const { steps } = await client.peek().jobs.steps(jobId, { signal });
  return thoughtsOfSteps(steps);
}
