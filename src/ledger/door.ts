import { NOT_FOUND, type Refusal, type Result, UNAUTHORIZED } from "../errors.ts";
import { count } from "../meter.ts";
import type { Caller } from "../schema/caller.ts";
import type { Ledger } from "./ledger.ts";

type Refused = { ok: false; refusal: Refusal };

/** For verbs that seal nothing: they pass even while the ledger may not. */
export const WHILE_HELD = { appends: false };

/**
 * Who gets through to an org's ledger: calls meant for this org, from who belongs to it, once the start-up comparison
 * is done. `ledger` is null until the org is created.
 */
export class Door {
  readonly #name: string | undefined;
  ledger: Ledger | null;

  constructor(name: string | undefined, ledger: Ledger | null) {
    this.#name = name;
    this.ledger = ledger;
  }

  /** Lets `act` have the ledger. `appends: false`: even while it may not seal, as of one that was set back. */
  async pass<T>(
    org: string,
    act: (ledger: Ledger) => Result<T> | Promise<Result<T>>,
    { appends = true } = {},
  ): Promise<Result<T>> {
    const foreign = this.foreign(org);
    if (foreign !== null) return foreign;
    const ledger = this.ledger;
    if (ledger === null) return NOT_FOUND;
    const compared = await ledger.readiness.wait();
    return compared.ok || !appends ? act(this.ledger ?? ledger) : compared;
  }

  /**
   * The same for a caller, or (null) for nobody in particular. Who is not this org's is told so before any store is
   * asked: as fast, and as little, as for an org that is not there.
   */
  async admit<T>(
    org: string,
    caller: Caller | null,
    act: (ledger: Ledger) => Result<T> | Promise<Result<T>>,
    options: { appends?: boolean } = {},
  ): Promise<Result<T>> {
    const known = this.foreign(org) ?? this.#identify(caller);
    return known.ok ? this.pass(org, act, options) : known;
  }

  /** Seed of every misplaced log: a call routed to the wrong object. Never sealed, never answered, always counted. */
  foreign(org: string): Refused | null {
    if (this.#name === org) return null;
    count("audit_cross_org_refusals_total", { at: "ledger" });
    const detail = "A call reached the ledger of another org and was refused.";
    return { ok: false, refusal: { code: "internal", detail } };
  }

  #identify(caller: Caller | null): Result<unknown> {
    if (this.ledger === null) return caller === null ? UNAUTHORIZED : NOT_FOUND;
    return caller === null ? this.ledger.admission.mayReadTree(null) : this.ledger.identify(caller);
  }
}
