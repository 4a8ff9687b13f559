/** What differs between two texts, line by line, with a little of what is around it. */

export interface DiffLine { kind: "same" | "added" | "removed" | "gap"; text: string }

const AROUND = 3;

export function lineDiff(before: string, after: string): readonly DiffLine[] {
  const old = before.replace(/\n$/, "").split("\n");
  const now = after.replace(/\n$/, "").split("\n");
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const middle = between(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  const same = (text: string): DiffLine => ({ kind: "same", text });
  return shortened([...old.slice(0, head).map(same), ...middle, ...old.slice(old.length - tail).map(same)]);
}

/** The longest common part by the usual table: the texts of one job are a few hundred lines. */
function between(old: readonly string[], now: readonly string[]): readonly DiffLine[] {
  const width = now.length + 1;
  const best = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      best[i * width + j] = old[i] === now[j]
        ? (best[(i + 1) * width + j + 1] ?? 0) + 1
        : Math.max(best[(i + 1) * width + j] ?? 0, best[i * width + j + 1] ?? 0);
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ kind: "same", text: old[i++] ?? "" });
      j++;
    } else if (j < now.length && (i === old.length || (best[i * width + j + 1] ?? 0) > (best[(i + 1) * width + j] ?? 0))) {
      lines.push({ kind: "added", text: now[j++] ?? "" });
    } else lines.push({ kind: "removed", text: old[i++] ?? "" });
  }
  return lines;
}

function shortened(lines: readonly DiffLine[]): readonly DiffLine[] {
  const near = new Set<number>();
  lines.forEach((line, index) => {
    if (line.kind !== "same") for (let place = index - AROUND; place <= index + AROUND; place++) near.add(place);
  });
  const shown: DiffLine[] = [];
  lines.forEach((line, index) => {
    if (near.has(index)) shown.push(line);
    else if (near.has(index + 1) && index > 0) shown.push({ kind: "gap", text: "" });
  });
  return shown;
}

/** The lines of a unified diff as the server writes it. */
export function unifiedLines(text: string): readonly DiffLine[] {
  return text.split("\n").flatMap((line): DiffLine[] => {
    if (line === "" || line.startsWith("---") || line.startsWith("+++")) return [];
    if (line.startsWith("@@")) return [{ kind: "gap", text: "" }];
    const kind = line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "same";
    return [{ kind, text: line.slice(1) }];
  }).filter((line, index) => index > 0 || line.kind !== "gap");
}
