/** What a Worker's stores and queue were asked for since it started, in the units a bill has. */
export type Meters = {
  ledgerRows: number;
  cellRows: number;
  ledgerCalls: number;
  alarms: number;
  puts: number;
  gets: number;
  queueOperations: number;
  consumerRuns: number;
};

export const METERS_PATH = "/bench-meters";

export function noMeters(): Meters {
  return {
    ledgerRows: 0,
    cellRows: 0,
    ledgerCalls: 0,
    alarms: 0,
    puts: 0,
    gets: 0,
    queueOperations: 0,
    consumerRuns: 0,
  };
}
