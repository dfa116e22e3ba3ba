type Named = { type: string; id: string; name?: string; email?: string };
type Sent = {
  action: string;
  occurred_at?: string;
  actor: Named;
  targets?: Named[];
  context?: { ip?: string; user_agent?: string };
  outcome?: { result: string; error_code?: string };
};

const COLUMNS = [
  "org_id",
  "timestamp",
  "actor_type",
  "actor_id",
  "actor_email",
  "action",
  "resource_type",
  "resource_id",
  "resource_name",
  "details",
  "ip_address",
  "user_agent",
  "result",
  "error_message",
] as const;

/** What a request's events become: one statement, prepared once for each number of rows. */
export function insertOf(org: string, body: string): { name: string; text: string; values: unknown[] } {
  const parsed = JSON.parse(body) as Sent | { events: Sent[] };
  const events = "events" in parsed ? parsed.events : [parsed];
  return { name: `insert-${events.length}`, text: textOf(events.length), values: events.flatMap(rowOf(org)) };
}

const texts = new Map<number, string>();

function textOf(rows: number): string {
  const known = texts.get(rows);
  if (known !== undefined) return known;
  const row = (n: number) => `(${COLUMNS.map((_, column) => `$${n * COLUMNS.length + column + 1}`).join(",")})`;
  const values = Array.from({ length: rows }, (_, n) => row(n)).join(",");
  const text = `insert into audit_logs (${COLUMNS.join(",")}) values ${values} returning id, chain_seq, checksum, timestamp`;
  texts.set(rows, text);
  return text;
}

/** What has no column of its own goes into `details`, so that nothing an event says is lost. */
function rowOf(org: string): (event: Sent) => unknown[] {
  return ({ action, occurred_at, actor, targets, context, outcome, ...rest }) => {
    const [target, ...others] = targets ?? [];
    const details = JSON.stringify({ ...rest, actor_name: actor.name, others, context });
    return [
      org,
      occurred_at ?? new Date().toISOString(),
      actor.type,
      actor.id,
      actor.email ?? null,
      action,
      target?.type ?? null,
      target?.id ?? null,
      target?.name ?? null,
      details,
      context?.ip ?? null,
      context?.user_agent ?? null,
      outcome?.result ?? "success",
      outcome?.error_code ?? null,
    ];
  };
}
