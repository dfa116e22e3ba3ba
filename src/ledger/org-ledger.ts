import { DurableObject } from "cloudflare:workers";
import { type Config, configOf } from "../env.ts";
import { NOT_FOUND, ok, type Refusal, refuse, type Result, UNAUTHORIZED } from "../errors.ts";
import { log } from "../log.ts";
import { count } from "../meter.ts";
import { type Caller, nameOf, type Scope } from "../schema/caller.ts";
import type {
  Append,
  AppendAnswer,
  Batch,
  LedgerStatus,
  NewKey,
  OrgKey,
  OrgSettings,
  ReadAnswer,
  ReadGrant,
  SettingsPatch,
  TreeQuestion,
  TreeView,
} from "../schema/ledger.ts";
import { createOrg, type Creation, reviveOrg } from "./create.ts";
import { Ledger } from "./ledger.ts";
import type { Lines } from "./lines.ts";
import type { Act } from "../schema/act.ts";
import { isLogHeld } from "./held.ts";
import { loadState } from "./state.ts";

/**
 * One org's ledger: the only writer of its chain. A thin shell: it refuses calls meant for another org, waits for the
 * start-up comparison and hands over. Before `create` it holds nothing and writes nothing.
 */
export class OrgLedger extends DurableObject<Env> {
  readonly #config: Config;
  #ledger: Ledger | null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#config = configOf(env);
    this.#ledger = this.#load();
    // An alarm can be lost between firing and being set again; a start with work to do sets one.
    if (this.#ledger !== null) ctx.waitUntil(this.#ledger.armAlarm());
  }

