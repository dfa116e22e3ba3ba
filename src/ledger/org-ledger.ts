import { type Config, configOf } from "../env.ts";
import { ok, type RateLimit, refuse, type Result } from "../errors.ts";
import { log } from "../log.ts";
import { type Caller, nameOf, type Scope } from "../schema/caller.ts";
import type {
  Append,
  AppendAnswer,
  Batch,
  Known,
  LeaseAct,
  LedgerStatus,
  NewKey,
  NewViewerToken,
  OrgKey,
  OrgSettings,
  ReadAnswer,
  ReadGrant,
  SettingsPatch,
  TreeQuestion,
  TreeView,
} from "../schema/ledger.ts";
import type {
  CloseReads,
  Opening,
  Quarantine,
  QuarantineAct,
  ReadsClosed,
  ReadsView,
  SwitchOf,
  VerifyRun,
} from "../schema/reads.ts";
import { Door, WHILE_HELD } from "./door.ts";
import { createOrg, type Creation, reviveOrg } from "./create.ts";
import { type Asking, Ledger, type Leaving } from "./ledger.ts";
import { KeepingLedger } from "./keeping-ledger.ts";
import type { Lines } from "./lines.ts";
import type { Act } from "../schema/act.ts";
import { isLogHeld } from "./held.ts";
import { loadState } from "./state.ts";

