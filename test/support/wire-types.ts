/**
 * The types of `packages/client`, from the OpenAPI document, which is made of the schemas that the API runs on. So the
 * published types stand alone and cannot differ from what is answered.
 */
import { platformDoor } from "../../apps/api/src/doors/platform/index.ts";
import { describeApi, type OpenApi } from "../../apps/api/src/doors/reference/describe-api.ts";

type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly description?: string;
};
type Operation = {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
};

const JSON_TYPE = "application/json";

/** Bodies of requests that have no name of their own, by operation. */
const REQUESTS = {
  createChat: "ChatRequest",
  execute: "ExecuteRequest",
  decideJob: "DecisionsRequest",
  queryCollection: "QueryRequest",
} as const;
/** Queries of requests. */
const QUERIES = {
  getHistory: "HistoryQuery",
  listSessions: "SessionsQuery",
  listDocuments: "PageQuery",
  listJobs: "JobsQuery",
  getDocumentChunks: "ChunksQuery",
} as const;
/** Answers that have no name of their own. */
const ANSWERS = {
  getHistory: "HistoryPage",
  listSessions: "SessionPage",
  listAgents: "AgentList",
  listJobs: "JobPage",
  listCollections: "CollectionList",
  listDocuments: "DocumentPage",
  queryCollection: "FoundPassages",
} as const;
/** Where the operations of the client are. Other doors have their own clients. */
const BASE_PATH = "/api/v1/";
/** A component of these operations that no method of the client returns. */
const UNUSED = ["ChatAnswer"];
/** Where a component is written; the others are answers. */
const PLACES: Readonly<Record<string, WireFile>> = {
  ...{ StreamEvent: "events", Usage: "events", Citation: "events", ClientCall: "events" },
  MessagePart: "requests",
  ...{ JobSteps: "monitoring", Attempt: "monitoring", JobStep: "monitoring", Metrics: "monitoring" },
};
/** Schemas without a name that occur more than once, by a property that has them. */
const SHARED = {
  JobStatus: { component: "AcceptedJob", property: "status", file: "requests" },
  JobLinks: { component: "AcceptedJob", property: "links", file: "answers" },
  DocumentFormat: { component: "Document", property: "format", file: "answers" },
} as const;

type WireFile = "events" | "requests" | "answers" | "monitoring";
type Named = readonly [name: string, schema: Schema];

/** What a file takes from another one. */
const IMPORTS: Readonly<Record<WireFile, Partial<Record<WireFile, string>>>> = {
  ...{ events: {}, requests: {} },
  answers: { events: "Citation, ClientCall, Usage", requests: "JobStatus, MessagePart" },
  monitoring: { requests: "JobStatus" },
};

const TITLES: Readonly<Record<WireFile, string>> = {
  events: "The events of a job.",
  requests: "What requests carry.",
  answers: "What the API answers.",
  monitoring: "What the API answers on how things go.",
};

export const WIRE_FILES = Object.keys(TITLES) as readonly WireFile[];

export const pathOfWireFile = (file: WireFile): string => `packages/client/src/wire/${file}.ts`;

/** The text of a file. */
export function wireTypes(file: WireFile): string {
  const api = describeApi([platformDoor]);
  const operations = operationsOf(api);
  const components = api.components.schemas as Readonly<Record<string, Schema>>;
  const sharedIn = (place?: WireFile) =>
    Object.entries(SHARED)
      .filter(([, one]) => place === undefined || one.file === place)
      .map(([name, one]): Named => [name, components[one.component]?.properties?.[one.property] ?? missing()]);
  const named = (names: Readonly<Record<string, string>>, read: (operation: Operation | undefined) => Schema) =>
    Object.entries(names).map(([id, name]): Named => [name, read(operations.get(id))]);
  const types: Readonly<Record<WireFile, readonly Named[]>> = {
    events: eventsOf(components.StreamEvent ?? missing()),
    requests: [...sharedIn("requests"), ...named(REQUESTS, bodyOf), ...named(QUERIES, queryOf)],
    answers: [...sharedIn("answers"), ...named(ANSWERS, answerOf)],
    monitoring: [],
  };
  const used = componentsIn(api);
  const placed = Object.entries(components).filter(
    ([name]) => used.has(name) && name !== "StreamEvent" && (PLACES[name] ?? "answers") === file,
  );
  return write(file, [...placed, ...types[file]], sharedIn());
}

/** The components that the client's operations name, and those that they name in turn. */
function componentsIn({ paths, components }: OpenApi): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (part: unknown): void => {
    for (const [, name = ""] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (found.has(name) || UNUSED.includes(name)) continue;
      found.add(name);
      visit((components.schemas as Readonly<Record<string, unknown>>)[name]);
    }
  };
  for (const [path, methods] of Object.entries(paths)) if (path.startsWith(BASE_PATH)) visit(methods);
  return found;
}

