import { duration } from "../../src/cli/terminal/format.ts";
import { inkFor, type Sink } from "../../src/cli/terminal/terminal.ts";

const FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const FRAME_MS = 90;
const NAME_WIDTH = 22;

/** A list of steps, each with a sign of life while it runs and its outcome behind it. */
export function steps(out: Sink) {
  const ink = inkFor(out);
  const line = (mark: string, name: string, note: string) => `  ${mark} ${name.padEnd(NAME_WIDTH)}${ink.dim(note)}`;
  return {
    done: (name: string, note: string) => out.write(`${line(ink.green("✓"), name, note)}\n`),

    /** Shows the step until it settles; what it says of itself stands behind it. */
    async during<T extends { ok: true; note: string } | { ok: false }>(name: string, work: Promise<T>): Promise<T> {
      const startedAt = performance.now();
      let frame = 0;
      const draw = () => {
        const spent = performance.now() - startedAt;
        const mark = ink.cyan(FRAMES[frame++ % FRAMES.length] ?? "");
        out.write(`\r\u001b[2K${line(mark, name, spent > 2_000 ? duration(spent) : "")}`);
      };
      const timer = out.live ? setInterval(draw, FRAME_MS) : null;
      if (out.live) draw();
      try {
        const result = await work;
        if (out.live) out.write("\r\u001b[2K");
        const spent = duration(performance.now() - startedAt);
        if (result.ok) out.write(`${line(ink.green("✓"), name, `${result.note} · ${spent}`)}\n`);
        return result;
      } finally {
        if (timer !== null) clearInterval(timer);
      }
    },
  };
}
