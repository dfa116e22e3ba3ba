import { readdirSync, readFileSync } from "node:fs";

/** Of the kernel's clock: CPU times in /proc count in these. */
const TICK_MS = 10;

/** The workerd this process started last; 0 where there is no /proc to look in. */
export function workerdPid(): number {
  let found = 0;
  try {
    for (const name of readdirSync("/proc")) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const stat = statOf(pid);
      if (stat?.command.startsWith("workerd") === true && stat.parent === process.pid) found = Math.max(found, pid);
    }
  } catch {
    return 0;
  }
  return found;
}

/** CPU time a process has used, in milliseconds. */
export function cpuMs(pid: number): number {
  return statOf(pid)?.cpuMs ?? Number.NaN;
}

/** Resident memory of a process in bytes: now, and at its highest. */
export function memoryOf(pid: number): { now: number; highest: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
    return { now: kilobytes("VmRSS") * 1024, highest: kilobytes("VmHWM") * 1024 };
  } catch {
    return { now: Number.NaN, highest: Number.NaN };
  }
}

function statOf(pid: number): { command: string; parent: number; cpuMs: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const command = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    return { command, parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
  } catch {
    return null;
  }
}
