/** What the first visit of the jobs page loads, compressed: `node scripts/size.mjs <dist>` fails above the budget. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 220;
const ENTRIES = ["index.html", "src/features/jobs/JobsPage.tsx"];
// Loaded right after the first paint, for live rows.
const AFTERWARDS = "socket.io-client";

const dist = process.argv[2];
const manifest = JSON.parse(readFileSync(join(dist, "manifest.json"), "utf8"));
const files = new Set(["index.html"]);

function take(key) {
  const chunk = manifest[key];
  if (chunk === undefined) throw new Error(`${key} is not in the manifest`);
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const style of chunk.css ?? []) files.add(style);
  for (const imported of chunk.imports ?? []) take(imported);
}
ENTRIES.forEach(take);
Object.keys(manifest).filter((key) => key.includes(AFTERWARDS)).forEach(take);

const sizes = [...files].map((file) => [file, gzipSync(readFileSync(join(dist, file)), { level: 9 }).length]);
const total = sizes.reduce((sum, [, size]) => sum + size, 0) / 1000;
console.log(`first load of the jobs page: ${total.toFixed(1)} kB of ${BUDGET_KB} kB gzipped`);
if (total > BUDGET_KB) {
  for (const [file, size] of sizes.sort((one, other) => other[1] - one[1])) console.error(`  ${(size / 1000).toFixed(1)} kB  ${file}`);
  process.exit(1);
}
