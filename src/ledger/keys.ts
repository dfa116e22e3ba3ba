import { timingSafeEqual } from "node:crypto";
import { NOT_FOUND, ok, refuse, type Result, TOKEN_EXPIRED } from "../errors.ts";
import { ORG_MAX_KEYS, VIEWER_TOKEN_SKEW_MS } from "../limits.ts";
import type { Caller, Minter, Scope, Viewer } from "../schema/caller.ts";
import type { OrgKey, Restriction } from "../schema/ledger.ts";
import { isServiceOrg } from "../schema/names.ts";

type Row = {
  id: string;
  name: string;
  scopes: string;
  hash: string;
  created_at: number;
  revoked_at: number | null;
};

/** Who a caller turned out to be: the name its entries carry, who reads in its name, and what it may do. */
export type Principal = {
  key: string;
  scopes: readonly Scope[];
  viewer: Viewer | null;
  restriction: Restriction | null;
};

/**
 * The keys of an org, in memory as they stand in its table: checked in the same call as the append or the read they are
 * for, so that a revocation holds at the next call.
 */
export class OrgKeys {
  readonly #sql: SqlStorage;
  readonly #now: () => number;
  #rows: Map<string, Row> | null = null;

  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
  }

  /** Who calls, or why not: a key this org does not know gets the same `not_found` as an org that does not exist. */
  check(org: string, caller: Caller, scope: Scope): Result<Principal> {
    const principal = this.identify(org, caller);
    if (!principal.ok) return principal;
    if (principal.value.scopes.includes(scope)) return principal;
    return refuse("forbidden", `This key lacks the scope ${scope}.`);
  }

  list(): OrgKey[] {
    return [...this.#load().values()].map(({ id, name, scopes, created_at, revoked_at }) => ({
      id,
      name,
      scopes: JSON.parse(scopes) as Scope[],
      created_at: new Date(created_at).toISOString(),
      revoked_at: revoked_at === null ? null : new Date(revoked_at).toISOString(),
    }));
  }

  /** Whether one more key fits. */
  room(): Result<null> {
    if (this.#load().size < ORG_MAX_KEYS) return ok(null);
    return refuse("unprocessable", `An org may have at most ${ORG_MAX_KEYS} keys, revoked ones included.`);
  }

  /** Makes the next check read the table anew. */
  forget(): void {
    this.#rows = null;
  }

  insert(
    sql: SqlStorage,
    key: { id: string; name: string; scopes: readonly Scope[]; hash: string; now: number },
  ): void {
    sql.exec(
      "insert into org_key (id, name, scopes, hash, created_at) values (?, ?, ?, ?, ?) on conflict do nothing",
      key.id,
      key.name,
      JSON.stringify(key.scopes),
      key.hash,
      key.now,
    );
    this.#rows = null;
  }

  revoke(sql: SqlStorage, id: string, now: number): void {
    sql.exec("update org_key set revoked_at = ? where id = ? and revoked_at is null", now, id);
    this.#rows = null;
  }

  /** Who calls, whatever it may do. A viewer may what its token says, as far as who minted it still may. */
  identify(org: string, caller: Caller): Result<Principal> {
    const known = this.belongs(org, caller);
    if (!known.ok || caller.kind !== "viewer") return known;
    if (this.#now() >= caller.expires_at + VIEWER_TOKEN_SKEW_MS) return TOKEN_EXPIRED;
    const { viewer, restriction } = caller;
    const scopes = caller.scopes.filter((scope) => known.value.scopes.includes(scope));
    return ok({ key: known.value.key, scopes, viewer, restriction });
  }

  /** Whose key it is, or was minted a token with, if that is a key of this org that holds; the token may have expired. */
  belongs(org: string, caller: Caller): Result<Principal> {
    if (caller.kind !== "viewer") return this.#identifyKey(org, caller);
    return caller.org === org ? this.#identifyKey(org, caller.minter) : NOT_FOUND;
  }

  #identifyKey(org: string, caller: Exclude<Caller, { kind: "viewer" }> | Minter): Result<Principal> {
    const itself = { viewer: null, restriction: null };
    if (caller.kind === "trusted") {
      const { orgs } = caller;
      const may = orgs === "all" || (orgs === "*" ? !isServiceOrg(org) : orgs.includes(org));
      return may ? ok({ key: caller.name, scopes: caller.scopes, ...itself }) : NOT_FOUND;
    }
    const row = this.#load().get(caller.id);
    if (row === undefined) return NOT_FOUND;
    // Who minted a token proved to have the key when it did.
    const known = !("hash" in caller) || timingSafeEqual(Buffer.from(row.hash), Buffer.from(caller.hash));
    if (!known || row.revoked_at !== null) return refuse("unauthorized", "This key is revoked or not valid.");
    return ok({ key: row.id, scopes: JSON.parse(row.scopes) as Scope[], ...itself });
  }

  #load(): Map<string, Row> {
    this.#rows ??= new Map(
      this.#sql
        .exec<Row>("select * from org_key")
        .toArray()
        .map((row) => [row.id, row]),
    );
    return this.#rows;
  }
}
