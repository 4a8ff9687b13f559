/** Starts the page. */
import "~/lib/base";
import "~/app/styles";

import { createRoot } from "react-dom/client";

import { App } from "~/app/App";

const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<App />);
