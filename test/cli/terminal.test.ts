import { stripVTControlCharacters } from "node:util";
import { expect, it, vi } from "vitest";
import { bytes, clock, counted, duration } from "../../src/cli/terminal/format.ts";
import { type Reading, showProgress } from "../../src/cli/terminal/progress.ts";
import { table } from "../../src/cli/terminal/table.ts";

const reading: Reading = { fraction: 0.5, done: 1234, unit: "events", notes: ["3 rejected"], waiting: null };

function drawn(read: Reading, columns: number, live: boolean): string {
  let text = "";
  showProgress({ write: (more) => void (text += more), live, columns: () => columns }, () => read).stop();
  return text;
}

it("redraws one line that fits the screen, whatever its width", () => {
  for (const columns of [20, 40, 80, 200]) {
    const line =
      drawn(reading, columns, true)
        .split("\r")
        .find((part) => part.length > 8) ?? "";
    expect(stripVTControlCharacters(line).length).toBeLessThan(columns);
  }
  expect(stripVTControlCharacters(drawn(reading, 80, true))).toMatch(/━━━.*───.* 50 % {2}1,234 events {2}3 rejected/);
});

it("shows why it waits, cut short where there is no room", () => {
  const waiting = "waiting · next try in 4 s · nothing listens at http://audit.example.com:8787";
  const line = stripVTControlCharacters(drawn({ ...reading, waiting }, 60, true));
  expect(line).toContain("waiting · next try in 4 s");
  expect(line).toContain("…");
});

it("writes a plain line now and then where nothing can be redrawn", () => {
  vi.useFakeTimers();
  let text = "";
  const progress = showProgress(
    { write: (more) => void (text += more), live: false, columns: () => 80 },
    () => reading,
  );
  vi.advanceTimersByTime(11_000);
  progress.stop();
  vi.useRealTimers();
  expect(text).toMatch(/^ {3}50 % {2}1,234 events.*\n.*\n$/);
  expect(text).not.toContain("\u001b");
});

it("writes numbers as people read them", () => {
  expect([bytes(999), bytes(1_500), bytes(999_600), bytes(5e9)]).toEqual(["999 B", "1.5 kB", "1.0 MB", "5.0 GB"]);
  expect([clock(7_000), clock(750_000), clock(3_900_000)]).toEqual(["0:07", "12:30", "1:05:00"]);
  expect([duration(340), duration(2_440), duration(200_000)]).toEqual(["340 ms", "2.4 s", "3 min 20 s"]);
  expect([counted(1, "entry", "entries"), counted(1_200, "entry", "entries")]).toEqual(["1 entry", "1,200 entries"]);
  expect(
    table(
      [
        ["a", "\u001b[1m10\u001b[0m", "x"],
        ["bb", "7", ""],
      ],
      [1],
    ),
  ).toBe("  a    \u001b[1m10\u001b[0m   x\n  bb    7\n");
});
