/** The manifests in deploy/kubernetes as their files have them, and what the kustomizations say of them. */
import { dirname } from "node:path";
import { z } from "zod";
import { listFiles, readText } from "./sources.ts";
import { parseYaml } from "./yaml.ts";

export const FOLDER = "deploy/kubernetes";

const Generator = z.strictObject({
  name: z.string(),
  behavior: z.literal("merge").optional(),
  literals: z.array(z.string().regex(/^[A-Z_]+=/)),
});
const Target = z.strictObject({ kind: z.string(), name: z.string() });

/** What of kustomize is used here. */
const Kustomization = z.strictObject({
  apiVersion: z.string(),
  kind: z.enum(["Kustomization", "Component"]),
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
  components: z.array(z.string()).default([]),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })).default([]),
  configMapGenerator: z.array(Generator).default([]),
  patches: z.array(z.strictObject({ target: Target, patch: z.string() })).default([]),
  replacements: z
    .array(
      z.strictObject({
        source: Target.extend({ fieldPath: z.string() }),
        targets: z.array(
          z.strictObject({
            select: Target,
            fieldPaths: z.array(z.string()),
            options: z.strictObject({ delimiter: z.string(), index: z.number() }),
          }),
        ),
      }),
    )
    .default([]),
});

const Env = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .strictObject({
      secretKeyRef: z.strictObject({ name: z.string(), key: z.string(), optional: z.boolean().optional() }),
    })
    .optional(),
});
const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  env: z.array(Env).default([]),
  envFrom: z.array(z.strictObject({ configMapRef: z.strictObject({ name: z.string() }) })).default([]),
  lifecycle: z.object({ preStop: z.object({ exec: z.object({ command: z.array(z.string()) }) }) }).optional(),
});
const Labels = z.record(z.string(), z.string());

/** Of a Deployment or StatefulSet, what the tests look at; that it is one says its schema. */
export const Workload = z.looseObject({
  kind: z.enum(["Deployment", "StatefulSet"]),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    template: z.looseObject({
      metadata: z.looseObject({ labels: Labels }),
      spec: z.looseObject({
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.unknown(),
        containers: z.array(Container),
      }),
    }),
  }),
});

export type Manifest = { readonly file: string; readonly kind: string; readonly name: string; readonly body: unknown };

const Named = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });

export const readYaml = (file: string): unknown[] => parseYaml(readText(file));

const files = listFiles(`${FOLDER}/*.yaml`);
const isKustomization = (file: string) => file.endsWith("/kustomization.yaml");

/** Folder → its kustomization. */
export const readKustomizations = () =>
  new Map(
    files.filter(isKustomization).map((file) => [dirname(file), Kustomization.parse(readYaml(file)[0])] as const),
  );

export const readManifests = (): Manifest[] =>
  files
    .filter((file) => !isKustomization(file))
    .flatMap((file) =>
      readYaml(file).map((body) => {
        const { kind, metadata } = Named.parse(body);
        return { file, kind, name: metadata.name, body };
      }),
    );
