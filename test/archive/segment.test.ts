import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { listSegments, putSegment, readSegment } from "../../src/archive/segment.ts";
import { SEGMENT_MAX_COPIES, SEGMENT_READ_MAX_BYTES } from "../../src/limits.ts";
import { takeCounts } from "../../src/meter.ts";
import { unpackedAt } from "../support/check/read-stores.ts";
import { freshOrg } from "../support/client.ts";
import { breakMethod, FAULT_KINDS, replaceMethod, restoreFaults } from "../support/faults.ts";

afterEach(restoreFaults);

const bucket = env.ARCHIVE;
const headMac = "mac";
const LINES = ['{"leaf":"é"}', '{"leaf":"\\ufeff"}', '{"leaf":"漢"}'];
const logOf = () => `log.test/v1/orgs/${freshOrg("segment")}`;

describe("a segment", () => {
  it("is named by its range and the SHA-256 of its lines, packed, and read back as it was put", async () => {
    const log = logOf();
    const segment = await putSegment(bucket, { log, first: 41, lines: LINES, headMac });
    expect(segment).toMatchObject({ first: 41, last: 43 });
    expect(segment.name).toMatch(new RegExp(`^seg/${log}/0000000041-0000000043-[0-9a-f]{64}\\.ndjson\\.gz$`));
    expect(await readSegment(bucket, segment)).toEqual(LINES);
    const text = `${LINES.join("\n")}\n`;
    expect(await unpackedAt(segment.name)).toBe(text);
    expect(segment.name).toContain(createHash("sha256").update(text).digest("hex"));
  });

  it("is created once: put again, nothing changes", async () => {
    const log = logOf();
    const first = await putSegment(bucket, { log, first: 0, lines: LINES, headMac });
    const uploaded = (await bucket.head(first.name))?.version;
    expect(await putSegment(bucket, { log, first: 0, lines: LINES, headMac })).toEqual(first);
    expect((await bucket.head(first.name))?.version).toBe(uploaded);
    expect((await listSegments(bucket, { log, from: 0, limit: 10 })).length).toBe(1);
  });

  it.each(FAULT_KINDS)("whose put %s is not reported as stored, and can be put again", async (kind) => {
    const log = logOf();
    const fault = breakMethod(bucket, "put", kind, { times: 1 });
    await expect(putSegment(bucket, { log, first: 0, lines: LINES, headMac })).rejects.toThrow("injected");
    expect(fault.hits).toBe(1);
    const segment = await putSegment(bucket, { log, first: 0, lines: LINES, headMac });
    expect(await readSegment(bucket, segment)).toEqual(LINES);
  });

  it("is not reported as stored when R2 reads back anything else", async () => {
    const spoiled = [
      (text: string) => text.replace("é", "e"),
      (text: string) => text.slice(0, -1),
      (text: string) => `${text}\n`,
      () => "",
    ];
    for (const spoil of spoiled) {
      const log = logOf();
      const fault = replaceMethod(bucket, "get", async (original, args) => {
        const object = (await original(...args)) as R2ObjectBody;
        const bytes = gzipSync(spoil(gunzipSync(await object.arrayBuffer()).toString()));
        return { size: bytes.length, arrayBuffer: () => Promise.resolve(bytes) };
      });
      await expect(putSegment(bucket, { log, first: 0, lines: LINES, headMac })).rejects.toThrow(
        "read back as other bytes",
      );
      fault.restore();
    }
  });

  it("is stored beside an object that holds other bytes for good, which stays as it is", async () => {
    const log = logOf();
    const put = () => putSegment(bucket, { log, first: 7, lines: LINES, headMac });
    const names = [(await put()).name];
    for (let copy = 2; copy <= SEGMENT_MAX_COPIES; copy++) {
      await bucket.put(names.at(-1) ?? "", "damaged\n");
      takeCounts();
      const segment = await put();
      expect(segment.name).toBe(names[0]?.replace("0000000009-", `0000000009-${copy}-`));
      expect(await readSegment(bucket, segment)).toEqual(LINES);
      expect(await put()).toEqual(segment);
      const damaged = takeCounts().filter(({ name }) => name === "audit_segments_damaged_total");
      expect(damaged).toMatchObject([{ value: 2 * names.length }]);
      names.push(segment.name);
    }
    for (const name of names.slice(0, -1)) expect(await (await bucket.get(name))?.text()).toBe("damaged\n");
    const listed = await listSegments(bucket, { log, from: 7, limit: 100 });
    expect(listed.map(({ name }) => name).sort()).toEqual(names.toSorted());
    await bucket.put(names.at(-1) ?? "", "damaged\n");
    await expect(put()).rejects.toThrow("holds other bytes");
  });

  it("is refused when its object is not there, was changed, or holds another number of lines", async () => {
    const log = logOf();
    const segment = await putSegment(bucket, { log, first: 0, lines: LINES, headMac });
    await expect(readSegment(bucket, { ...segment, last: 3 })).rejects.toThrow("other lines than");
    await bucket.put(segment.name, "changed\n");
    await expect(readSegment(bucket, segment)).rejects.toThrow("holds other bytes");
    await bucket.put(segment.name, gzipSync("changed\n"));
    await expect(readSegment(bucket, segment)).rejects.toThrow("holds other bytes");
    await bucket.delete(segment.name);
    await expect(readSegment(bucket, segment)).rejects.toThrow("is not in the archive");
  });
});

it("a segment that was made to fill memory is refused, packed or not", async () => {
  const segment = await putSegment(bucket, { log: logOf(), first: 0, lines: LINES, headMac });
  const much = new Uint8Array(SEGMENT_READ_MAX_BYTES + 1);
  for (const body of [much, gzipSync(much)]) {
    await bucket.put(segment.name, body);
    await expect(readSegment(bucket, segment)).rejects.toThrow("holds other bytes");
  }
});

describe("listing segments", () => {
  it("answers those from an index on, in order, of that log alone", async () => {
    const log = logOf();
    for (const first of [9, 0, 1_000_000_000, 300]) await putSegment(bucket, { log, first, lines: LINES, headMac });
    await putSegment(bucket, { log: `${log}x`, first: 5, lines: LINES, headMac });
    await bucket.put(`seg/${log}/0000000005-note`, "not a segment");
    const firsts = async (from: number, limit: number) =>
      (await listSegments(bucket, { log, from, limit })).map(({ first }) => first);
    expect(await firsts(0, 10)).toEqual([0, 9, 300, 1_000_000_000]);
    expect(await firsts(9, 10)).toEqual([9, 300, 1_000_000_000]);
    expect(await firsts(10, 1)).toEqual([300]);
    expect(await firsts(1_000_000_001, 10)).toEqual([]);
  });
});
