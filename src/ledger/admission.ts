import { ok, type RateLimit, refuse, type Result, UNAUTHORIZED } from "../errors.ts";
import {
  BACKLOG_MAX_BYTES,
  BACKLOG_MAX_ENTRIES,
  BACKLOG_READ_SHARE,
  READS_PER_KEY_PER_SECOND,
  READS_PER_KEYS_TOKENS_PER_SECOND,
  READS_PER_TOKEN_PER_SECOND,
  TREE_READS_PER_SECOND,
} from "../limits.ts";
import { type Caller, maySeeWhole, type Scope } from "../schema/caller.ts";
import type { TreeQuestion } from "../schema/ledger.ts";
import type { Core } from "./core.ts";
import type { OrgKeys, Principal } from "./keys.ts";
import { ReadLimiter } from "./read-limiter.ts";
import { findBatchesOf } from "./receipts.ts";

/** Who got through, and how much more it may read. */
type Admitted = Principal & { limits: RateLimit[] };

/** Who may read what of this org, and when it has to wait. */
export class Admission {
  readonly #core: Core;
  readonly #keys: OrgKeys;
  readonly #reads = new ReadLimiter(
    "key",
    READS_PER_KEY_PER_SECOND,
    `A key may read ${READS_PER_KEY_PER_SECOND} times a second.`,
  );
  readonly #tokenReads = new ReadLimiter(
    "token",
    READS_PER_TOKEN_PER_SECOND,
    `A viewer token may read ${READS_PER_TOKEN_PER_SECOND} times a second.`,
  );
  readonly #allTokensReads = new ReadLimiter(
    "tokens",
    READS_PER_KEYS_TOKENS_PER_SECOND,
    `All viewer tokens of a key may read ${READS_PER_KEYS_TOKENS_PER_SECOND} times a second together.`,
  );
  readonly #treeReads = new ReadLimiter(
    "tree",
    TREE_READS_PER_SECOND,
    `Checkpoint, tiles and bare proofs may be read ${TREE_READS_PER_SECOND} times a second.`,
  );

  constructor(core: Core, keys: OrgKeys) {
    this.#core = core;
    this.#keys = keys;
  }

  /** For verbs on entries: reads of sections seal traces, so they are limited, by their weight, and wait before appends do. */
  admit(caller: Caller, scope: Scope, weight = 1): Result<Admitted> {
    const principal = this.#keys.check(this.#core.state.org.org, caller, scope);
    if (!principal.ok) return principal;
    if (scope !== "events:read") return ok({ ...principal.value, limits: [] });
    const { backlog } = this.#core.state;
    const share = Math.max(backlog.entries / BACKLOG_MAX_ENTRIES, backlog.bytes / BACKLOG_MAX_BYTES);
    if (share >= BACKLOG_READ_SHARE) {
      return refuse("overloaded", "Reads wait while the ledger works off its backlog.", { retry_after_s: 30 });
    }
    const limits = this.#takeRead(principal.value, weight);
    return limits.ok ? ok({ ...principal.value, limits: limits.value }) : limits;
  }

  /** A token that had its share takes nothing from the others of its key. */
  #takeRead({ key, viewer }: Principal, weight: number): Result<RateLimit[]> {
    const now = this.#core.now();
    if (viewer === null) {
      const left = this.#reads.take(key, now, weight);
      return left.ok ? ok([left.value]) : left;
    }
    const own = this.#tokenReads.take(viewer.token, now, weight);
    if (!own.ok) return own;
    const all = this.#allTokensReads.take(key, now, weight);
    return all.ok ? ok([own.value, all.value]) : all;
  }

  /** For handing over to the queue: answers which batches of the client's `Idempotency-Key` are sequenced already. */
  admitHandover(caller: Caller, scope: Scope, idempotencyKey: string | null): Result<string[]> {
    const principal = this.#keys.check(this.#core.state.org.org, caller, scope);
    return principal.ok ? ok(findBatchesOf(this.#core.storage.sql, idempotencyKey)) : principal;
  }

  /** For checkpoint, tiles and bare proofs, which seal nothing: a key that reads, or none where the log is public. */
  mayReadTree(caller: Caller | null): Result<Principal | null> {
    const { org } = this.#core.state;
    if (caller === null) return org.settings.public_log ? ok(null) : UNAUTHORIZED;
    return this.#keys.check(org.org, caller, "events:read");
  }

  /** The same, when it is done: who has no key is told apart by the `network` it calls from. */
  admitToTree(caller: Caller | null, { network, forEntry }: TreeQuestion): Result<null> {
    const reader = this.mayReadTree(caller);
    if (!reader.ok) return reader;
    const whole = reader.value === null || forEntry ? ok(null) : maySeeWhole(reader.value);
    if (!whole.ok) return whole;
    const name = reader.value === null ? `network ${network}` : `key ${reader.value.key}`;
    const taken = this.#treeReads.take(name, this.#core.now());
    return taken.ok ? ok(null) : taken;
  }
}
