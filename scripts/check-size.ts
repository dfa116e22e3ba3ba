/** `npm run build`, last part: what is loaded at every cold start, or sent to a browser, stays small. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

/** Of the Worker: the platform allows 3 MB gzipped on its free plan; a start of a few milliseconds wants far less. */
const MAX_GZIP_BYTES = { "worker.js": 275_000, "verify.js": 30_000 };

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`;
for (const [name, most] of Object.entries(MAX_GZIP_BYTES)) {
  const bundle = readFileSync(`dist/${name}`);
  const gzip = gzipSync(bundle).length;
  console.log(`${name}: ${kilobytes(bundle.length)}, ${kilobytes(gzip)} gzipped (limit ${kilobytes(most)})`);
  if (gzip > most) {
    console.error(`dist/${name} has outgrown its limit: find what came in with it, or raise the limit on purpose.`);
    process.exitCode = 1;
  }
}
