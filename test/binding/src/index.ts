import type { AuditLog } from "../../../src/rpc/audit-log.ts";

type Bindings = { AUDIT: Service<AuditLog>; AUDIT_WITHOUT_PROPS: Service<AuditLog> };

type Request_ = { org: string; events?: unknown; mode: string; query?: Record<string, string>; id?: string };

/** Values that no JSON can carry here, by the name a test asks for. */
const SPECIAL: Record<string, unknown> = {
  bigint: 9007199254740993n,
  nan: Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  date: new Date(0),
  map: new Map([["a", 1]]),
  undefined,
};

/** Calls the audit log as a product would: `POST /` with `{ org, events, mode }` answers what the binding answered. */
export default {
  async fetch(request, env): Promise<Response> {
    const { org, events, mode, query, id } = await request.json<Request_>();
    switch (mode) {
      case "append":
        return Response.json(await env.AUDIT.append(org, events));
      case "enqueue":
        return Response.json(await env.AUDIT.enqueue(org, events));
      case "list":
        return Response.json(await env.AUDIT.list(org, query));
      case "get":
        return Response.json(await env.AUDIT.get(org, id ?? "0"));
      case "verify":
        return Response.json(await env.AUDIT.verify(org));
      case "without_props":
        return Response.json(await env.AUDIT_WITHOUT_PROPS.append(org, events));
      default: {
        const metadata = { odd: SPECIAL[mode] };
        return Response.json(
          await env.AUDIT.append(org, { action: "a.b", actor: { type: "user", id: "u" }, metadata }),
        );
      }
    }
  },
} satisfies ExportedHandler<Bindings>;
