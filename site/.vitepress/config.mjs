export default {
  title: "promptloss",
  description: "Fine-tune instruction-following language models with the right weight on the prompt",
  srcDir: "pages",
  outDir: "dist",
  rewrites: { "README.md": "index.md", "packages/torch/README.md": "packages/torch/index.md" },
  lastUpdated: false,
  // What people wrote and generators print is text, whatever angle brackets are in it. The architecture page has lists that
  // a test reads.
  markdown: { html: false, languageAlias: { layers: "ini" } },
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Guide", link: "/docs/data" },
      { text: "Keys", link: "/docs/keys" },
      { text: "Recipes", link: "/recipes/" },
      { text: "promptloss", link: "/api/promptloss/" },
      { text: "@promptloss/torch", link: "/api/torch/" },
    ],
    sidebar: {
      "/docs/": [
        {
          text: "Guide",
          items: [
            ["Data", "data"],
            ["Choosing a weight", "choosing"],
            ["Training", "training"],
            ["Scaling", "scaling"],
            ["Evaluation", "evaluation"],
            ["Judging", "judging"],
            ["Studies", "studies"],
            ["Statistics", "statistics"],
            ["Statistical methods", "statistics-methods"],
            ["Serving", "serving"],
            ["All keys", "keys"],
          ].map(([text, page]) => ({ text, link: `/docs/${page}` })),
        },
        {
          text: "The project",
          items: [
            ["What works", "FEATURES"],
            ["Architecture", "ARCHITECTURE"],
            ["Benchmarks", "BENCHMARKS"],
            ["Replication", "REPLICATION"],
            ["Dependencies", "DEPENDENCIES"],
          ].map(([text, page]) => ({ text, link: `/docs/${page}` })),
        },
      ],
    },
  },
};
