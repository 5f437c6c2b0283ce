import { defineConfig } from "vite";

// `npm run build` runs this; `npx vite studio` serves the page while it is worked on, with the API of a studio that runs
// on port 8000.
export default defineConfig({
  base: "/studio/",
  // The compiler's options are read from here rather than from tsconfig.json, whose base holds for Node.
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../packages/promptloss/dist/studio-page",
    emptyOutDir: true,
    // Of the packages that become a part of the page.
    license: { fileName: "licenses.md" },
    // What counts is what is sent, compressed: a test holds it.
    chunkSizeWarningLimit: 2000,
  },
  server: { proxy: { "/studio/api": "http://127.0.0.1:8000", "/v1": "http://127.0.0.1:8000" } },
});
