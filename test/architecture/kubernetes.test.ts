/** deploy/kubernetes: what a cluster would refuse, or take and do something else with, is noticed without one. */
import { join } from "node:path";
import { JOB_QUEUES } from "@agent-paas/shared/contract/jobs.ts";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ApiConfigSchema } from "../../apps/api/src/config.ts";
import { WorkerConfigSchema } from "../../apps/worker/src/config.ts";
import { problemsOf } from "../support/kubernetes-schemas.ts";
import { FOLDER, readKustomizations, readManifests, readYaml, Workload } from "../support/manifests.ts";
import { listFiles, readText } from "../support/sources.ts";

const kustomizations = [...readKustomizations()];
const manifests = readManifests();
const workloads = manifests.flatMap(({ body }) => {
  const { success, data } = Workload.safeParse(body);
  return success ? [data] : [];
});
const ours = workloads.filter(({ metadata }) => metadata.name !== "agent-paas-chroma");
const podLabels = workloads.map(({ spec }) => spec.template.metadata.labels);
const named = (kind: string, name: string) => {
  const found = manifests.find((each) => each.kind === kind && each.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
};

describe("the manifests", () => {
  test.each(manifests)("$file: $kind $name is what its schema says", ({ body }) => {
    expect(problemsOf(body)).toEqual([]);
  });

  test("every file is listed by one kustomization, and every path that is listed exists", () => {
    const listed = kustomizations.flatMap(([folder, { resources, components }]) =>
      [...resources, ...components].map((path) => join(folder, path)),
    );
    const filesListed = listed.filter((path) => path.endsWith(".yaml"));
    const folders = listed.filter((path) => !path.endsWith(".yaml"));
    expect(filesListed.sort()).toEqual(
      listFiles(`${FOLDER}/*.yaml`).filter((file) => !file.endsWith("kustomization.yaml")),
    );
    const known = kustomizations.map(([folder]) => folder);
    expect(folders.filter((folder) => !known.includes(folder))).toEqual([]);
    // The example shows everything.
    expect(known.filter((folder) => !folders.includes(folder))).toEqual([`${FOLDER}/overlays/example`]);
  });

  test("patches, replacements and images name manifests that exist", () => {
    for (const [, { patches, replacements, images }] of kustomizations) {
      const targets = [
        ...patches.map(({ target }) => target),
        ...replacements.flatMap(({ source, targets }) => [source, ...targets.map(({ select }) => select)]),
      ];
      for (const { kind, name } of targets) named(kind, name);
      const used = workloads.flatMap(({ spec }) => spec.template.spec.containers.map(({ image }) => image));
      expect(images.filter(({ name }) => !used.includes(name))).toEqual([]);
    }
  });
});

describe("settings and secrets", () => {
  const generated = kustomizations.flatMap(([, { configMapGenerator }]) => configMapGenerator);
  const containers = ours.flatMap(({ spec }) => spec.template.spec.containers);

  test("every setting is one of the platform's", () => {
    const known = [...readText(".env.example").matchAll(/^#?([A-Z_]+)=/gm)].map(([, name = ""]) => name);
    const settings = [
      ...generated.flatMap(({ literals }) => literals.map((literal) => literal.replace(/=.*/s, ""))),
      ...containers.flatMap(({ env }) => env.map(({ name }) => name)),
    ];
    expect(settings.length).toBeGreaterThan(15);
    expect(settings.filter((name) => !known.includes(name))).toEqual([]);
  });

  test("pods take settings from generated maps, and overlays change those of the base", () => {
    const made = new Set(generated.filter(({ behavior }) => behavior === undefined).map(({ name }) => name));
    const taken = containers.flatMap(({ envFrom }) => envFrom.map(({ configMapRef }) => configMapRef.name));
    expect([...new Set(taken)].sort()).toEqual([...made].sort());
    expect(generated.filter(({ name }) => !made.has(name))).toEqual([]);
  });

  test("secrets stand in no manifest", () => {
    const SECRET = /_KEYS?$|TOKEN|PASSWORD|^(REDIS|DATABASE)_URL$|^MCP_SERVERS$/;
    for (const { env } of containers) {
      expect(env.filter(({ name }) => SECRET.test(name)).map(({ name }) => name)).toContain("REDIS_URL");
      for (const { name, valueFrom } of env) expect(valueFrom !== undefined, name).toBe(SECRET.test(name));
    }
    expect(
      generated.flatMap(({ literals }) => literals).filter((literal) => SECRET.test(literal.split("=")[0] ?? "")),
    ).toEqual([]);
    expect(manifests.map(({ kind }) => kind)).not.toContain("Secret");
  });
});

describe.each(workloads)("$kind $metadata.name", ({ spec: { template }, metadata: { name } }) => {
  const { spec } = template;

  test("a pod has no rights that it does not need, and limits", () => {
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    });
    for (const container of spec.containers) {
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: {
          requests: { cpu: expect.any(String), memory: expect.any(String) },
          limits: { memory: expect.any(String) },
        },
        readinessProbe: expect.any(Object),
      });
    }
  });

  test("Kubernetes waits for longer than a process needs to stop", () => {
    const grace = spec.containers.flatMap(({ env }) => env).find((each) => each.name === "SHUTDOWN_GRACE_MS")?.value;
    const before = spec.containers.flatMap(({ lifecycle }) => lifecycle?.preStop.exec.command.at(-1) ?? "0");
    const longest = Number(grace ?? 20_000) / 1_000 + Number(before[0]) + 5;
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(longest);
    if (name === "agent-paas-worker")
      expect(Number(grace)).toBe(WorkerConfigSchema.shape.CHAT_DEADLINE_MS.parse(undefined));
  });

  test("an image is that of docker-compose.yml", () => {
    const images = spec.containers.map(({ image }) => image);
    expect(images.filter((image) => !readText("docker-compose.yml").includes(`image: ${image}\n`))).toEqual([]);
  });
});

