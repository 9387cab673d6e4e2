/** What the agent does and did beside its answer, folded under one line that tells the latest. */
import { BookOpenText, Brain, ChevronRight, CircleDot, Split, Wrench } from "lucide";
import { formatDuration, formatNumber } from "../text/format.ts";
import { Icon } from "../ui/icon.tsx";
import { texts } from "./texts.ts";
import type { Thought } from "./thoughts.ts";

const ICONS: Readonly<Record<Thought["kind"], unknown>> = {
  reasoning: Brain,
  tool: Wrench,
  delegate: Split,
  retrieval: BookOpenText,
  status: CircleDot,
};

/** A line's text is shown up to here, in characters. */
const MAX_SHOWN = 20_000;

export function ThoughtList({
  thoughts,
  isRunning,
}: {
  readonly thoughts: readonly Thought[];
  readonly isRunning: boolean;
}) {
  const last = thoughts.at(-1);
  if (last === undefined) return null;
  return (
    <details class="thoughts">
      <summary>
        <Icon of={ChevronRight} size={14} />
        <span>{texts.steps(thoughts.length)}</span>
        {isRunning && (
          <span class="latest" dir="auto">
            {last.title || last.text.slice(-120)}
          </span>
        )}
      </summary>
      <ThoughtLines thoughts={thoughts} />
    </details>
  );
}

/** Of each how long it took, or else when it came. */
export const ThoughtLines = ({ thoughts }: { readonly thoughts: readonly Thought[] }) => (
  <ol>
    {thoughts.map((thought) => (
      <li key={thought.id} class={thought.status ?? ""}>
        <Icon of={ICONS[thought.kind]} size={15} />
        <Line thought={thought} />
        <span class="number small muted">{formatTimes(thought)}</span>
      </li>
    ))}
  </ol>
);

function formatTimes({ durationMs, atMs }: Thought): string {
  const ms = durationMs ?? atMs;
  return ms === null ? "" : formatDuration(ms);
}

function Line({ thought: { kind, title, text, arguments: args } }: { readonly thought: Thought }) {
  if (kind === "tool" && args === undefined && text === "") return <code>{title}</code>;
  if (kind === "tool") {
    return (
      <details>
        <summary>
          <code>{title}</code>
        </summary>
        {args !== undefined && <Value name={texts.arguments} text={args} />}
        {text !== "" && <Value name={texts.result} text={text} />}
      </details>
    );
  }
  return (
    <div dir="auto">
      {title !== "" && <strong>{title} </strong>}
      <span class={kind === "reasoning" ? "reasoning" : ""}>{text.slice(0, MAX_SHOWN)}</span>
      <Rest of={text} />
    </div>
  );
}

const Value = ({ name, text }: { readonly name: string; readonly text: string }) => (
  <div class="value">
    <span class="small muted">{name}</span>
    <pre dir="auto">{text.slice(0, MAX_SHOWN)}</pre>
    <Rest of={text} />
  </div>
);

/** Says what is not shown of a text. */
const Rest = ({ of: { length } }: { readonly of: string }) =>
  length > MAX_SHOWN && <p class="small rest">… {texts.rest(formatNumber(length - MAX_SHOWN))}</p>;
