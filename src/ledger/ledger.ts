import type { Config } from "../env.ts";
import { ok, type RateLimit, type Result } from "../errors.ts";
import { count } from "../meter.ts";
import type { Caller, Scope } from "../schema/caller.ts";
import type {
  AppendAnswer,
  Batch,
  Known,
  LedgerStatus,
  NewViewerToken,
  ReadAnswer,
  ReadGrant,
  TreeQuestion,
  TreeView,
} from "../schema/ledger.ts";
import { savePlacement } from "../store/placement-table.ts";
import { ACT_BYTES, Acts } from "./acts.ts";
import { Admission } from "./admission.ts";
import { Alarm } from "./alarm.ts";
import { planBatch, weightOf } from "./append.ts";
import { Archiver } from "./archiver.ts";
import { type Core, coreOf } from "./core.ts";
import { continueLog, WHOLE } from "./continue-log.ts";
import { OrgKeys, type Principal } from "./keys.ts";
import { DueSeals } from "./due-seals.ts";
import { grantOf } from "./grant.ts";
import { leavesOf } from "./leaves.ts";
import { Keeping } from "./keeping.ts";
import { Lease } from "./lease.ts";
import { linesFrom } from "./lines.ts";
import { Projector } from "./projector.ts";
import { Publisher } from "./publisher.ts";
import { Readiness } from "./readiness.ts";
import { Reading } from "./reading.ts";
import { planRead } from "./reads.ts";
import { beginRebuild } from "./rebuild.ts";
import { Removals } from "./removals.ts";
import { noteRefusal } from "./refusals.ts";
import { Reporter, statusOf } from "./status.ts";
import { type Planning, Sequencer } from "./sequencer.ts";
import type { State } from "./state.ts";
import { Tiers } from "./tiers.ts";
import { treeViewAt } from "./tree-view.ts";

/** `whileClosed`: also while reads are closed, for what carries no entries, or has left already. `weight`: how many reads it counts as. */
export type Asking = { whileClosed: boolean; weight: number };

/** `known`: what the answer rests on; not asked of one that left before. */
export type Leaving = Pick<Asking, "whileClosed"> & { known?: Known };

/** The verbs of one created ledger, over its parts. */
export class Ledger {
  readonly projector: Projector;
  readonly readiness: Readiness;
  readonly #core: Core;
  readonly #ctx: DurableObjectState;
  readonly #keys: OrgKeys;
  readonly #sequencer: Sequencer;
  readonly #archiver: Archiver;
  readonly #publisher: Publisher;
  readonly #alarm: Alarm;
  readonly #dueSeals: DueSeals;
  readonly #reporter: Reporter;
  readonly admission: Admission;
  readonly acts: Acts;
  readonly reading: Reading;
  readonly keeping: Keeping;
  readonly removals: Removals;
  readonly tiers: Tiers;
  readonly lease: Lease;

