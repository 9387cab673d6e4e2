/** The timeline as a table whose rows have their bars on one time axis: a picture to look at, and a table to read. */
import { Bot, Cog, Hourglass, Play, RotateCw, Search, Sparkles, UserRound, Wrench } from "lucide";
import { formatDuration, formatNumber } from "../text/format.ts";
import { Icon } from "../ui/icon.tsx";
import { type Axis, axisOf, type Tick } from "./axis.ts";
import { texts } from "./texts.ts";
import { type Row, tokensPerSecond } from "./timeline.ts";

const ICONS: Readonly<Record<string, unknown>> = {
  queue: Hourglass,
  retry: RotateCw,
  person: UserRound,
  attempt: Play,
  model: Sparkles,
  tool: Wrench,
  retrieval: Search,
  delegate: Bot,
  work: Cog,
};

/** Deeper rows are not moved further in. */
const MAX_INDENT = 4;

export function TimelineView({ rows, isTruncated }: { readonly rows: readonly Row[]; readonly isTruncated: boolean }) {
  const axis = axisOf(rows);
  const begin = rows[0]?.from ?? 0;
  return (
    <figure class="timeline">
      <table>
        <thead>
          <tr>
            <th scope="col" class="step">
              {texts.step}
            </th>
            <th scope="col" class="axis">
              <span class="visually-hidden">{texts.when}</span>
              <Scale ticks={axis.ticks} />
            </th>
            <th scope="col" class="amount">
              {texts.took}
            </th>
            <th scope="col" class="amount tokens">
              {texts.tokens}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <RowView key={row.id} row={row} axis={axis} begin={begin} />
          ))}
        </tbody>
      </table>
      <figcaption class="hint">
        {rows.some(axis.isShortened) && texts.shortened} {isTruncated && texts.truncated}
      </figcaption>
    </figure>
  );
}

const percent = (part: number): string => `${(part * 100).toFixed(3)}%`;

const Scale = ({ ticks }: { readonly ticks: readonly Tick[] }) => (
  <svg class="scale number" aria-hidden="true">
    {ticks.map(({ at, ms, isMajor }) => (
      <text key={ms} class={isMajor ? "" : "minor"} x={percent(at)} y="1em">
        {ms === 0 ? "0" : formatDuration(ms)}
      </text>
    ))}
  </svg>
);

function RowView({ row, axis, begin }: { readonly row: Row; readonly axis: Axis; readonly begin: number }) {
  const { kind, status, worker, depth, from, to, outputTokens } = row;
  const speed = tokensPerSecond(row);
  const spoken = [status === null ? "" : wordOf(status), texts.after(formatDuration(from - begin))];
  return (
    <tr class={`${kind} ${status ?? ""} depth-${Math.min(depth, MAX_INDENT)}`}>
      <th scope="row" title={[labelOf(row), status === null ? "" : wordOf(status), worker].filter(Boolean).join(" · ")}>
        <div class="label">
          <Icon of={ICONS[kind] ?? Cog} size={15} />
          <span class="name" dir="auto">
            {labelOf(row)}
          </span>
          {status !== null && isNotable(status) && <span class="outcome">{wordOf(status)}</span>}
        </div>
      </th>
      <td class="axis">
        <span class="visually-hidden">{spoken.filter(Boolean).join(", ")}</span>
        <Bar row={row} axis={axis} />
      </td>
      <td class="amount number">{formatDuration(to - from)}</td>
      <td class="amount number tokens">
        {outputTokens !== null &&
          texts.tokensOf(formatNumber(outputTokens), speed === null ? null : formatNumber(speed, speed < 10 ? 1 : 0))}
      </td>
    </tr>
  );
}

/** Until the first token, a model turn is drawn pale. */
function Bar({ row, axis }: { readonly row: Row; readonly axis: Axis }) {
  const [from, to] = [axis.at(row.from), axis.at(row.to)];
  const first = row.firstToken === null ? from : axis.at(row.firstToken);
  const shape = { y: "25%", height: "50%", rx: 2 };
  return (
    <svg class={row.isOpen ? "bar open" : "bar"} aria-hidden="true">
      {axis.ticks.map(({ at }) => (
        <line key={at} class="grid" x1={percent(at)} x2={percent(at)} y1="0" y2="100%" />
      ))}
      {axis.isShortened(row) && (
        <pattern id={`stripes-${row.from}`} class="stripes" width="8" height="8" patternUnits="userSpaceOnUse">
          <path d="M-2 2 l4 -4 M0 8 l8 -8 M6 10 l4 -4" />
        </pattern>
      )}
      {first > from && <rect class="pale" x={percent(from)} width={percent(first - from)} {...shape} />}
      <rect class="solid" x={percent(first)} width={percent(to - first)} {...shape} />
      {axis.isShortened(row) && (
        <rect fill={`url(#stripes-${row.from})`} x={percent(from)} width={percent(to - from)} {...shape} />
      )}
    </svg>
  );
}

const labelOf = ({ kind, name }: Row): string => {
  if (kind === "attempt") return texts.attemptOf(name);
  return name === "" ? wordOf(kind) : name;
};

/** Kinds and outcomes of a newer platform are shown as it writes them. */
const wordOf = (name: string): string => {
  const word: unknown = Object.hasOwn(texts, name) ? texts[name as keyof typeof texts] : name;
  return typeof word === "string" ? word : name;
};

const isNotable = (status: string): boolean => !["completed", "running"].includes(status);
