/** Why a command could not do its work: what is wrong, and the remedy. */
export type Failure = { what: string; remedy: string };
export type Outcome<T> = { ok: true; value: T } | { ok: false; failure: Failure };

export function failed(what: string, remedy: string): { ok: false; failure: Failure } {
  return { ok: false, failure: { what, remedy } };
}

/** How a command ends: all good; done, with rejects or breaks; could not be done. */
export const EXIT = { good: 0, findings: 1, failed: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A break is worse than what could not be done. */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  return [EXIT.findings, EXIT.failed].find((code) => codes.includes(code)) ?? EXIT.good;
}
