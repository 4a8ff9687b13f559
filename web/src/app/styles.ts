/** Styles of the first load. Mantine's come in a layer, so that the design's own always win; a feature imports what more it uses. */
import "@mantine/core/styles/default-css-variables.layer.css";
import "@mantine/core/styles/UnstyledButton.layer.css";
import "~/app/tokens.css";
import "~/app/parts.css";
import "~/app/more.css";
