import { expect, it } from "vitest";

import { duration, hover, relative } from "~/lib/time";
import { language } from "~/lib/i18n";

const now = new Date("2026-11-22T14:07:31Z");
const ago = (seconds: number) => relative(new Date(now.getTime() - seconds * 1000), now);

it.each([[84, "84 ms"], [18_400, "18 s"], [134_000, "2m 14s"], [59_999, "1m 00s"], [4_020_000, "1 h 7 min"]])(
  "%i ms is %s", (milliseconds, text) => expect(duration(milliseconds)).toBe(text),
);

it("says how long ago, or how long until, in few words", () => {
  language.set("en");
  expect(ago(2)).toBe("just now");
  expect(ago(420)).toBe("7 min ago");
  expect(ago(3600)).toBe("1 h ago");
  expect(ago(-33_720)).toBe("in 9 h 22 min");
  expect(ago(86_400 * 9)).toBe("9 days ago");
  language.set("fr");
  expect(ago(420)).toBe("il y a 7 min");
  language.set("en");
});

it("names the job's zone only where its clock shows something else", () => {
  const [own, theirs] = hover(now, "Asia/Tokyo").split("\n");
  expect(own).toMatch(/22 Nov 2026/);
  expect(theirs).toMatch(/Asia\/Tokyo/);
  expect(hover(now, Intl.DateTimeFormat().resolvedOptions().timeZone)).not.toContain("\n");
});
