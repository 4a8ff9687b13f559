/** The parts of the log pane that have logic: places of lines, folds, heights, held texts, colours, matches. */
import { describe, expect, it } from "vitest";

import { marked, matcher, piecesOf, plain } from "~/features/log/ansi";
import { Heights } from "~/features/log/heights";
import { around, foldsOf, Layout } from "~/features/log/layout";
import { Pages } from "~/features/log/pages";
import { DEBUG, ERROR, INFO, Shape, WARNING } from "~/features/log/shape";
import type { LiveLine } from "~/lib/live";

function shapeOf(levels: string, step: (seq: number) => string | null = () => null): Shape {
  const shape = new Shape();
  [...levels].forEach((letter, index) => shape.addLine(aLine(index + 1, { level: letter, step: step(index + 1) })));
  return shape;
}

function aLine(seq: number, more: Partial<LiveLine> = {}): LiveLine {
  return { seq, ts: "2026-11-22T14:07:31.000Z", level: "INFO", logger: "app", step: null, message: `line ${seq}`, ...more };
}

describe("the shape of a log", () => {
  // Long enough for several strides, an error every 1,000 lines, a warning every 100.
  const levels = Array.from({ length: 5000 }, (_, index) => ((index + 1) % 1000 === 0 ? "E" : (index + 1) % 100 === 0 ? "W" : index % 2 ? "D" : "I")).join("");
  const shape = shapeOf(levels);

  it("counts lines of a level and graver between any two places", () => {
    for (const [first, last] of [[1, 5000], [1000, 1000], [1001, 2047], [1023, 1026], [999, 4001]] as const) {
      for (const min of [DEBUG, INFO, WARNING, ERROR] as const) {
        const slow = [...levels].slice(first - 1, last).filter((letter) => "DIWE".indexOf(letter) >= min).length;
        expect(shape.count(first, last, min)).toBe(slow);
      }
    }
  });

  it("finds the n-th line, the next and the one before", () => {
    expect(shape.nth(3, ERROR)).toBe(3000);
    expect(shape.nth(6, ERROR)).toBe(0);
    expect(shape.next(0, ERROR)).toBe(1000);
    expect(shape.next(1000, ERROR)).toBe(2000);
    expect(shape.next(5000, ERROR)).toBe(0);
    expect(shape.previous(1000, ERROR)).toBe(0);
    expect(shape.previous(4999, ERROR)).toBe(4000);
    expect(shape.next(1000, WARNING)).toBe(1100);
  });

  it("puts answers of the server one after the other, and takes no line twice", () => {
    const whole = new Shape();
    const first = { after: 0, levels: "IDE", parts: [{ step: null, count: 1 }, { step: "copy", count: 2 }], tries: [{ seq: 2, attempt: 1, of: 2 }] };
    whole.addAnswer(first);
    whole.addAnswer({ after: 2, levels: "EW", parts: [{ step: "copy", count: 2 }], tries: [] });
    whole.addAnswer(first);
    expect(whole.length).toBe(4);
    expect([1, 2, 3, 4].map((seq) => whole.level(seq))).toEqual([INFO, DEBUG, ERROR, WARNING]);
    expect(whole.parts).toEqual([{ step: null, first: 1, last: 1 }, { step: "copy", first: 2, last: 4 }]);
    expect(whole.tries).toHaveLength(1);
  });
});

