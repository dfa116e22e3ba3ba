import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { putTreeObject, TreeConflict } from "../../src/archive/tree.ts";
import { freshOrg } from "../support/client.ts";
import { replaceMethod, restoreFaults } from "../support/faults.ts";

afterEach(restoreFaults);

/** What R2 says of an object that a bucket lock keeps. */
function lock(): void {
  replaceMethod(env.ARCHIVE, "put", async (original, args) => {
    if ((await env.ARCHIVE.head(args[0])) === null) return original(...args);
    throw new Error("put: The object is locked by the bucket policy. (10069)");
  });
}

describe("an object of the tree, in a bucket that is locked", () => {
  const bytes = Uint8Array.of(1, 2, 3);

  it("is put, and put again after a crash", async () => {
    lock();
    const at = { log: freshOrg("locked"), path: "tile/0/000" };
    await putTreeObject(env.ARCHIVE, { ...at, bytes });
    await putTreeObject(env.ARCHIVE, { ...at, bytes });
  });

  it("is a conflict when it holds other bytes", async () => {
    lock();
    const at = { log: freshOrg("locked"), path: "tile/0/000" };
    await putTreeObject(env.ARCHIVE, { ...at, bytes });
    await expect(putTreeObject(env.ARCHIVE, { ...at, bytes: Uint8Array.of(9) })).rejects.toThrow(TreeConflict);
  });

  it("that cannot be put for another reason is no object", async () => {
    replaceMethod(env.ARCHIVE, "put", () => Promise.reject(new Error("R2 is down")));
    const at = { log: freshOrg("down"), path: "tile/0/000" };
    await expect(putTreeObject(env.ARCHIVE, { ...at, bytes })).rejects.toThrow("R2 is down");
  });
});
