/** `npm run build`, last part: the Worker that would be deployed stays small, for it is loaded at every cold start. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

/** The platform allows 3 MB gzipped on its free plan; a start of a few milliseconds wants far less. */
const MAX_GZIP_BYTES = 200_000;

const bundle = readFileSync("dist/worker.js");
const gzip = gzipSync(bundle).length;
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
console.log(`worker: ${kilobytes(bundle.length)}, ${kilobytes(gzip)} gzipped (limit ${kilobytes(MAX_GZIP_BYTES)})`);
if (gzip > MAX_GZIP_BYTES) {
  console.error(
    "The Worker has outgrown its limit: find what came in with `npm run build`, or raise the limit on purpose.",
  );
  process.exit(1);
}
