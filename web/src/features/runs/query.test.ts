import { describe, expect, it } from "vitest";

import { exportAddress, understand, withRange, withStatus } from "~/features/runs/query";
import { parse } from "~/lib/filter";

const now = new Date("2026-11-22T14:07:31Z");
const asked = (text: string) => understand(parse(text), now).asked;

describe("the filter of runs", () => {
  it("looks at the last seven days unless told otherwise", () => {
    expect(asked("").from).toBe("2026-11-15T14:07:00.000Z");
    expect(asked("last:all").from).toBeUndefined();
    expect(asked("from:2026-11-01 to:2026-11-02")).toEqual({ from: "2026-11-01", to: "2026-11-02" });
  });
  it("says jobs, statuses, triggers, a user and free text to the API", () => {
    expect(asked("last:all job:a,b status:failed trigger:cron user:alice r-1 x")).toEqual({
      job: ["a", "b"], status: ["failed"], trigger: ["cron"], user: "alice", text: "r-1 x",
    });
  });
  it("turns a status round, and says which words it does not know", () => {
    expect(asked("-status:succeeded,skipped").status).toEqual(["queued", "running", "aborting", "failed", "partial-success", "aborted"]);
    expect(understand(parse("colour:red -job:a last:9y"), now).ignored).toEqual(["colour:red", "-job:a", "last:9y"]);
  });
  it("changes one thing and keeps the rest", () => {
    const words = parse("last:30d status:failed,aborted job:a");
    expect(withRange(words, "7d")).toBe("status:failed,aborted job:a");
    expect(withRange(words, "custom", "2026-01-01")).toBe("from:2026-01-01 status:failed,aborted job:a");
    expect(withStatus(words, "running")).toBe("status:running last:30d job:a");
    expect(withStatus(words, null)).toBe("last:30d job:a");
  });
  it("is the address of the export, too", () => {
    expect(exportAddress({ job: ["a b"], status: ["failed", "aborted"] })).toBe("/admin/jobs/runs/export?job=a+b&status=failed&status=aborted");
  });
});
