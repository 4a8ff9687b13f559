/** Every icon of the design: 16 px, drawn with the colour of the text. Decorative: the word beside it is what is read. */
import type { ReactNode } from "react";

const SHAPES = {
  "cal": <><rect x="2.5" y="3.5" width="11" height="10" rx="1.5"/><path d="M2.5 6.7h11M5.5 2v2.6M10.5 2v2.6"/></>,
  "call": <><path d="M6 3H3.5v10H13.5V3H11M8 1.8v7.4M5.6 6.9 8 9.3l2.4-2.4"/></>,
  "code": <><path d="M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5"/></>,
  "cog": <><circle cx="8" cy="8" r="2"/><path d="M8 2v1.6M8 12.4V14M2 8h1.6M12.4 8H14M3.8 3.8l1.1 1.1M11.1 11.1l1.1 1.1M12.2 3.8l-1.1 1.1M4.9 11.1l-1.1 1.1"/></>,
  "collide": <><path d="M2 4.5h7M2 8h10M2 11.5h6M12.5 2.5v11" /></>,
  "cols": <><rect x="2.5" y="3" width="11" height="10" rx="1"/><path d="M8 3v10"/></>,
  "copy": <><rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M10.5 3.5v-1h-8v8h1"/></>,
  "copydb": <><ellipse cx="4.6" cy="5" rx="3" ry="1.4"/><path d="M1.6 5v6c0 .8 1.3 1.4 3 1.4M10 8h4.4m-1.8-1.8L14.4 8l-1.8 1.8M7.6 5v1.5"/></>,
  "db": <><ellipse cx="8" cy="4" rx="5" ry="2"/><path d="M3 4v8c0 1.1 2.2 2 5 2s5-.9 5-2V4M3 8c0 1.1 2.2 2 5 2s5-.9 5-2"/></>,
  "diff": <><path d="M8 2.5v6M5 5.5h6M5 12.5h6"/></>,
  "dl": <><path d="M8 2.5v7M5 6.7l3 3 3-3M2.5 11v2.5h11V11"/></>,
  "dots": <><path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth="2.2"/></>,
  "down": <><path d="m4 6 4 4 4-4"/></>,
  "drag": <><path d="M6 4h.01M6 8h.01M6 12h.01M10 4h.01M10 8h.01M10 12h.01" strokeWidth="2"/></>,
  "dst": <><circle cx="8" cy="8" r="6.25"/><path d="M8 4.6V8H5.2M10.5 11.5l1.2.2.2-1.2" /></>,
  "edit": <><path d="m3 13 .6-2.8 7-7 2.2 2.2-7 7zM9.4 4.4l2.2 2.2"/></>,
  "empty": <><rect x="2.5" y="4" width="11" height="9" rx="1"/><path d="M2.5 9h3l1 1.5h3l1-1.5h3"/></>,
  "filter": <><path d="M2.5 4h11M4.5 8h7M6.5 12h3"/></>,
  "globe": <><circle cx="8" cy="8" r="6"/><path d="M2 8h12M8 2c3.6 3.4 3.6 8.6 0 12M8 2c-3.6 3.4-3.6 8.6 0 12"/></>,
  "half": <><circle cx="8" cy="8" r="6.25"/><path d="M8 1.75a6.25 6.25 0 0 1 0 12.5Z" fill="currentColor" stroke="none"/></>,
  "hist": <><path d="M3 8a5 5 0 1 0 1.6-3.7M2.6 2.4v2.4H5M8 5.3V8l2 1.3"/></>,
  "info": <><circle cx="8" cy="8" r="6.25"/><path d="M8 7.4v3.6M8 5h.01"/></>,
  "left": <><path d="m10 4-4 4 4 4"/></>,
  "link": <><path d="M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.3 9a2.6 2.6 0 0 0 3.7 3.7l.8-.8"/></>,
  "list": <><path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.6 4h.01M2.6 8h.01M2.6 12h.01"/></>,
  "lock": <><rect x="3.5" y="7" width="9" height="6.5" rx="1.5"/><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2"/></>,
  "moon": <><path d="M13.2 9.6A5.7 5.7 0 0 1 6.4 2.8a5.7 5.7 0 1 0 6.8 6.8z"/></>,
  "out": <><path d="M9.5 3.5h-6v9h6M7 8h7m-2.3-2.3L14 8l-2.3 2.3"/></>,
  "play": <><path d="M4.8 3.2v9.6l7.6-4.8z" fill="currentColor" stroke="none"/></>,
  "plus": <><path d="M8 3v10M3 8h10"/></>,
  "pulse": <><path d="M1.5 8.5h3L6.5 4l3 8 2-3.5h3"/></>,
  "refresh": <><path d="M13 8a5 5 0 1 1-1.6-3.7M13.4 2.4v2.4H11"/></>,
  "replay": <><path d="M3 8a5 5 0 1 0 1.6-3.7M2.6 2.4v2.4H5"/></>,
  "right": <><path d="m6 4 4 4-4 4"/></>,
  "runs": <><path d="M2.5 4h6M4.5 8h7M8.5 12h5" strokeWidth="2.2"/></>,
  "s-abort": <><circle cx="8" cy="8" r="6.25"/><rect x="5.5" y="5.5" width="5" height="5" fill="currentColor" stroke="none"/></>,
  "s-bad": <><path fill="currentColor" stroke="none" fillRule="evenodd" d="M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1L5.1 1Zm.6 3.6L4.6 5.7 6.9 8l-2.3 2.3 1.1 1.1L8 9.1l2.3 2.3 1.1-1.1L9.1 8l2.3-2.3-1.1-1.1L8 6.9 5.7 4.6Z"/></>,
  "s-catch": <><path d="M3 8a5 5 0 1 0 1.6-3.7M2.6 2.6l1.7 2-2.4 1"/><path d="M8 5.3V8l1.8 1.2"/></>,
  "s-hold": <><path d="M8 1.8v12.4M2.6 4.9l10.8 6.2M13.4 4.9 2.6 11.1M6.4 2.6 8 4.1l1.6-1.5M6.4 13.4 8 11.9l1.6 1.5"/></>,
  "s-late": <><circle cx="8" cy="8" r="6.25"/><path d="M8 4.6V8l2.3 1.5"/></>,
  "s-manual": <><circle cx="8" cy="8" r="6.25"/><path d="M6.6 5.5v5l4-2.5z" fill="currentColor" stroke="none"/></>,
  "s-miss": <><circle cx="8" cy="8" r="6.25" strokeDasharray="2.6 2.3"/></>,
  "s-ok": <><circle cx="8" cy="8" r="6.25"/><path d="m5.3 8.2 1.9 1.9 3.6-4"/></>,
  "s-part": <><circle cx="8" cy="8" r="6.25"/><path fill="currentColor" stroke="none" d="M8 1.75a6.25 6.25 0 0 1 0 12.5Z"/></>,
  "s-pause": <><path d="M5.5 3.5v9M10.5 3.5v9" strokeWidth="2.4"/></>,
  "s-q": <><rect x="2" y="2" width="12" height="12" rx="2"/><path d="M4.4 11.6 11.6 4.4"/></>,
  "s-queue": <><path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth="2.6"/></>,
  "s-run": <><circle cx="8" cy="8" r="6" opacity=".3"/><path d="M8 2a6 6 0 0 1 6 6" strokeWidth="2"/></>,
  "s-skip": <><path d="m3 4 4 4-4 4M8 4l4 4-4 4M13.5 4v8"/></>,
  "search": <><circle cx="7" cy="7" r="4.3"/><path d="m10.3 10.3 3.2 3.2"/></>,
  "server": <><rect x="2.5" y="2.5" width="11" height="4.5" rx="1"/><rect x="2.5" y="9" width="11" height="4.5" rx="1"/><path d="M5 4.75h.01M5 11.25h.01"/></>,
  "sun": <><circle cx="8" cy="8" r="3"/><path d="M8 1.8v1.4M8 12.8v1.4M1.8 8h1.4M12.8 8h1.4M3.6 3.6l1 1M11.4 11.4l1 1M12.4 3.6l-1 1M4.6 11.4l-1 1"/></>,
  "tail": <><path d="M8 2.5v7.5M4.6 6.8 8 10.2l3.4-3.4M3.5 13.5h9"/></>,
  "up": <><path d="m4 10 4-4 4 4"/></>,
  "warn": <><path d="M8 2.2 14.4 13.4H1.6zM8 6.6v3M8 11.5h.01"/></>,
  "wrap": <><path d="M2.5 4h11M2.5 8h9a2 2 0 0 1 0 4H8m1.5-1.5L8 12l1.5 1.5M2.5 12H5"/></>,
  "x": <><path d="m4 4 8 8M12 4l-8 8"/></>,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof SHAPES;

export function Icon({ name, small = false, spin = false }: { name: IconName; small?: boolean; spin?: boolean }) {
  return (
    <svg className={`ic${small ? " ic-s" : ""}${spin ? " spin" : ""}`} viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[name]}
    </svg>
  );
}
