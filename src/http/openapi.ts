import * as z from "zod";
import { ERROR_STATUS, type ErrorCode } from "../errors.ts";
import { orgSchema } from "../schema/names.ts";
import { problemSchema } from "../schema/answers.ts";
import type { Operation } from "./operation.ts";

type Json = { [name: string]: Json | Json[] | string[] | string | number | boolean | null };

/** The OpenAPI 3.1 document of these routes: shapes come from the Zod schemas, statuses from the one table of errors. */
export function openApiDocument(operations: readonly Operation[]): Json {
  const components = new Components();
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: operationObject(operation, components) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Indelible",
      version: "1",
      summary: "Audit logs that cannot be quietly rubbed out.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "This deployment" }],
    security: [{ key: [] }],
    tags: ["Orgs", "Events", "Verify", "Prove", "Exports", "Keys", "Keep", "Operate"].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: "http",
          scheme: "bearer",
          description: "`ind_o…` (org) or `ind_p…` (platform) key, or `ind_v…` viewer token.",
        },
      },
      schemas: components.schemas,
    },
  };
}

/** Schemas with an id, each once, referred to by everything that uses them. */
class Components {
  readonly schemas: Record<string, Json> = {};

  ref(schema: z.ZodType): Json {
    const { $defs, ...rest } = z.toJSONSchema(schema, {
      io: "input",
      unrepresentable: "any",
      override: ({ jsonSchema }) => {
        delete jsonSchema["$id"];
      },
    }) as unknown as Json & { $defs?: Record<string, Json> };
    for (const [id, definition] of Object.entries($defs ?? {})) this.schemas[id] = moved(definition);
    const id = z.globalRegistry.get(schema)?.id;
    if (id === undefined) return moved(rest);
    // One that is its own root already lies among its definitions, and `rest` merely refers to it.
    this.schemas[id] ??= moved(rest);
    return { $ref: `#/components/schemas/${id}` };
  }
}

/** References into `$defs` become references into `components`; ids have no place in there. */
function moved(schema: Json): Json {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/');
  const copy = JSON.parse(text) as Json;
  for (const member of ["id", "$schema"]) delete copy[member];
  return copy;
}

function operationObject(operation: Operation, components: Components): Json {
  const { id, summary, description, tag, scope, open, body, answers } = operation;
  const errors = errorsOf(operation);
  const responses: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(answers)) {
    responses[status] = {
      description: answer.description,
      ...headersOf(operation, Number(status)),
      content: content(answer.body, components),
    };
  }
  for (const status of new Set(errors.map((code) => ERROR_STATUS[code]))) {
    const codes = errors.filter((code) => ERROR_STATUS[code] === status).map((code) => `\`${code}\``);
    const problem = { "application/problem+json": { schema: components.ref(problemSchema) } };
    responses[String(status)] = { description: codes.join(", "), ...headersOf(operation, status), content: problem };
  }
  return {
    operationId: id,
    summary,
    tags: [tag],
    ...(open === true ? { security: [{ key: [] }, {}] } : {}),
    ...(scope === null
      ? { security: [] }
      : {
          description:
            `${description ?? ""}\n\nScope: \`${scope}\`${open === true ? "; none where the log is public" : ""}.`.trim(),
        }),
    ...(description !== undefined && scope === null ? { description } : {}),
    parameters: parametersOf(operation, components),
    ...(body === undefined ? {} : { requestBody: { required: true, content: content(body, components) } }),
    responses,
  };
}

/** The errors a route names, and those that follow from what it is: keyed, traced, with a body, ours to break. */
function errorsOf({ scope, traced, body, errors }: Operation): ErrorCode[] {
  const keyed: ErrorCode[] = scope === null ? [] : ["invalid_request", "unauthorized", "forbidden", "overloaded"];
  const bodied: ErrorCode[] = body === undefined ? [] : ["too_large", "unsupported_media_type"];
  const limited: ErrorCode[] = traced === undefined ? [] : ["rate_limited"];
  const closed: ErrorCode[] = traced === "while_open" ? ["reads_disabled"] : [];
  return [...new Set([...errors, ...keyed, ...limited, ...closed, ...bodied, "internal" as const])];
}

const REASON = { "Audit-Reason": "Why you read; kept in the trace. An org may ask for it." };
const TRACE = {
  "Audit-Read-Index": "Index of the trace of this answer, or `queued`; a restricted reader is not told the index.",
};
const LIMITS = {
  RateLimit: "What the reader may still read, by policy: `r` reads left, and `t` seconds until there are all again.",
  "RateLimit-Policy": "What the reader may read, by policy: `q` reads in `w` seconds.",
};

/** Headers of an answer to a traced read, and of its refusal when it comes too often. */
function headersOf({ traced }: Operation, status: number): Json {
  if (traced === undefined || (status >= 300 && status !== ERROR_STATUS.rate_limited)) return {};
  const named = Object.entries(status < 300 ? { ...TRACE, ...LIMITS } : LIMITS);
  const headers = named.map(([name, description]): [string, Json] => [
    name,
    { description, schema: { type: "string" } },
  ]);
  return { headers: Object.fromEntries(headers) };
}

function content(body: Record<string, z.ZodType | null>, components: Components): Json {
  const types = Object.entries(body).map(([type, shape]): [string, Json] => {
    return [type, { schema: shape === null ? { type: "string" } : components.ref(shape) }];
  });
  return Object.fromEntries(types);
}

function parametersOf({ path, query, traced, headers }: Operation, components: Components): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]): Json => {
    const schema = name === "org" ? components.ref(orgSchema) : { type: "string" };
    return { name, in: "path", required: true, schema };
  });
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, shape]): Json => {
    const { description, ...schema } = components.ref(shape as z.ZodType);
    const required = (shape as z.ZodType).isOptional() ? {} : { required: true };
    return { name, in: "query", ...required, schema, ...(description === undefined ? {} : { description }) };
  });
  const inHeader = Object.entries({ ...(traced === undefined ? {} : REASON), ...headers }).map(
    ([name, description]): Json => {
      return { name, in: "header", description, schema: { type: "string" } };
    },
  );
  return [...inPath, ...inQuery, ...inHeader];
}
