import { assert } from "../errors.ts";
import { SLOT_COUNT } from "../limits.ts";

/** A UTC month as one number, `year * 12 + (month - 1)`, of an instant in milliseconds or as RFC 3339 text in UTC. */
export function monthOf(instant: number | string): number {
  const date = new Date(instant);
  const month = date.getUTCFullYear() * 12 + date.getUTCMonth();
  assert(Number.isSafeInteger(month), "a month is that of a valid time");
  return month;
}

/** The slot of the ring that holds what was sequenced in a month: "00" to "15", the end of its tables' names. */
export function slotOf(month: number): string {
  assert(Number.isSafeInteger(month) && month >= 0, "a month is a number of months since year 0");
  return String(month % SLOT_COUNT).padStart(2, "0");
}

/** The slots of the months from `toMonth` back to `fromMonth`; at most 16, for the ring holds no more. */
export function slotsDescending({ fromMonth, toMonth }: { fromMonth: number; toMonth: number }): string[] {
  const slots: string[] = [];
  for (let month = toMonth; month >= fromMonth && slots.length < SLOT_COUNT; month--) slots.push(slotOf(month));
  return slots;
}

/** When a month begins, in milliseconds. */
export function beginOf(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12, 1);
}

/** Every slot of the ring. */
export const SLOTS: readonly string[] = Array.from({ length: SLOT_COUNT }, (_, month) => slotOf(month));

/** A slot's name on its way into SQL text: anything but two digits of the ring is a broken invariant. */
export function assertSlot(slot: string): void {
  assert(SLOTS.includes(slot), "a slot is one of the ring");
}
