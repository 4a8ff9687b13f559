/**
 * What a person may do, read from the permissions that `GET /auth/me` tells: the same rules as the server's
 * `auth/principal.py`. It decides what is shown; the server decides what happens.
 */

export interface Person {
  superuser: boolean;
  permissions: readonly string[];
  scope: readonly string[] | null;
}
export type Verb = "read" | "run" | "abort";

const VERBS: readonly string[] = ["read", "run", "abort"];

function matches(pattern: string, permission: string): boolean {
  const wanted = pattern.split(":");
  const words = permission.split(":");
  const fits = wanted.at(-1) === "*" ? words.length >= wanted.length : words.length === wanted.length;
  return fits && wanted.every((want, index) => want === "*" || want === words[index]);
}

function allows(patterns: readonly string[], covers: (pattern: string, denied: boolean) => boolean): boolean {
  return (
    patterns.some((one) => !one.startsWith("!") && covers(one, false)) &&
    !patterns.some((one) => one.startsWith("!") && covers(one.slice(1), true))
  );
}

function held(person: Person, covers: (pattern: string, denied: boolean) => boolean): boolean {
  return (
    (person.superuser || allows(person.permissions, covers)) &&
    (person.scope === null || allows(person.scope, covers))
  );
}

export function may(person: Person, permission: string): boolean {
  return held(person, (pattern) => matches(pattern, permission));
}

/** [app, name, verbs] a pattern speaks of, or null when it says nothing about jobs. */
function jobRule(pattern: string, denied: boolean): readonly [string, string, readonly string[]] | null {
  const [head, ...rest] = pattern.toLowerCase().split(":");
  if (head === "*" && rest.length === 0) return ["*", "*", VERBS];
  if (head !== "job" && head !== "*") return null;
  const usual = denied ? VERBS : ["read", "run"];
  const [one = "", two = "", three = ""] = rest;
  if (rest.length === 1) return one === "*" ? ["*", "*", VERBS] : ["*", one, usual];
  if (rest.length === 2) {
    if (two === "*") return [one, "*", VERBS];
    return VERBS.includes(two) ? ["*", one, [two]] : [one, two, usual];
  }
  if (rest.length === 3 && three === "*") return [one, two, VERBS];
  return rest.length === 3 && VERBS.includes(three) ? [one, two, [three]] : null;
}

export function mayJob(person: Person, verb: Verb, name: string, app: string): boolean {
  return held(person, (pattern, denied) => {
    const rule = jobRule(pattern, denied);
    if (rule === null) return false;
    const [ofApp, ofName, verbs] = rule;
    return (
      verbs.includes(verb) &&
      (ofName === "*" || ofName === name.toLowerCase()) &&
      (ofApp === "*" || ofApp === app.toLowerCase())
    );
  });
}

/** Whether any job may be seen at all: without one, the pages about jobs are left out of the menu. */
export function mayAnyJob(person: Person): boolean {
  return held(person, (pattern, denied) => {
    const rule = jobRule(pattern, denied);
    if (rule === null) return false;
    return denied ? rule[0] === "*" && rule[1] === "*" && rule[2].includes("read") : true;
  });
}
