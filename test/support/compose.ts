/** docker-compose.yml as Compose reads it: merged, with the defaults of its variables. */
import { z } from "zod";
import { readText } from "./sources.ts";
import { parseYaml } from "./yaml.ts";

const Strings = z.array(z.string());

const OnNetwork = z.object({ ipv4_address: z.string().optional() });
type OnNetwork = z.output<typeof OnNetwork>;

const Service = z.looseObject({
  profiles: Strings.default([]),
  image: z.string(),
  user: z.string().optional(),
  command: z.union([z.string(), Strings]),
  scale: z.number().default(1),
  read_only: z.boolean().optional(),
  cap_drop: Strings.optional(),
  security_opt: Strings.optional(),
  pids_limit: z.number().optional(),
  restart: z.string().optional(),
  mem_limit: z.string().optional(),
  stop_grace_period: z.string().optional(),
  logging: z.unknown().optional(),
  healthcheck: z.looseObject({ test: z.union([z.string(), Strings]), start_period: z.string().optional() }).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).default({}),
  environment: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).default({}),
  ports: Strings.default([]),
  networks: z.union([
    Strings.transform((names) => Object.fromEntries(names.map((name): [string, OnNetwork] => [name, {}]))),
    z.record(z.string(), OnNetwork),
  ]),
  volumes: Strings.default([]),
});

const Compose = z.looseObject({
  services: z.record(z.string(), Service.partial({ command: true, networks: true })),
  networks: z.record(z.string(), z.unknown()),
  volumes: z.record(z.string(), z.unknown()),
});

export type ComposeService = z.output<typeof Compose>["services"][string];

/** `set` are variables of the environment. */
export function readCompose(set: Readonly<Record<string, string>>): z.output<typeof Compose> {
  const text = readText("docker-compose.yml").replace(
    /\$\$|\$\{([A-Z_]+)(?::[-?]([^}]*))?\}/g,
    (found, name: string | undefined, value = "") => (name === undefined ? found : (set[name] ?? value)),
  );
  const [document] = parseYaml(text);
  return Compose.parse(document);
}
