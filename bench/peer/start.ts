import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { ROOT } from "../root.ts";
import { type Cluster, startCluster } from "./cluster.ts";

export type Peer = {
  port: number;
  version: string;
  /** How many rows an org has; throws unless they are one chain. */
  count(org: string): Promise<number>;
  stop(): Promise<void>;
};

/** Every row under the one before it; computed anew by what the trigger computes with. */
const BROKEN = `
  select count(*)::int as entries, count(*) filter (where
    l.chain_seq <> l.place or l.prev_checksum is distinct from l.before
    or l.checksum <> encode(sha256(convert_to(audit_log_payload(l.entry), 'UTF8')), 'hex'))::int as broken
  from (select a as entry, a.chain_seq, a.prev_checksum, a.checksum,
    row_number() over w as place, lag(a.checksum) over w as before
    from audit_logs a where org_id = $1 window w as (order by chain_seq)) l`;

/** PostgreSQL with the schema, and the HTTP server before it. */
export async function startPeer(bin: string): Promise<Peer> {
  const cluster = await startCluster(bin);
  const client = new pg.Client({ host: "127.0.0.1", port: cluster.port, user: cluster.user, database: "postgres" });
  try {
    await client.connect();
    await client.query(readFileSync(join(ROOT, "bench", "peer", "schema.sql"), "utf8"));
    const { child, port } = await startServer(cluster);
    return {
      port,
      version: cluster.version,
      count: async (org) => {
        const { rows } = await client.query<{ entries: number; broken: number }>(BROKEN, [org]);
        const [{ entries, broken } = { entries: 0, broken: 0 }] = rows;
        if (broken > 0) throw new Error(`${broken} of the peer's ${entries} rows of ${org} are not in one chain`);
        return entries;
      },
      stop: async () => {
        child.disconnect();
        await client.end();
        await cluster.stop();
      },
    };
  } catch (error) {
    await client.end().catch(() => undefined);
    await cluster.stop();
    throw error;
  }
}

function startServer({ port, user }: Cluster): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(join(ROOT, "bench", "peer-server.ts"), [String(port), user]);
  return new Promise((resolve, reject) => {
    child.once("message", (listening) => resolve({ child, port: Number(listening) }));
    child.once("exit", () => reject(new Error("the peer's server ended")));
  });
}
