import { readdirSync, readFileSync } from "node:fs";

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

/** CPU time all threads of a process have used, in milliseconds. */
export function cpuMs(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((sum, thread) => sum + nanosecondsOf(`/proc/${pid}/task/${thread}/schedstat`) / 1e6, 0);
  } catch {
    return Number.NaN;
  }
}

/** The first number of a schedstat: what the scheduler gave a thread, far finer than the ticks of `stat`. */
function nanosecondsOf(path: string): number {
  try {
    return Number.parseInt(readFileSync(path, "utf8"), 10);
  } catch {
    return 0;
  }
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

function statOf(pid: number): { command: string; parent: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const command = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    return { command, parent: Number(fields[1]) };
  } catch {
    return null;
  }
}
