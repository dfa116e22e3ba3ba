/** What a Worker's stores and queue were asked for since it started, in the units a bill has. */
export type Meters = {
  ledgerRows: number;
  cellRows: number;
  ledgerCalls: number;
  alarms: number;
  /** Operations of R2, as it bills them: class A are puts and lists, class B gets and heads. Deletes are free. */
  classA: number;
  classB: number;
  /** Those of them that are the tree's, and how many checkpoints were put. */
  treeClassA: number;
  treeClassB: number;
  checkpoints: number;
  queueOperations: number;
  consumerRuns: number;
  /** Size of the storage of all ledgers that took an append, as each said last. */
  ledgerBytes: number;
};

export const METERS_PATH = "/bench-meters";
/** Has cells swept of cold months as at `?now=`, in ms. */
export const SWEEP_PATH = "/bench-sweep";

export function noMeters(): Meters {
  return {
    ledgerRows: 0,
    cellRows: 0,
    ledgerCalls: 0,
    alarms: 0,
    classA: 0,
    classB: 0,
    treeClassA: 0,
    treeClassB: 0,
    checkpoints: 0,
    queueOperations: 0,
    consumerRuns: 0,
    ledgerBytes: 0,
  };
}
