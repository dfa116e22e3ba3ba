import { expect, it } from "vitest";
import { addCheckpointBody } from "../../../src/chain/note/witness-request.ts";

it("asks a witness in the lines of C2SP tlog-witness", () => {
  const checkpoint =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— x AAAA\n";
  const hashes = [new Uint8Array(32), new Uint8Array(32).fill(255)];
  expect(addCheckpointBody({ from: 20_852_014, hashes, checkpoint })).toBe(
    `old 20852014\n${"A".repeat(43)}=\n${"/".repeat(42)}8=\n\n${checkpoint}`,
  );
  expect(addCheckpointBody({ from: 0, hashes: [], checkpoint })).toBe(`old 0\n\n${checkpoint}`);
});
