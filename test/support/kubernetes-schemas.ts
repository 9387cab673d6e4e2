/** Checks manifests against the schemas of Kubernetes and KEDA, which npm packages bring, so it needs no cluster. */
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { StatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import { Ingress } from "kubernetes-models/networking.k8s.io/v1/Ingress";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Service } from "kubernetes-models/v1/Service";

const KINDS = [
  ...[Deployment, StatefulSet, Service, PodDisruptionBudget, NetworkPolicy, Ingress],
  ...[ScaledObject, TriggerAuthentication],
];

/** What is wrong with a manifest, each with its place; empty if nothing is. */
export function problemsOf(manifest: unknown): string[] {
  if (!isObject(manifest)) return ["a manifest is an object"];
  const kind = KINDS.find((each) => each.apiVersion === manifest.apiVersion && each.kind === manifest.kind);
  if (kind === undefined) return [`${manifest.apiVersion} ${manifest.kind} is no kind that is checked here`];
  const asked = new Set<string>();
  try {
    kind.prototype.validate.call(noteReads(manifest, "", asked));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  // The schemas let unknown fields pass. What none of them asked for is unknown: misspelt, or in a wrong place.
  return pathsOf(manifest, "")
    .filter((path) => !asked.has(path))
    .map((path) => `${path} is no field of ${kind.kind}`);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** The same value; the path of every property that is read is noted. */
function noteReads<T extends object>(value: T, path: string, asked: Set<string>): T {
  return new Proxy(value, {
    get(target, key) {
      const found: unknown = Reflect.get(target, key);
      if (typeof key === "symbol") return found;
      asked.add(`${path}/${key}`);
      return isObject(found) ? noteReads(found, `${path}/${key}`, asked) : found;
    },
  });
}

/** The paths of all properties, those of elements too. */
const pathsOf = (value: unknown, path: string): string[] =>
  isObject(value)
    ? Object.entries(value).flatMap(([key, inner]) => [`${path}/${key}`, ...pathsOf(inner, `${path}/${key}`)])
    : [];
