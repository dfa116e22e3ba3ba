import { ok, type Result } from "../errors.ts";
import type { Act } from "../schema/act.ts";
import type { Caller, Scope } from "../schema/caller.ts";
import type { NewKey, NewViewerToken, OrgKey, OrgSettings, SettingsPatch } from "../schema/ledger.ts";
import type { Core } from "./core.ts";
import { planCreateKey, planRevokeKey } from "./key-acts.ts";
import type { OrgKeys, Principal } from "./keys.ts";
import { planOnce } from "./once.ts";
import type { Planning, Sequencer } from "./sequencer.ts";
import { sealAct } from "./service-entry.ts";
import { planSettings } from "./settings.ts";
import { planIssueViewerToken } from "./viewer-acts.ts";

/** What a small act weighs in a gather. */
export const ACT_BYTES = 2_000;

/** What operators do to an org: each act is checked, done and sealed in one transaction. */
export class Acts {
  readonly #core: Core;
  readonly #keys: OrgKeys;
  readonly #sequencer: Sequencer;

  constructor(core: Core, { keys, sequencer }: { keys: OrgKeys; sequencer: Sequencer }) {
    this.#core = core;
    this.#keys = keys;
    this.#sequencer = sequencer;
  }

  /**
   * Seals an act of the service, or one that was checked before; answers its index. What was recorded under the name `once`
   * is not sealed again: the first one's index is answered.
   */
  record(act: Act, once: string | null = null): Promise<number> {
    return this.#plan((planning) => {
      const seal = () => sealAct(planning.draft, act, planning.now).index;
      return once === null ? seal() : planOnce({ ...planning, sql: this.#core.storage.sql }, once, seal);
    });
  }

  settings(caller: Caller, scope: Scope): Result<OrgSettings> {
    const principal = this.#check(caller, scope);
    return principal.ok ? ok(this.#core.state.org.settings) : principal;
  }

  corsOrigins(caller: Caller): Result<string[]> {
    const { org } = this.#core.state;
    const member = this.#keys.belongs(org.org, caller);
    return member.ok ? ok(org.settings.cors_origins) : member;
  }

  /** Changes what a patch names, and seals it. */
  changeSettings(caller: Caller, scope: Scope, patch: SettingsPatch): Promise<Result<OrgSettings>> {
    const { state } = this.#core;
    return this.#plan((planning) => {
      const principal = this.#check(caller, scope);
      return principal.ok ? ok(planSettings(planning, { state, by: principal.value.key, patch })) : principal;
    });
  }

  createKey(caller: Caller, key: NewKey): Promise<Result<OrgKey>> {
    return this.#plan((planning) => planCreateKey({ ...this.#keyContext(caller), ...planning }, key));
  }

  listKeys(caller: Caller): Result<OrgKey[]> {
    const principal = this.#check(caller, "keys:write");
    return principal.ok ? ok(this.#keys.list()) : principal;
  }

  issueViewerToken(caller: Caller, token: NewViewerToken): Promise<Result<null>> {
    return this.#plan((planning) => planIssueViewerToken({ ...this.#keyContext(caller), ...planning }, token));
  }

  revokeKey(caller: Caller, id: string): Promise<Result<OrgKey>> {
    return this.#plan((planning) => planRevokeKey({ ...this.#keyContext(caller), ...planning }, id));
  }

  #keyContext(caller: Caller) {
    return { org: this.#core.state.org.org, keys: this.#keys, caller };
  }

  #check(caller: Caller, scope: Scope): Result<Principal> {
    return this.#keys.check(this.#core.state.org.org, caller, scope);
  }

  #plan<T>(plan: (planning: Planning) => T): Promise<T> {
    return this.#sequencer.join({ events: 1, bytes: ACT_BYTES, plan });
  }
}
