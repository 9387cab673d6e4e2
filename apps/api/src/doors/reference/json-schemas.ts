/** Zod schemas as JSON Schema, draft 2020-12, which OpenAPI 3.1 takes as it is. Those with an id become components. */
import { z } from "zod";

export type Json = Readonly<Record<string, unknown>>;

export type JsonSchemas = {
  /** What is accepted; a field with a default may be absent. */
  ofInput(schema: z.ZodType): Json;
  /** What is answered. */
  ofOutput(schema: z.ZodType): Json;
  /** By id; complete once everything is converted. */
  readonly components: Readonly<Record<string, Json>>;
};

export function createJsonSchemas(): JsonSchemas {
  const components: Record<string, Json> = {};

  function convert(schema: z.ZodType, io: "input" | "output"): Json {
    const { $schema, $defs, ...root } = z.toJSONSchema(schema, {
      target: "draft-2020-12",
      io,
      unrepresentable: "any",
      override: plain,
    });
    for (const [id, json] of Object.entries($defs ?? {})) {
      const component = inComponents(json);
      const known = components[id];
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(component)) {
        throw new Error(`Two schemas have the id ${id}.`);
      }
      components[id] = component;
    }
    return inComponents(root);
  }

  return {
    ofInput: (schema) => convert(schema, "input"),
    ofOutput: (schema) => convert(schema, "output"),
    components,
  };
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>["override"]>;

const plain: Override = ({ zodSchema, jsonSchema }) => {
  // Only a strict object forbids further fields: clients must take fields that later versions add.
  if (zodSchema instanceof z.ZodObject && zodSchema.def.catchall === undefined) delete jsonSchema.additionalProperties;
  // Says something of a field of a request and response in OpenAPI, and of a type in TypeScript.
  delete jsonSchema.readOnly;
};

const inComponents = (json: object): Json =>
  JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'));
