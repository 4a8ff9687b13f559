/** What tsc does not see: hooks, features that import each other, components that grow. */
import { readdirSync } from "node:fs";

import hooks from "eslint-plugin-react-hooks";
import typescript from "typescript-eslint";

const features = readdirSync(new URL("./src/features", import.meta.url));
const layer = (files, forbidden, message) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns: [{ group: forbidden, message }] }] },
});

export default typescript.config(
  { ignores: ["node_modules", "src/api/schema.d.ts", "public"] },
  ...typescript.configs.strict,
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      "max-lines": ["error", { max: 250 }],
      "no-console": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: "Text from the server is never HTML.",
        },
      ],
    },
  },
  layer(["src/lib/**"], ["~/app/*", "~/features/*", "~/ui/*", "~/api/*"], "lib/ imports nothing of ours."),
  layer(["src/api/**"], ["~/app/*", "~/features/*", "~/ui/*"], "api/ imports lib/ only."),
  layer(["src/ui/**"], ["~/app/*", "~/features/*", "~/api/*"], "ui/ imports lib/ only."),
  ...features.map((name) =>
    layer(
      [`src/features/${name}/**`],
      ["~/app/*", ...features.filter((other) => other !== name).flatMap((other) => [`~/features/${other}/*`, `../${other}/*`])],
      "Features do not import each other or app/: share through ui/, api/ or lib/.",
    ),
  ),
);
