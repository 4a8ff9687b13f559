/**
 * A message as pieces of text with classes: ANSI colours become the roles of the design, every other control character
 * is shown. What comes out is text for React, never HTML.
 */
export interface Piece { text: string; look: string }

/** Colours 0 to 7 of a terminal; blue, magenta and cyan are those of code. */
const COLOURS = ["a-dim", "a-bad", "a-ok", "a-warn", "a-run", "a-q", "a-info", ""] as const;
const SPECIAL = /\x1b\[([\d;:]*)m|[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

interface Style { colour: string; bold: boolean; dim: boolean; italic: boolean; underline: boolean; reverse: boolean }
const PLAIN: Style = { colour: "", bold: false, dim: false, italic: false, underline: false, reverse: false };

export function piecesOf(message: string): Piece[] {
  const pieces: Piece[] = [];
  let style = PLAIN;
  let from = 0;
  const push = (text: string, look: string) => {
    if (text === "") return;
    const before = pieces.at(-1);
    if (before !== undefined && before.look === look) before.text += text;
    else pieces.push({ text, look });
  };
  for (const found of message.matchAll(SPECIAL)) {
    push(message.slice(from, found.index), lookOf(style));
    from = found.index + found[0].length;
    if (found[1] === undefined) push(visible(found[0]), "ctl");
    else style = styled(style, found[1]);
  }
  push(message.slice(from), lookOf(style));
  return pieces;
}

/** The text as it is shown, without colours: what is copied. */
export function plain(message: string): string {
  return piecesOf(message).map((piece) => piece.text).join("");
}

/** `\x1b` for escape, as in the log that is downloaded. */
export function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

function lookOf(style: Style): string {
  const { colour, bold, dim, italic, underline, reverse } = style;
  return [colour, bold && "a-bold", dim && "a-dim", italic && "a-italic", underline && "a-under", reverse && "a-back"]
    .filter(Boolean)
    .join(" ");
}

function styled(before: Style, parameters: string): Style {
  const style = { ...before };
  const codes = parameters.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 0) Object.assign(style, PLAIN);
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 7) style.reverse = true;
    else if (code === 22) style.bold = style.dim = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underline = false;
    else if (code === 27) style.reverse = false;
    else if (code >= 30 && code <= 37) style.colour = COLOURS[code - 30] ?? "";
    else if (code >= 90 && code <= 97) style.colour = COLOURS[code - 90] ?? "";
    else if (code === 39) style.colour = "";
    else if (code === 38 || code === 48) {
      // A colour of 256 or of 24 bits: its numbers are no codes of their own.
      const known = codes[at + 1] === 5 ? (codes[at + 2] ?? 16) : 16;
      if (code === 38) style.colour = known < 16 ? (COLOURS[known % 8] ?? "") : "";
      at += codes[at + 1] === 5 ? 2 : 4;
    }
  }
  return style;
}

/** Pieces cut again where a search matches: each with whether it is part of a match. */
export function marked(pieces: readonly Piece[], wanted: RegExp | null): (Piece & { hit: boolean })[] {
  if (wanted === null) return pieces.map((piece) => ({ ...piece, hit: false }));
  const whole = pieces.map((piece) => piece.text).join("");
  const cuts: { at: number; hit: boolean }[] = [];
  for (const found of whole.matchAll(wanted)) {
    if (found[0] !== "") cuts.push({ at: found.index, hit: true }, { at: found.index + found[0].length, hit: false });
  }
  const result: (Piece & { hit: boolean })[] = [];
  let start = 0, cut = 0, hit = false;
  for (const { text, look } of pieces) {
    const end = start + text.length;
    let from = start;
    for (; cut < cuts.length && (cuts[cut]?.at ?? end) < end; cut++) {
      const { at, hit: next } = cuts[cut] as { at: number; hit: boolean };
      if (at > from) result.push({ text: text.slice(from - start, at - start), look, hit });
      from = Math.max(from, at);
      hit = next;
    }
    if (end > from) result.push({ text: text.slice(from - start), look, hit });
    start = end;
  }
  return result;
}

/** What finds a text in any case. */
export function matcher(text: string): RegExp | null {
  return text === "" ? null : new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
}
