/** How the page is built: relative addresses, a nonce the server fills in, and compressed copies beside each file. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const target = process.env.NOMAFLOW_WEB_OUT ?? "../src/liberty/web/dist";
const server = process.env.NOMAFLOW_SERVER ?? "http://127.0.0.1:8000";

function compressed(): Plugin {
  return {
    name: "nomaflow-compressed",
    apply: "build",
    closeBundle() {
      const folder = join(target, "assets");
      for (const name of readdirSync(folder)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const bytes = readFileSync(join(folder, name));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes));
      }
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [react(), compressed()],
  html: { cspNonce: "__NONCE__" },
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: target,
    emptyOutDir: true,
    target: "es2022",
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/admin": server,
      "/auth": server,
      "/healthz": server,
      "/socket.io": { target: server, ws: true },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
  },
});
