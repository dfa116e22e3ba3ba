import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** `failed`: nothing happened; `failed but stored`: it happened, and was reported as an error; `hangs` and `hangs, but
 * stored`: the same without any answer, as before a crash. */
export type FaultKind = "failed" | "failed but stored" | "hangs" | "hangs, but stored";

export const FAULT_KINDS = ["failed", "failed but stored"] as const;

/** A fault at work: `hits` counts the calls it met. */
export type Fault = { readonly hits: number; restore(): void };

/** Methods of platform objects have no common type. */
type Method = (...args: any[]) => any;

const restores = new Set<() => void>();

/** Takes every fault away; files that break things say `afterEach(restoreFaults)`. */
export function restoreFaults(): void {
  for (const restore of restores) restore();
}

/**
 * Puts `instead` in place of a method of one object, until restored. Bindings are the same instances in the Worker, in
 * Durable Objects and in the test, so all of them meet it.
 */
export function replaceMethod<T extends object>(
  target: T,
  name: keyof T & string,
  instead: (original: Method, args: any[]) => unknown,
): Fault {
  const before = Object.getOwnPropertyDescriptor(target, name);
  const original = (target[name] as Method).bind(target);
  const fault = { hits: 0, restore };
  function restore(): void {
    restores.delete(restore);
    if (before === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, before);
  }
  const value = (...args: any[]) => {
    fault.hits++;
    return instead(original, args);
  };
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
  restores.add(restore);
  return fault;
}

/** Breaks a method that answers a promise; `times` calls of those `when` picks, all of them by default. */
export function breakMethod<T extends object>(
  target: T,
  name: keyof T & string,
  kind: FaultKind,
  { times = Number.POSITIVE_INFINITY, when = () => true }: { times?: number; when?: (args: any[]) => boolean } = {},
): Fault {
  const fault = { hits: 0, restore: () => replaced.restore() };
  const replaced = replaceMethod(target, name, async (original, args) => {
    if (fault.hits >= times || !when(args)) return original(...args);
    fault.hits++;
    if (kind.endsWith("but stored")) await original(...args);
    if (kind.startsWith("hangs")) return new Promise(() => {});
    throw new Error(`${name} failed: injected by the test`);
  });
  return fault;
}

export const CELLS = [env.CELL_0, env.CELL_1] as const;

type BoundStatement = { statement?: string; params?: unknown[] };

/** Whether a D1 batch projects entries of this org, and does not merely ask. */
export function projectsFor(org: string): (args: any[]) => boolean {
  return ([statements]) =>
    (statements as BoundStatement[]).some(
      ({ statement, params }) =>
        statement?.includes("insert into entry_") && String(params?.[1]).includes(`/orgs/${org}\\"`),
    );
}

/** Breaks the batches that project an org's entries, in every cell. */
export function breakProjection(org: string, kind: FaultKind, { times }: { times?: number } = {}): Fault {
  const options = { ...(times === undefined ? {} : { times }), when: projectsFor(org) };
  return together(CELLS.map((cell) => breakMethod(cell, "batch", kind, options)));
}

/** Breaks the puts (or gets) of an org's segments. */
export function breakSegments(
  org: string,
  method: "put" | "get" | "list",
  kind: FaultKind,
  { times }: { times?: number } = {},
): Fault {
  return breakObjects("seg", org, { method, kind, ...(times === undefined ? {} : { times }) });
}

/** Breaks the puts (or gets, or lists) of an org's tiles, bundles and checkpoints: of those whose key holds `part`. */
export function breakTree(
  org: string,
  fault: { method: "put" | "get" | "list"; kind: FaultKind; times?: number; part?: string },
): Fault {
  return breakObjects("tree", org, fault);
}

function breakObjects(
  folder: "seg" | "tree",
  org: string,
  {
    method,
    kind,
    times,
    part = "",
  }: { method: "put" | "get" | "list"; kind: FaultKind; times?: number; part?: string },
): Fault {
  const when = ([asked]: any[]) => {
    const key = typeof asked === "string" ? asked : String(asked.prefix);
    return key.startsWith(`${folder}/`) && key.includes(`/orgs/${org}/${part}`);
  };
  return breakMethod(env.ARCHIVE, method, kind, { ...(times === undefined ? {} : { times }), when });
}

/** D1 does not answer: cells and, unless `directory` is false, the directory. */
export function breakD1({ directory = true } = {}): Fault {
  const down = (name: string) => () => {
    throw new Error(`D1_ERROR: ${name} is down: injected by the test`);
  };
  const databases = directory ? [...CELLS, env.DIRECTORY] : CELLS;
  const methods = ["batch", "prepare", "exec"] as const;
  return together(databases.flatMap((database) => methods.map((name) => replaceMethod(database, name, down(name)))));
}

/** R2 does not answer. */
export function breakR2(): Fault {
  const methods = ["put", "get", "head", "list", "delete"] as const;
  return together(methods.map((name) => breakMethod(env.ARCHIVE, name, "failed")));
}

function together(faults: readonly Fault[]): Fault {
  return {
    get hits() {
      return faults.reduce((sum, { hits }) => sum + hits, 0);
    },
    restore: () => {
      for (const fault of faults) fault.restore();
    },
  };
}

/** Takes an org's ledger out of memory, once what it is doing is done; the next call finds only what was stored. */
export async function evict(org: string): Promise<void> {
  try {
    await evictDurableObject(env.ORG_LEDGER.getByName(org));
  } catch (error) {
    // One that nothing runs is out of memory already.
    if (!String(error).includes("not currently running")) throw error;
  }
}

/** Breaks an org's next transactions that stage entries, until restored or `times` were met. */
export async function breakSequencing(
  org: string,
  kind: "failed" | "failed but stored",
  { times = Number.POSITIVE_INFINITY }: { times?: number } = {},
): Promise<Fault> {
  return runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    const newest = () => storage.sql.exec("select max(first) as newest from staged").one()["newest"];
    const fault = { hits: 0, restore: () => replaced.restore() };
    const fail = () => {
      fault.hits++;
      throw new Error("transactionSync failed: injected by the test");
    };
    const replaced = replaceMethod(storage, "transactionSync", (original, [body]) => {
      if (fault.hits >= times) return original(body);
      let stages = false;
      const answer = original(() => {
        const before = newest();
        const done = body();
        const after = newest();
        stages = after !== null && after !== before;
        if (stages && kind === "failed") fail();
        return done;
      });
      if (stages) fail();
      return answer;
    });
    return fault;
  });
}

/** Kills an org's ledger in the middle of whatever it is doing: only what is stored is left. */
export async function abort(org: string): Promise<void> {
  try {
    await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, state) => state.abort("killed by the test"));
  } catch (error) {
    if (!String(error).includes("killed by the test")) throw error;
  }
}

/** Drops every staged row that a segment holds, as when the tree has grown past it, and takes the ledger out of memory. */
export async function dropArchived(org: string): Promise<void> {
  await runInDurableObject(env.ORG_LEDGER.getByName(org), (_, { storage }) => {
    storage.sql.exec("delete from staged where first + count <= (select max(last) + 1 from segment)");
  });
  await evict(org);
}