  /** Creates the org's log, once; called again it changes nothing and answers how the log stands. */
  async create(org: string, creation: Creation): Promise<Result<ReadGrant>> {
    const foreign = this.#foreign(org);
    if (foreign !== null) return foreign;
    if (this.#ledger === null) {
      const held = await isLogHeld(this.#config, creation.placement);
      if (held === null) return refuse("overloaded", "D1 or R2 may hold a log of this org.", { retry_after_s: 5 });
      // Another call may have created it while this one asked.
      if (this.#ledger === null) {
        (held ? reviveOrg : createOrg)(this.ctx.storage, org, creation);
        this.#ledger = this.#load();
      }
    }
    const ledger = await this.#ready(org);
    return ledger.ok ? ledger.value.settle(creation.by) : ledger;
  }

  /** Seals batches, each whole or not at all; answers in their order. */
  async append(org: string, caller: Caller, batches: Batch[]): Promise<AppendAnswer> {
    const stranger = this.#stranger(org, caller);
    if (stranger !== null) return stranger;
    const ledger = await this.#ready(org);
    return ledger.ok ? ledger.value.append(caller, batches) : ledger;
  }

  /** The same for several callers in one call; each has its own answer, in their order. */
  async appendAll(org: string, appends: Append[]): Promise<Result<AppendAnswer[]>> {
    return ok(await Promise.all(appends.map(({ caller, batches }) => this.append(org, caller, batches))));
  }

  /** Checks that a caller may do something to this org, and says what a reader needs to know of it. */
  async authorize(org: string, caller: Caller, scope: Scope): Promise<Result<ReadGrant>> {
    const stranger = this.#stranger(org, caller);
    if (stranger !== null) return stranger;
    // Entries are not read from a ledger that may not seal the trace, nor knows the keys that were revoked since.
    const ledger = await this.#ready(org, { appends: scope === "events:read" });
    return ledger.ok ? ledger.value.authorize(caller, scope) : ledger;
  }

  /** Checks that a caller may hand events over, and says which batches of its `Idempotency-Key` are sequenced already. */
  async permitHandover(org: string, caller: Caller, scope: Scope, key: string | null): Promise<Result<string[]>> {
    const stranger = this.#stranger(org, caller);
    if (stranger !== null) return stranger;
    const ledger = await this.#ready(org, { appends: false });
    return ledger.ok ? ledger.value.admission.admitHandover(caller, scope, key) : ledger;
  }

  /** An org's settings, for who may change them. */
  async settings(org: string, caller: Caller, scope: Scope): Promise<Result<OrgSettings>> {
    const ledger = await this.#ready(org, { appends: false });
    return ledger.ok ? ledger.value.settings(caller, scope) : ledger;
  }

  /** Changes what `patch` names of the settings and answers them all. */
  async changeSettings(org: string, caller: Caller, patch: SettingsPatch): Promise<Result<OrgSettings>> {
    const stranger = this.#stranger(org, caller);
    if (stranger !== null) return stranger;
    const ledger = await this.#ready(org);
    return ledger.ok ? ledger.value.changeSettings(caller, patch) : ledger;
  }

  /** Makes an answer part of the log; when it returns, the trace is durable. Answers the opening entry's index. */
  async traceRead(org: string, caller: Caller, answer: ReadAnswer): Promise<Result<number>> {
    const ledger = await this.#ready(org);
    return ledger.ok ? ledger.value.traceRead(caller, answer) : ledger;
  }

  /** Counts a refused call, to be sealed with others within an hour. */
  async noteRefusal(org: string, refusal: { key: string; code: string; calls: number }): Promise<Result<null>> {
    const ledger = await this.#ready(org);
    if (!ledger.ok) return ledger;
    await ledger.value.noteRefusal(refusal);
    return ok(null);
  }

  /** Seals an act of the service or of an operator. */
  async recordAct(org: string, act: Act): Promise<Result<number>> {
    const ledger = await this.#ready(org);
    return ledger.ok ? ok(await ledger.value.recordAct(act)) : ledger;
  }

  async createKey(org: string, caller: Caller, key: NewKey): Promise<Result<OrgKey>> {
    const ledger = await this.#ready(org);
    return ledger.ok ? ledger.value.createKey(caller, key) : ledger;
  }

  async listKeys(org: string, caller: Caller): Promise<Result<OrgKey[]>> {
    const ledger = await this.#ready(org, { appends: false });
    return ledger.ok ? ledger.value.listKeys(caller) : ledger;
  }

  async revokeKey(org: string, caller: Caller, id: string): Promise<Result<OrgKey>> {
    const ledger = await this.#ready(org);
    return ledger.ok ? ledger.value.revokeKey(caller, id) : ledger;
  }

  /** Waits until entries below `size` are in D1, at most `ms`; answers how many are. */
  async waitVisible(org: string, size: number, ms: number): Promise<Result<number>> {
    const ledger = await this.#ready(org, { appends: false });
    return ledger.ok ? ok(await ledger.value.projector.waitFor(size, ms)) : ledger;
  }

  /** Sealed record lines from the ledger's own stores, whatever D1 holds. */
  async linesFrom(org: string, from: number, limit: number): Promise<Result<Lines | null>> {
    const ledger = await this.#ready(org, { appends: false });
    return ledger.ok ? ok(await ledger.value.lines(from, limit)) : ledger;
  }

  /** The published tree of one of the org's logs, for a caller or (null) for everybody. */
  async treeView(org: string, caller: Caller | null, question: TreeQuestion): Promise<Result<TreeView>> {
    const stranger = this.#stranger(org, caller);
    if (stranger !== null) return stranger;
    const ledger = await this.#ready(org, { appends: false });
    return ledger.ok ? ledger.value.treeView(caller, question) : ledger;
  }

  /** Leaf texts of entries `[from, to)`, for the bundle that is not full yet. */
  async leaves(org: string, range: { from: number; to: number }, log: number | null): Promise<Result<string[]>> {
    const ledger = await this.#ready(org, { appends: false });
    return ledger.ok ? ok(await ledger.value.leaves(range, log)) : ledger;
  }

  /** Takes or renews the org's one verification run for `holder`, or ends it. */
  async leaseVerify(org: string, holder: string, { release }: { release: boolean }): Promise<Result<null>> {
    const ledger = await this.#ready(org, { appends: false });
    return ledger.ok ? ledger.value.leaseVerify(holder, { release }) : ledger;
  }

  async status(org: string): Promise<Result<LedgerStatus>> {
    const ledger = await this.#ready(org, { appends: false });
    return ledger.ok ? ok(ledger.value.status()) : ledger;
  }

  /** Empties the org's rows in D1 and lets projection make them anew from R2 and the ledger. */
  async rebuild(org: string, caller: Caller): Promise<Result<LedgerStatus>> {
    const ledger = await this.#ready(org);
    return ledger.ok ? ledger.value.rebuild(caller) : ledger;
  }

  /** Begins the org's next log where the one it has cannot be rolled forward; `by` an operator, for a reason. */
  async continueLog(org: string, caller: Caller, reason: string): Promise<Result<LedgerStatus>> {
    const stranger = this.#stranger(org, caller);
    if (stranger !== null) return stranger;
    const old = await this.#ready(org, { appends: false });
    const continued = old.ok ? await old.value.continueLog(caller, reason) : old;
    if (!continued.ok) return continued;
    this.#ledger = this.#load();
    const ledger = await this.#ready(org);
    if (ledger.ok) await ledger.value.settle(nameOf(caller));
    return ledger.ok ? ok(ledger.value.status()) : ledger;
  }

  /** The watchdog's knock: whatever is due is done, whether or not an alarm was lost. */
  async wake(org: string): Promise<Result<LedgerStatus>> {
    const ledger = await this.#ready(org);
    if (!ledger.ok) return ledger;
    ledger.value.projector.doubt();
    await ledger.value.work({ force: false });
    return ok(ledger.value.status());
  }

  override async alarm(): Promise<void> {
    const ledger = this.#ledger;
    if (ledger === null) return;
    try {
      const ready = await ledger.readiness.compare();
      if (ready.ok) await ledger.work({ force: false });
    } catch (error) {
      log("warn", { message: "alarm failed; the next one tries again", org: this.ctx.id.name, error: String(error) });
    } finally {
      await ledger.armAlarm({ fired: true });
    }
  }

  #load(): Ledger | null {
    const state = loadState(this.ctx.storage.sql);
    if (state === null) return null;
    return new Ledger({ config: this.#config, ctx: this.ctx, state });
  }

  async #ready(org: string, { appends = true } = {}): Promise<Result<Ledger>> {
    const foreign = this.#foreign(org);
    if (foreign !== null) return foreign;
    if (this.#ledger === null) return NOT_FOUND;
    const compared = await this.#ledger.readiness.wait();
    return compared.ok || !appends ? ok(this.#ledger) : compared;
  }

  /** Who is not this org's is told so before any store is asked: as fast, and as little, as for an org that is not there. */
  #stranger(org: string, caller: Caller | null): { ok: false; refusal: Refusal } | null {
    const foreign = this.#foreign(org);
    if (foreign !== null) return foreign;
    const ledger = this.#ledger;
    const known = caller === null ? ledger?.admission.mayReadTree(null) : ledger?.identify(caller);
    if (known?.ok === true) return null;
    return known ?? (caller === null ? UNAUTHORIZED : NOT_FOUND);
  }

  /** Seed of every misplaced log: a call routed to the wrong object. Never sealed, never answered, always counted. */
  #foreign(org: string): { ok: false; refusal: Refusal } | null {
    if (this.ctx.id.name === org) return null;
    count("audit_cross_org_refusals_total", { at: "ledger" });
    return refuse("internal", "A call reached the ledger of another org and was refused.");
  }
}