  constructor({ config, ctx, state }: { config: Config; ctx: DurableObjectState; state: State }) {
    this.#ctx = ctx;
    this.#core = coreOf(config, ctx.storage, state);
    this.#keys = new OrgKeys(ctx.storage.sql, () => this.#core.now());
    this.admission = new Admission(this.#core, this.#keys);
    this.readiness = new Readiness(this.#core, () => {
      this.#keys.forget();
      this.#alarm.sealsChanged();
    });
    this.projector = new Projector(this.#core, () => this.readiness.doubt());
    this.#archiver = new Archiver(this.#core);
    this.#publisher = new Publisher(this.#core, this.#archiver, () => this.#askWitnesses());
    const stores = { projector: this.projector, archiver: this.#archiver };
    this.#alarm = new Alarm(this.#core, { ...stores, publisher: this.#publisher });
    this.#reporter = new Reporter(this.#core);
    this.#sequencer = new Sequencer(this.#core, () => this.#ctx.waitUntil(this.work({ force: false })));
    this.lease = new Lease(() => this.#core.now());
    const parts = { ...stores, keys: this.#keys, sequencer: this.#sequencer, lease: this.lease };
    this.acts = new Acts(this.#core, parts);
    this.reading = new Reading(this.#core, parts);
    this.keeping = new Keeping(this.#core, parts);
    this.removals = new Removals(this.#core, parts);
    this.tiers = new Tiers(this.#core, parts);
    this.#dueSeals = new DueSeals(this.#core, { sequencer: this.#sequencer, alarm: this.#alarm });
  }

  /** Makes the log's first entry go its way, and copies where the log lies into the directory. */
  async settle(by: string): Promise<Result<ReadGrant>> {
    const { state, config } = this.#core;
    const { org } = state.org;
    if ((state.projected ?? 0) < state.head.size) this.#ctx.waitUntil(this.work({ force: false }));
    await Promise.all(state.placements.map((placement) => savePlacement(config.directory, { org, ...placement })));
    return ok(grantOf(state, { key: by, scopes: [], viewer: null, restriction: null, limits: [] }));
  }

  async append(caller: Caller, batches: Batch[]): Promise<AppendAnswer> {
    const events = batches.reduce((sum, batch) => sum + batch.events.length, 0);
    const bytes = batches.reduce((sum, batch) => sum + weightOf(batch), 0);
    return this.#sequencer.join({
      events,
      bytes,
      plan: ({ draft, receipts }) => {
        const { state, storage } = this.#core;
        const imports = batches.some(({ delivery }) => delivery === "import");
        const principal = this.#keys.check(state.org.org, caller, imports ? "events:import" : "events:append");
        if (!principal.ok) return principal;
        const context = { sql: storage.sql, state, draft, receipts, key: principal.value.key };
        return ok(batches.map((batch) => planBatch(context, batch)));
      },
    });
  }

  identify(caller: Caller): Result<Principal> {
    return this.#keys.identify(this.#core.state.org.org, caller);
  }

  authorize(caller: Caller, scope: Scope, { whileClosed = false, weight = 1 }: Partial<Asking>): Result<ReadGrant> {
    const principal = this.admission.admit(caller, scope, weight);
    if (!principal.ok) return principal;
    const open = scope === "events:read" && !whileClosed ? this.reading.open() : ok(null);
    return open.ok ? ok(grantOf(this.#core.state, principal.value)) : open;
  }

  /**
   * The published tree: for who may read entries, and for everybody (`caller` null) where the log is public. With
   * `minSize` that many entries are put under a checkpoint, which is waited for.
   */
  async treeView(caller: Caller | null, of: TreeQuestion): Promise<Result<TreeView>> {
    const allowed = this.admission.admitToTree(caller, of);
    if (!allowed.ok) return allowed;
    // A ledger that was rewound signs nothing: it would be a fork.
    const publisher = this.readiness.refusal === null && caller !== null ? this.#publisher : null;
    return treeViewAt(this.#core.state, { ...of, publisher, cosignatures: () => this.#publisher.witnesses.lines() });
  }

  leaves(range: { from: number; to: number }, log: number | null): Promise<string[]> {
    return leavesOf(this.#core, range, log);
  }

  async traceRead(caller: Caller, answer: ReadAnswer, { whileClosed, known }: Leaving): Promise<Result<number>> {
    const plan = (planning: Planning): Result<number> => {
      // Asked again here: a key revoked, or a token that expired, while its answer was being found gets none, nor does
      // anybody once reads are closed.
      const principal = this.#keys.check(this.#core.state.org.org, caller, "events:read");
      if (!principal.ok) return principal;
      const open = whileClosed ? ok(null) : this.reading.open(planning.switches);
      if (!open.ok) return open;
      const holds = known === undefined ? ok(null) : this.reading.stillSo(known, planning);
      if (!holds.ok) return holds;
      return ok(planRead({ sql: this.#core.storage.sql, ...planning }, { reader: principal.value, answer }));
    };
    const traced = await this.#sequencer.join({ events: 1, bytes: ACT_BYTES, plan });
    if (!traced.ok) return traced;
    count("audit_reads_total", { route: answer.route });
    this.#alarm.readOpen();
    return traced;
  }

  /** Answers how much more the key may ask. */
  async issueViewerToken(caller: Caller, token: NewViewerToken): Promise<Result<RateLimit[]>> {
    const admitted = this.admission.admit(caller, "events:read");
    if (!admitted.ok) return admitted;
    const { limits } = admitted.value;
    const issued = await this.acts.issueViewerToken(caller, token);
    return issued.ok ? ok(limits) : { ok: false, refusal: { ...issued.refusal, limits } };
  }

  async noteRefusal(refusal: { key: string; code: string; calls: number }): Promise<null> {
    noteRefusal(this.#core.storage.sql, { ...refusal, now: this.#core.now() });
    this.#alarm.sealsChanged();
    await this.armAlarm();
    return null;
  }

  lines(from: number, limit: number) {
    return linesFrom(this.#core, from, limit);
  }

  status(): LedgerStatus {
    const projecting = this.projector.retryAt === null;
    return statusOf(this.#core, { refusal: this.readiness.refusal, projecting, publisher: this.#publisher });
  }

  async rebuild(caller: Caller): Promise<Result<LedgerStatus>> {
    const principal = this.#keys.check(this.#core.state.org.org, caller, "operate");
    if (!principal.ok) return principal;
    const { key } = principal.value;
    const actor = { type: "key", id: key };
    await this.acts.record({ action: "indelible.projection.rebuilt", category: "config_change", actor, key });
    beginRebuild(this.#core);
    await this.work({ force: true });
    return ok(this.status());
  }

  /** Begins the org's next log where this one cannot be rolled forward and no store is silent; afterwards this object is of no use any more. */
  async continueLog(caller: Caller, reason: string): Promise<Result<null>> {
    const principal = this.#keys.check(this.#core.state.org.org, caller, "operate");
    if (!principal.ok) return principal;
    const compared = await this.readiness.compare();
    if (compared.ok) return WHOLE;
    if (this.#core.stuck === null || compared.refusal.retry_after_s !== undefined) return compared;
    const parts = { projector: this.projector, archiver: this.#archiver, publisher: this.#publisher };
    return continueLog(this.#core, parts, { by: principal.value.key, reason });
  }

  /** Does what is due without trusting what was known of D1; answers how the ledger stands. */
  async wake(): Promise<LedgerStatus> {
    this.projector.doubt();
    await this.work({ force: false });
    return this.status();
  }

  /** Everything that is due: rebuilding, projecting, archiving, publishing, closing reads, sealing refusals, saying how it stands. */
  async work({ force }: { force: boolean }): Promise<void> {
    // First the net: a crash from here on is found by the alarm within a minute.
    await this.armAlarm();
    const archived = force || this.#archiver.pressing() ? this.#archiver.run({ force }) : null;
    // A busy log is always being projected: a checkpoint that is due does not wait for it, nor anything for a checkpoint.
    const published = this.#publisher.run();
    await Promise.all([this.projector.run(), archived, this.#dueSeals.run()]);
    await this.#archiver.run({ force });
    await published;
    this.#askWitnesses();
    await this.armAlarm();
    await this.#reporter.report();
  }

  #askWitnesses(): void {
    this.#ctx.waitUntil(this.#publisher.witnesses.run().then(() => this.armAlarm()));
  }

  armAlarm({ fired = false } = {}): Promise<void> {
    return this.#alarm.arm({ fired, refused: this.readiness.refusal !== null });
  }
}