/** One org's ledger: the only writer of its chain. Its door decides who gets through, the ledger acts; before `create` it holds nothing. */
export class OrgLedger extends KeepingLedger {
  readonly #config: Config;
  readonly #door: Door;
  protected readonly door: Door;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#config = configOf(env);
    const ledger = this.#load();
    this.#door = this.door = new Door(ctx.id.name, ledger);
    // An alarm can be lost between firing and being set again; a start with work to do sets one.
    if (ledger !== null) ctx.waitUntil(ledger.armAlarm());
  }

  /** Creates the org's log, once; called again it changes nothing and answers how the log stands. */
  async create(org: string, creation: Creation): Promise<Result<ReadGrant>> {
    const foreign = this.#door.foreign(org);
    if (foreign !== null) return foreign;
    if (this.#door.ledger === null) {
      const held = await isLogHeld(this.#config, creation.placement);
      if (held === null) return refuse("overloaded", "D1 or R2 may hold a log of this org.", { retry_after_s: 5 });
      // Another call may have created it while this one asked.
      if (this.#door.ledger === null) {
        (held ? reviveOrg : createOrg)(this.ctx.storage, org, creation);
        this.#door.ledger = this.#load();
      }
    }
    return this.#door.pass(org, (ledger) => ledger.settle(creation.by));
  }

  /** Seals batches, each whole or not at all; answers in their order. */
  append(org: string, caller: Caller, batches: Batch[]): Promise<AppendAnswer> {
    return this.#door.admit(org, caller, (ledger) => ledger.append(caller, batches));
  }

  /** The same for several callers in one call; each has its own answer, in their order. */
  async appendAll(org: string, appends: Append[]): Promise<Result<AppendAnswer[]>> {
    return ok(await Promise.all(appends.map(({ caller, batches }) => this.append(org, caller, batches))));
  }

  /** Checks that a caller may do something to this org, and says what a reader needs to know of it. */
  authorize(org: string, caller: Caller, scope: Scope, asking: Partial<Asking> = {}): Promise<Result<ReadGrant>> {
    // Entries are not read from a ledger that may not seal the trace, nor knows the keys that were revoked since.
    const appends = scope === "events:read";
    return this.#door.admit(org, caller, (ledger) => ledger.authorize(caller, scope, asking), { appends });
  }

  /** Checks that a caller may hand events over, and says which batches of its `Idempotency-Key` are sequenced already. */
  permitHandover(org: string, caller: Caller, scope: Scope, key: string | null): Promise<Result<string[]>> {
    return this.#door.admit(org, caller, ({ admission }) => admission.admitHandover(caller, scope, key), WHILE_HELD);
  }

  /** An org's settings, for who may change them. */
  settings(org: string, caller: Caller, scope: Scope): Promise<Result<OrgSettings>> {
    return this.#door.pass(org, ({ acts }) => acts.settings(caller, scope), WHILE_HELD);
  }

  /** Changes what `patch` names of the settings and answers them all. */
  changeSettings(org: string, caller: Caller, patch: SettingsPatch): Promise<Result<OrgSettings>> {
    return this.#door.admit(org, caller, ({ acts }) => acts.changeSettings(caller, "orgs:write", patch));
  }

  /** Makes an answer part of the log; when it returns, the trace is durable. Answers the opening entry's index. */
  traceRead(org: string, caller: Caller, answer: ReadAnswer, leaving: Partial<Leaving> = {}): Promise<Result<number>> {
    return this.#door.pass(org, (ledger) => ledger.traceRead(caller, answer, { whileClosed: false, ...leaving }));
  }

  /** Asked when an answer leaves: refused while the org's reads are closed, to whose key or token has ended, and when more is under quarantine, or in R2 alone, than the answer knew of. */
  mayLeave(org: string, caller: Caller, known: Known): Promise<Result<null>> {
    return this.#door.pass(org, ({ reading }) => reading.mayLeave(caller, known));
  }

  /** What is told of the deployment's switch, which org `platform` keeps, when it is closed; null when it is open. */
  deploymentReads(org: string): Promise<Result<ReadsClosed | null>> {
    return this.#door.pass(org, ({ reading }) => ok(reading.notice("deployment")));
  }

  /** How a switch stands, for who may turn it. */
  reads(org: string, caller: Caller, of: SwitchOf): Promise<Result<ReadsView>> {
    return this.#door.pass(org, ({ reading }) => reading.view(caller, of));
  }

  closeReads(org: string, caller: Caller, of: SwitchOf, asked: CloseReads): Promise<Result<ReadsView>> {
    return this.#door.pass(org, ({ reading }) => reading.close(caller, of, asked));
  }

  openReads(org: string, caller: Caller, of: SwitchOf, opening: Opening): Promise<Result<ReadsView>> {
    return this.#door.pass(org, ({ reading }) => reading.reopen(caller, of, opening));
  }

  /** Puts a finished verification on record; answers whether it counts. */
  recordRun(org: string, run: VerifyRun): Promise<Result<boolean>> {
    return this.#door.pass(org, ({ reading }) => ok(reading.record(run)));
  }

  quarantines(org: string, caller: Caller): Promise<Result<Quarantine[]>> {
    return this.#door.pass(org, ({ reading }) => reading.quarantines(caller));
  }

  actOnQuarantine(org: string, caller: Caller, act: QuarantineAct): Promise<Result<Quarantine>> {
    return this.#door.pass(org, ({ reading }) => reading.actOnQuarantine(caller, act));
  }

  /** Counts a refused call, to be sealed with others within an hour. */
  noteRefusal(org: string, refusal: { key: string; code: string; calls: number }): Promise<Result<null>> {
    return this.#door.pass(org, async (ledger) => ok(await ledger.noteRefusal(refusal)));
  }

  /** Seals an act of the service or of an operator; under the name `once`, at most once. */
  recordAct(org: string, act: Act, once: string | null = null): Promise<Result<number>> {
    return this.#door.pass(org, async ({ acts }) => ok(await acts.record(act, once)));
  }

  createKey(org: string, caller: Caller, key: NewKey): Promise<Result<OrgKey>> {
    return this.#door.pass(org, ({ acts }) => acts.createKey(caller, key));
  }

  listKeys(org: string, caller: Caller): Promise<Result<OrgKey[]>> {
    return this.#door.pass(org, ({ acts }) => acts.listKeys(caller), WHILE_HELD);
  }

  revokeKey(org: string, caller: Caller, id: string): Promise<Result<OrgKey>> {
    return this.#door.pass(org, ({ acts }) => acts.revokeKey(caller, id));
  }

  /** Seals that a viewer token was minted; limited like a read, for each call is an entry. */
  issueViewerToken(org: string, caller: Caller, token: NewViewerToken): Promise<Result<RateLimit[]>> {
    return this.#door.admit(org, caller, (ledger) => ledger.issueViewerToken(caller, token));
  }

  /** Origins whose pages may read what this org answers, for who is of it, even with a token that has expired. */
  corsOrigins(org: string, caller: Caller): Promise<Result<string[]>> {
    return this.#door.pass(org, ({ acts }) => acts.corsOrigins(caller), WHILE_HELD);
  }

  /** Waits until entries below `size` are in D1, at most `ms`; answers how many are. */
  waitVisible(org: string, size: number, ms: number): Promise<Result<number>> {
    return this.#door.pass(org, async ({ projector }) => ok(await projector.waitFor(size, ms)), WHILE_HELD);
  }

  /** Sealed record lines from the ledger's own stores, whatever D1 holds. */
  linesFrom(org: string, from: number, limit: number): Promise<Result<Lines | null>> {
    return this.#door.pass(org, async (ledger) => ok(await ledger.lines(from, limit)), WHILE_HELD);
  }

  /** The published tree of one of the org's logs, for a caller or (null) for everybody. */
  treeView(org: string, caller: Caller | null, question: TreeQuestion): Promise<Result<TreeView>> {
    return this.#door.admit(org, caller, (ledger) => ledger.treeView(caller, question), WHILE_HELD);
  }

  /** Leaf texts of entries `[from, to)`, for the bundle that is not full yet. */
  leaves(org: string, range: { from: number; to: number }, log: number | null): Promise<Result<string[]>> {
    return this.#door.pass(org, async (ledger) => ok(await ledger.leaves(range, log)), WHILE_HELD);
  }

  /** Takes or renews the org's one verification, repair or removal for `holder`, or ends it. */
  leaseVerify(org: string, holder: string, act: LeaseAct): Promise<Result<null>> {
    return this.#door.pass(org, ({ lease }) => lease.ask(holder, act), WHILE_HELD);
  }

  status(org: string): Promise<Result<LedgerStatus>> {
    return this.#door.pass(org, (ledger) => ok(ledger.status()), WHILE_HELD);
  }

  /** Empties the org's rows in D1 and lets projection make them anew from R2 and the ledger. */
  rebuild(org: string, caller: Caller): Promise<Result<LedgerStatus>> {
    return this.#door.pass(org, (ledger) => ledger.rebuild(caller));
  }

  /** Begins the org's next log where the one it has cannot be rolled forward; `by` an operator, for a reason. */
  async continueLog(org: string, caller: Caller, reason: string): Promise<Result<LedgerStatus>> {
    const continued = await this.#door.admit(org, caller, (old) => old.continueLog(caller, reason), WHILE_HELD);
    if (!continued.ok) return continued;
    this.#door.ledger = this.#load();
    return this.#door.pass(org, async (ledger) => {
      await ledger.settle(nameOf(caller));
      return ok(ledger.status());
    });
  }

  /** The watchdog's knock: whatever is due is done, whether or not an alarm was lost. */
  wake(org: string): Promise<Result<LedgerStatus>> {
    return this.#door.pass(org, async (ledger) => ok(await ledger.wake()));
  }

  override async alarm(): Promise<void> {
    const { ledger } = this.#door;
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
}
