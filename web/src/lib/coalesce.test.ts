import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { coalesce } from "~/lib/coalesce";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("reads at once, then once for everything that came meanwhile", async () => {
  const read = vi.fn(() => Promise.resolve());
  const ask = coalesce(read, 500);
  ask();
  expect(read).toHaveBeenCalledTimes(1);
  for (let count = 0; count < 20; count++) ask();
  await vi.advanceTimersByTimeAsync(499);
  expect(read).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(read).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(5000);
  expect(read).toHaveBeenCalledTimes(2);
});

it("goes on after a read that failed", async () => {
  const read = vi.fn(() => Promise.reject(new Error("no answer")));
  const ask = coalesce(read, 10);
  ask();
  await vi.advanceTimersByTimeAsync(10);
  ask();
  expect(read).toHaveBeenCalledTimes(2);
});
