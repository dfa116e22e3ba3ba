import type { Outcome } from "../outcome.ts";
import type { InputFile } from "./input-file.ts";
import {
  forgetProgress,
  newRun,
  type ProgressFile,
  progressPath,
  readProgress,
  writeProgress,
} from "./progress-file.ts";
import { sendBatch, type Sender, type Settled } from "./send-batch.ts";

/** The progress of one file as it is kept: saved at most once a second, and always at the end. */
export type Track = { path: string | null; kept: ProgressFile; savedAt: number };

const SAVE_MS = 1_000;

type Options = { state: string; restart: boolean; mapping: string };

/**
 * Takes up each file where an earlier run left it, if the log is still the one that run spoke to: a service set up anew
 * under the same address must not be told that it has everything. Returns the files that were taken up.
 */
export async function takeUp(
  files: readonly InputFile[],
  sender: Sender,
  { state, restart, mapping }: Options,
): Promise<Outcome<Map<InputFile, Track>>> {
  const tracks = new Map<InputFile, Track>();
  for (const file of files) {
    const fresh: ProgressFile = {
      v: 1,
      run: sender.run,
      file: file.path,
      finished: false,
      done: file.done,
      probe: null,
    };
    const path = file.stream !== null ? null : progressPath(state, file, { connection: sender.connection, mapping });
    const track: Track = { path, kept: fresh, savedAt: 0 };
    tracks.set(file, track);
    const earlier = path === null || restart ? null : await readProgress(path);
    if (path !== null && restart) await forgetProgress(path);
    if (earlier === null) continue;
    const same = await isSameLog(file, sender, earlier);
    if (!same.ok) return same;
    if (!same.value) continue;
    file.before = { ...earlier.done };
    file.done = earlier.done;
    file.finished = earlier.finished;
    track.kept = { ...earlier, done: file.done };
  }
  return { ok: true, value: tracks };
}

/** Notes how far a file has come. */
export async function keepTrack(track: Track, probe: ProgressFile["probe"], now: "soon" | "now"): Promise<void> {
  if (probe !== null) track.kept.probe = probe;
  if (track.path === null || (now === "soon" && performance.now() - track.savedAt < SAVE_MS)) return;
  track.savedAt = performance.now();
  await writeProgress(track.path, track.kept);
}

/** Sends the last event that was taken once more: the same log answers with the same entry hash, and adds nothing. */
async function isSameLog(file: InputFile, sender: Sender, earlier: ProgressFile): Promise<Outcome<boolean>> {
  if (earlier.probe === null) return { ok: true, value: earlier.done.appended + earlier.done.duplicates === 0 };
  const settled: Settled = { taken: [], refused: [] };
  const item = { file, record: { number: 0, line: 0, offset: 0 }, text: "", event: earlier.probe.event };
  const sent = await sendBatch({ ...sender, run: `${earlier.run}-${newRun()}` }, [item], settled);
  if (!sent.ok) return sent;
  return { ok: true, value: settled.taken[0]?.entryHash === earlier.probe.entry_hash };
}
