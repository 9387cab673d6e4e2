/** The parts of the running platform and what goes between them, as SVG: its doors, processes, queues and agents. */
import { createClient } from "@agent-paas/client";
import { DOORS } from "../../apps/api/src/app.ts";
import { KEYS, type TestPlatform } from "../support/platform.ts";

const SIZE = { width: 1_080, height: 470 };

type Box = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly lines: readonly string[];
};

/** From one point to another, each `[x, y]`. */
type Arrow = {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly text: string;
};

export async function drawArchitecture({ alice, redis, keys, apis, workers }: TestPlatform): Promise<string> {
  const client = createClient({ baseUrl: alice.origin, apiKey: KEYS.alice });
  const agents = (await client.agents.list()).map(({ id }) => id);
  const queues = await queueNames(redis, keys.bullmq);
  const doors = [...DOORS.filter(({ basePath }) => basePath !== "").map(nameOf), "Playground  /", "Reference  /docs"];

  const processes = (x: number, names: readonly string[], lines: readonly string[]): Box[] =>
    names.map((title, at) => ({ x, y: 40 + at * 90, width: 190, height: 74, title, lines }));
  const apiNames = apis.map((_, at) => `API ${at + 1}`);
  const workerNames = workers.map((_, at) => `Worker ${at + 1}`);

  const boxes: readonly Box[] = [
    { x: 20, y: 40, width: 230, height: 200, title: "Clients", lines: doors },
    ...processes(330, apiNames, ["checks keys and input", "streams events (SSE)"]),
    {
      x: 600,
      y: 40,
      width: 170,
      height: 200,
      title: "Redis",
      lines: ["queues of BullMQ:", ...queues, "event logs", "live channels"],
    },
    ...processes(870, workerNames, ["runs agents", "writes the database"]),
    {
      x: 330,
      y: 350,
      width: 190,
      height: 90,
      title: "Database",
      lines: ["SQLite, or PostgreSQL", "sessions, messages, jobs"],
    },
    { x: 600, y: 350, width: 170, height: 90, title: "Chroma", lines: ["passages of documents"] },
    { x: 870, y: 350, width: 190, height: 90, title: "Models", lines: ["any server that speaks", "OpenAI's protocol"] },
    { x: 20, y: 350, width: 230, height: 90, title: `${agents.length} agents`, lines: inTwo(agents) },
  ];
  const arrows: readonly Arrow[] = [
    { from: [250, 90], to: [330, 90], text: "requests" },
    { from: [330, 170], to: [250, 170], text: "events" },
    { from: [520, 90], to: [600, 90], text: "jobs" },
    { from: [600, 170], to: [520, 170], text: "events" },
    { from: [770, 90], to: [870, 90], text: "jobs" },
    { from: [870, 170], to: [770, 170], text: "events" },
    { from: [400, 350], to: [400, 204], text: "reads" },
    { from: [880, 204], to: [500, 350], text: "writes" },
    { from: [920, 204], to: [720, 350], text: "searches" },
    { from: [980, 204], to: [980, 350], text: "asks" },
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" ` +
      `height="${SIZE.height}" font-family="system-ui, sans-serif" font-size="13" role="img">`,
    "<title>Clients, API processes, Redis, workers, and what they keep</title>",
    STYLE,
    `<rect class="ground" width="${SIZE.width}" height="${SIZE.height}" rx="12"/>`,
    ...arrows.map(drawArrow),
    ...boxes.map(drawBox),
    "</svg>",
    "",
  ].join("\n");
}

/** That of the platform's own API has a tag for each of its parts. */
const nameOf = ({ tags, basePath }: (typeof DOORS)[number]): string => {
  const [name = "", ...others] = Object.keys(tags);
  return `${others.length > 0 ? "API" : name}  ${basePath}`;
};

/** Each queue of BullMQ has a key `…:meta`. */
async function queueNames(redis: TestPlatform["redis"], prefix: string): Promise<readonly string[]> {
  const found = await redis.keys(`${prefix}:*:meta`);
  return found.map((key) => key.split(":").at(-2) ?? "").sort();
}

const inTwo = (names: readonly string[]): readonly string[] => {
  const half = Math.ceil(names.length / 2);
  return [names.slice(0, half).join(", "), names.slice(half).join(", ")].filter(Boolean);
};

const STYLE = `<style>
  .ground { fill: #ffffff } rect.box { fill: #f6f8fa; stroke: #c4ccd4 } text { fill: #57606a }
  text.title { fill: #1f2328; font-weight: 600; font-size: 15px } line { stroke: #d9662b; stroke-width: 1.6 }
  polygon { fill: #d9662b } text.of-arrow { font-size: 12px; text-anchor: middle; paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #14171b } rect.box { fill: #1d2228; stroke: #3d444d } text { fill: #9aa5b1 }
    text.title { fill: #e6edf3 } text.of-arrow { stroke: #14171b }
  }
</style>`;

const drawBox = ({ x, y, width, height, title, lines }: Box): string =>
  [
    `<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    `<text class="title" x="${x + 14}" y="${y + 24}">${title}</text>`,
    ...lines.map((line, at) => `<text x="${x + 14}" y="${y + 46 + at * 20}">${line}</text>`),
  ].join("");

function drawArrow({ from: [x1, y1], to: [x2, y2], text }: Arrow): string {
  const angle = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
  return (
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>` +
    `<polygon points="0,0 -10,-5 -10,5" transform="translate(${x2} ${y2}) rotate(${angle.toFixed(1)})"/>` +
    `<text class="of-arrow" x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2 + (y1 === y2 ? -6 : 4)}">${text}</text>`
  );
}