/** Each kind of event by a name of its own. */
function eventsOf({ oneOf = [], ...event }: Schema): readonly Named[] {
  const kinds = oneOf.map((kind): Named => {
    const name = String(kind.properties?.event?.const);
    return [`${name.charAt(0).toUpperCase()}${name.slice(1)}Event`, kind];
  });
  return [...kinds, ["StreamEvent", { ...event, oneOf: kinds.map(([name]) => ({ $ref: name })) }]];
}

const operationsOf = (api: OpenApi): ReadonlyMap<string, Operation> =>
  new Map(
    Object.values(api.paths)
      .flatMap((methods) => Object.values(methods) as unknown as Operation[])
      .map((operation) => [operation.operationId, operation]),
  );

const bodyOf = (operation: Operation | undefined): Schema =>
  operation?.requestBody?.content[JSON_TYPE]?.schema ?? missing();

const answerOf = (operation: Operation | undefined): Schema =>
  operation?.responses["200"]?.content?.[JSON_TYPE]?.schema ?? missing();

function queryOf(operation: Operation | undefined): Schema {
  const query = operation?.parameters?.filter((parameter) => parameter.in === "query") ?? missing();
  return { type: "object", properties: Object.fromEntries(query.map(({ name, schema }) => [name, schema])) };
}

function missing(): never {
  throw new Error("An operation that the client uses is not described.");
}

function write(file: WireFile, types: readonly Named[], shared: readonly Named[]): string {
  const names = new Map(shared.map(([name, schema]) => [JSON.stringify(schema), name]));
  const head = `/** ${TITLES[file]} Written by \`npm run client-types\` from the OpenAPI document: do not edit. */`;
  const imports = Object.entries(IMPORTS[file]).map(([from, taken]) => `import type { ${taken} } from "./${from}.ts";`);
  const text = types.map(([name, schema]) => {
    const others = new Map([...names].filter(([, other]) => other !== name));
    return `\n${comment(schema, "")}export type ${name} = ${typeOf(schema, { names: others, indent: "" })};`;
  });
  return `${[head, ...imports, ...text].join("\n")}\n`;
}

const MAX_COMMENT = 100;
const MAX_LINE = 100;

/** One line if it fits, else a block of lines. */
function comment({ description }: Schema, indent: string): string {
  if (description === undefined) return "";
  if (description.length <= MAX_COMMENT) return `${indent}/** ${description} */\n`;
  const lines = description.match(new RegExp(`.{1,${MAX_COMMENT}}(?:\\s|$)`, "g")) ?? [];
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line.trim()}\n`).join("")}${indent} */\n`;
}

type Place = {
  /** By the JSON of a schema: its name. */
  readonly names: ReadonlyMap<string, string>;
  readonly indent: string;
};

function typeOf(schema: Schema, place: Place): string {
  const name = place.names.get(JSON.stringify(schema));
  if (name !== undefined) return name;
  if (schema.$ref !== undefined) return schema.$ref.split("/").at(-1) ?? missing();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined)
    return unionOf(
      schema.enum.map((value) => JSON.stringify(value)),
      place,
    );
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined)
    return unionOf(
      choices.map((choice) => typeOf(choice, place)),
      place,
    );
  if (Array.isArray(schema.type)) {
    const { type, ...rest } = schema;
    const kinds = type.map((kind) => typeOf({ ...rest, type: kind }, place));
    return unionOf(kinds, place);
  }
  if (schema.type === "array") return `readonly ${elementOf(typeOf(schema.items ?? {}, place))}[]`;
  if (schema.type === "object") return objectOf(schema, place);
  if (schema.type === "integer") return "number";
  if (typeof schema.type === "object") {
    return unionOf(
      schema.type.map((type) => typeOf({ ...schema, type }, place)),
      place,
    );
  }
  return typeof schema.type === "string" ? schema.type : "unknown";
}

const elementOf = (type: string): string => (type.includes(" | ") && !type.startsWith("{") ? `(${type})` : type);

function unionOf(types: readonly string[], { indent }: Place): string {
  const line = types.join(" | ");
  return line.length <= MAX_LINE || line.includes("{") ? line : types.map((type) => `\n${indent}  | ${type}`).join("");
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema, place: Place): string {
  const inner = { ...place, indent: `${place.indent}  ` };
  const open = typeof additionalProperties === "object" ? additionalProperties : null;
  const entries = Object.entries(properties);
  if (entries.length === 0) return `Readonly<Record<string, ${typeOf(open ?? {}, place)}>>`;
  const fields = entries.map(([name, field]) => {
    const [mark, more] = required.includes(name) ? ["", ""] : ["?", " | undefined"];
    return `${comment(field, inner.indent)}${inner.indent}readonly ${name}${mark}: ${typeOf(field, inner)}${more};\n`;
  });
  const others = open === null ? "" : `${inner.indent}readonly [field: string]: ${typeOf(open, inner)};\n`;
  return `{\n${fields.join("")}${others}${place.indent}}`;
}