describe("folds and rows", () => {
  const shape = shapeOf("IIDEIIIWI", (seq) => (seq === 1 || seq === 5 || seq === 9 ? null : seq < 8 ? "copy" : "mail"));
  shape.tries.push({ seq: 2, attempt: 1, of: 2 }, { seq: 6, attempt: 2, of: 2 });

  it("a step is a fold, also where the run says something in its middle; tries are folds in it", () => {
    const folds = foldsOf(shape);
    expect(folds.map(({ step, first, last }) => [step, first, last])).toEqual([["copy", 2, 7], ["mail", 8, 8]]);
    expect(new Layout(shape, new Set(), DEBUG).blocks.map((one) => [one.kind, one.first, one.last, one.row])).toEqual([
      ["lines", 1, 1, 0], ["step", 2, 7, 1], ["try", 2, 5, 2], ["lines", 2, 5, 3], ["try", 6, 7, 7], ["lines", 6, 7, 8],
      ["step", 8, 8, 10], ["lines", 8, 8, 11], ["lines", 9, 9, 12],
    ]);
    expect(around(folds, 6)).toEqual(["s2", "t6"]);
    expect(around(folds, 9)).toEqual([]);
  });

  it.each([
    [new Set<string>(), DEBUG], [new Set(["s2"]), DEBUG], [new Set(["t2"]), INFO], [new Set<string>(), WARNING],
  ] as const)("every row is found again by its line: %s %s", (closed, min) => {
    const layout = new Layout(shape, closed, min);
    for (let row = 0; row < layout.rows; row++) {
      const place = layout.at(row);
      if (place?.block.kind !== "lines") continue;
      expect(shape.level(place.seq)).toBeGreaterThanOrEqual(min);
      expect(layout.rowOf(place.seq)).toBe(row);
    }
    expect(layout.at(layout.rows)).toBeNull();
  });

  it("a hidden line leads to the next that is shown, a folded one to its fold", () => {
    const graver = new Layout(shape, new Set(), WARNING);
    expect(graver.at(graver.rowOf(3))?.seq).toBe(4);
    const folded = new Layout(shape, new Set(["s2"]), DEBUG);
    expect(folded.at(folded.rowOf(6))?.block.key).toBe("s2");
  });
});

describe("heights", () => {
  it("offsets and rows agree after rows were measured and more came", () => {
    const heights = new Heights();
    heights.reset(1000);
    heights.set(3, 60);
    heights.set(600, 28);
    heights.grow(2000);
    heights.set(1500, 100);
    heights.set(1500, 40);
    expect(heights.total).toBe(2000 * 20 + 40 + 8 + 20);
    expect(heights.offset(4)).toBe(120);
    for (const row of [0, 3, 4, 255, 256, 600, 601, 1500, 1999]) {
      expect(heights.rowAt(heights.offset(row))).toBe(row);
      expect(heights.rowAt(heights.offset(row) + heights.of(row) - 1)).toBe(row);
    }
  });
});

describe("held texts", () => {
  it("are bounded, and what is looked at stays", () => {
    const pages = new Pages();
    pages.put([aLine(1)]);
    for (let seq = 1000; seq < 61_000; seq += 500) {
      pages.use(1);
      pages.put(Array.from({ length: 500 }, (_, index) => aLine(seq + index)));
    }
    expect(pages.held).toBeLessThanOrEqual(30_000);
    expect(pages.get(1)?.message).toBe("line 1");
    expect(pages.get(1000)).toBeUndefined();
    expect(pages.get(60_999)?.seq).toBe(60_999);
    expect([...pages.all()]).toHaveLength(pages.held);
  });
});

describe("messages", () => {
  it("ANSI colours become roles, other control characters are shown, markup stays text", () => {
    expect(piecesOf("a\x1b[1;31mb\x1b[0mc")).toEqual([{ text: "a", look: "" }, { text: "b", look: "a-bad a-bold" }, { text: "c", look: "" }]);
    expect(piecesOf("\x1b[38;5;196mx\x1b[38;2;1;31;4my")).toEqual([{ text: "xy", look: "" }]);
    expect(plain("\x1b[2Kx\r\0\x85\u202ey\t\n")).toBe("\\x1b[2Kx\\x0d\\x00\\x85\\u202ey\t\n");
    expect(piecesOf("<b>&")).toEqual([{ text: "<b>&", look: "" }]);
  });

  it("a match may span colours, and is found in any case and without meaning of its signs", () => {
    const cut = marked(piecesOf("one \x1b[31mTw\x1b[0mo.two"), matcher("two."));
    expect(cut.map(({ text, look, hit }) => [text, look, hit])).toEqual([["one ", "", false], ["Tw", "a-bad", true], ["o.", "", true], ["two", "", false]]);
    expect(marked(piecesOf("aXa"), matcher("a")).map((one) => one.hit)).toEqual([true, false, true]);
  });
});
