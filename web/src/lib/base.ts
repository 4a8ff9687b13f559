/** Where the application lives: the path prefix the server wrote into the page, and the nonce its styles may carry. */

const written = document.querySelector<HTMLMetaElement>('meta[name="base"]')?.content ?? "";

/** "" or "/prefix": goes before every address. Vite's own server leaves the placeholder, which means none. */
export const base: string = written.startsWith("/") ? written : "";

/** Styles made while the page runs must carry it. Browsers hide the attribute, not the property. */
export const nonce: string = document.querySelector<HTMLElement>("script[nonce]")?.nonce ?? "";

// Asked for by the library that keeps the page from scrolling under a dialog.
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce;
