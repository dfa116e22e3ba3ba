import { stripVTControlCharacters } from "node:util";
import { clock, count } from "./format.ts";
import { printable } from "./printable.ts";
import { inkFor, type Sink } from "./terminal.ts";

/** What a long job shows of itself. `fraction` is null while nobody knows how much there is. */
export type Reading = {
  fraction: number | null;
  done: number;
  unit: string;
  /** What else matters, most important first; the last go first when the line is short. */
  notes: string[];
  /** Why it stands still, or null. */
  waiting: string | null;
};

export type Progress = { stop: () => void };

const REDRAW_MS = 100;
const LINE_MS = 5_000;
/** The rate is that of the last ten seconds, so that it follows what happens. */
const RATE_WINDOW_MS = 10_000;

/** Shows a job until stopped: one line redrawn on a screen, elsewhere a line every few seconds. */
export function showProgress(sink: Sink, read: () => Reading): Progress {
  const samples: { at: number; done: number; fraction: number }[] = [];
  const draw = () => {
    const reading = read();
    const now = performance.now();
    samples.push({ at: now, done: reading.done, fraction: reading.fraction ?? 0 });
    while (samples.length > 2 && (samples[0]?.at ?? now) < now - RATE_WINDOW_MS) samples.shift();
    const line = lineOf(reading, speedOf(samples), sink);
    sink.write(sink.live ? `\r\u001b[2K${line}` : `${line}\n`);
  };
  const timer = setInterval(draw, sink.live ? REDRAW_MS : LINE_MS);
  timer.unref();
  if (sink.live) draw();
  return {
    stop: () => {
      clearInterval(timer);
      if (sink.live) sink.write("\r\u001b[2K");
    },
  };
}

type Speed = { perSecond: number; leftMs: number | null };

function speedOf(samples: { at: number; done: number; fraction: number }[]): Speed {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < 400) return { perSecond: 0, leftMs: null };
  const elapsed = last.at - first.at;
  const gained = last.fraction - first.fraction;
  return {
    perSecond: ((last.done - first.done) * 1000) / elapsed,
    leftMs: gained > 0 ? ((1 - last.fraction) / gained) * elapsed : null,
  };
}

function lineOf(reading: Reading, speed: Speed, sink: Sink): string {
  const ink = inkFor(sink);
  const { fraction, waiting } = reading;
  const parts: string[] = [];
  const done = `${count(reading.done)} ${reading.unit}`;
  const percent = fraction === null ? [] : [ink.bold(`${String(Math.floor(fraction * 100)).padStart(3)} %`)];
  if (waiting !== null) {
    // Why it stands still matters more than the bar; it is cut short before it is left out.
    const room = sink.columns() - 1 - widthOf([...percent, done]) - 2;
    return fit([...percent, done, ink.yellow(shorten(printable(waiting), Math.max(12, room)))], sink.columns());
  }
  if (fraction !== null && sink.live) parts.push(bar(fraction, Math.min(28, Math.floor(sink.columns() / 4)), sink));
  parts.push(...percent, done);
  if (speed.perSecond >= 1) parts.push(ink.dim(`${count(Math.round(speed.perSecond))}/s`));
  if (speed.leftMs !== null && fraction !== 1) parts.push(ink.dim(`${clock(speed.leftMs)} left`));
  return fit([...parts, ...reading.notes], sink.columns());
}

function shorten(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}

function widthOf(parts: string[]): number {
  return parts.reduce((sum, part) => sum + 2 + stripVTControlCharacters(part).length, 0);
}

function bar(fraction: number, width: number, sink: Sink): string {
  const ink = inkFor(sink);
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return ink.cyan("━".repeat(full)) + ink.dim("─".repeat(width - full));
}

/** As many parts as fit one line of the screen; a line that wraps cannot be redrawn. */
function fit(parts: string[], columns: number): string {
  let kept = parts.length;
  while (kept > 1 && widthOf(parts.slice(0, kept)) > columns - 1) kept--;
  return parts
    .slice(0, kept)
    .map((part) => `  ${part}`)
    .join("");
}