describe("what belongs together", () => {
  const Selecting = z.looseObject({
    spec: z.looseObject({
      selector: z.unknown().optional(),
      podSelector: z.unknown().optional(),
    }),
  });
  const Selector = z.object({
    matchLabels: z.record(z.string(), z.string()).default({}),
    matchExpressions: z
      .array(z.strictObject({ key: z.string(), operator: z.literal("In"), values: z.array(z.string()) }))
      .default([]),
  });
  const picks = (selector: unknown): number => {
    const { matchLabels, matchExpressions } = Selector.parse(selector);
    return podLabels.filter(
      (labels) =>
        Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
        matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? "")),
    ).length;
  };

  test("every Service, PodDisruptionBudget and NetworkPolicy finds pods", () => {
    const selecting = manifests.filter(({ kind }) => /Service|Budget|NetworkPolicy/.test(kind));
    for (const { body, kind, name } of selecting) {
      const { spec } = Selecting.parse(body);
      const selector = kind === "Service" ? { matchLabels: spec.selector } : (spec.selector ?? spec.podSelector);
      const count = name === "agent-paas-deny" ? workloads.length : /storage|to-chroma/.test(name) ? 2 : 1;
      expect(picks(selector), `${kind} ${name}`).toBe(count);
    }
  });

  test("the API is probed at its own routes, and a worker by its own check", () => {
    const text = (name: string) => JSON.stringify(named("Deployment", name).body);
    const probed = [...text("agent-paas-api").matchAll(/"(\w+Probe)":\{"httpGet":\{"path":"([^"]+)"/g)];
    expect(probed.map(([, probe, path]) => [probe, path])).toEqual([
      ["startupProbe", "/api/v1/livez"],
      ["readinessProbe", "/api/v1/readyz"],
      ["livenessProbe", "/api/v1/livez"],
    ]);
    expect(text("agent-paas-worker")).toContain('"command":["node","apps/worker/src/is-alive.ts"]');
  });

  test("pods run files that exist", () => {
    const run = JSON.stringify(ours).match(/apps\/\w+\/src\/[\w-]+\.ts/g) ?? [];
    expect(run).toHaveLength(3);
    expect(run.filter((path) => listFiles(path).length === 0)).toEqual([]);
  });

  test("the number of workers follows from what GET /health counts and from a worker's slots", () => {
    const Scaled = z.looseObject({
      spec: z.looseObject({
        scaleTargetRef: z.object({ name: z.string() }),
        advanced: z.looseObject({ scalingModifiers: z.looseObject({ formula: z.string() }) }),
        triggers: z.array(z.looseObject({ name: z.string(), metadata: z.record(z.string(), z.string()) })),
      }),
    });
    const { spec } = Scaled.parse(named("ScaledObject", "agent-paas-worker").body);
    named("Deployment", spec.scaleTargetRef.name);
    const counted = JOB_QUEUES.flatMap((queue) => ["active", "waiting"].map((count) => ({ queue, count })));
    expect(spec.triggers.map(({ name, metadata }) => [name, metadata.valueLocation])).toEqual(
      counted.map(({ queue, count }) => [`${queue}_${count}`, `checks.queues.${queue}.${count}`]),
    );
    const slots = {
      chat: WorkerConfigSchema.shape.WORKER_CHAT_CONCURRENCY,
      execute: WorkerConfigSchema.shape.WORKER_EXECUTE_CONCURRENCY,
      knowledge: WorkerConfigSchema.shape.WORKER_KNOWLEDGE_CONCURRENCY,
    };
    const shares = JOB_QUEUES.map((queue) => `(${queue}_active + ${queue}_waiting) / ${slots[queue].parse(undefined)}`);
    expect(spec.advanced.scalingModifiers.formula.replace(/\s+/g, " ")).toBe(`max(${shares.join(", ")})`);
  });

  test("an Ingress lets streams through, and waits for longer than the API is silent", () => {
    const Annotated = z.looseObject({ metadata: z.looseObject({ annotations: z.record(z.string(), z.string()) }) });
    const { annotations } = Annotated.parse(named("Ingress", "agent-paas").body).metadata;
    expect(annotations).toMatchObject({
      "nginx.ingress.kubernetes.io/proxy-buffering": "off",
      "nginx.ingress.kubernetes.io/proxy-http-version": "1.1",
      "nginx.org/proxy-buffering": "False",
    });
    const silent = ["SSE_HEARTBEAT_MS", "JSON_WAIT_MS"] as const;
    const longest = Math.max(...silent.map((name) => ApiConfigSchema.shape[name].parse(undefined)));
    const waits = Object.entries(annotations).filter(([name]) => name.endsWith("/proxy-read-timeout"));
    expect(waits).toHaveLength(2);
    for (const [, seconds] of waits) expect(Number.parseInt(seconds, 10) * 1_000).toBeGreaterThan(longest + 10_000);
  });
});

describe("a manifest that is wrong", () => {
  const [deployment] = readYaml(`${FOLDER}/base/api.yaml`);
  const changed = (from: string, to: string) => JSON.parse(JSON.stringify(deployment).replace(from, to));

  test.each<[what: string, from: string, to: string]>([
    ["a misspelt field", '"replicas"', '"replica"'],
    ["a misspelt field far below", '"periodSeconds"', '"periodSecond"'],
    ["a field in a wrong place", '"automountServiceAccountToken"', '"imagePullPolicy"'],
    ["a number that is a text", '"replicas":2', '"replicas":"2"'],
    ["a missing field that is required", '"name":"api",', ""],
    ["an amount that is none", '"512Mi"', '"512 MB"'],
    ["a kind that does not exist", '"Deployment"', '"Deploymemt"'],
    ["a version that does not exist", '"apps/v1"', '"apps/v2"'],
  ])("%s is noticed", (_, from, to) => {
    expect(changed(from, from)).toEqual(deployment);
    expect(problemsOf(changed(from, to))).not.toEqual([]);
  });
});
