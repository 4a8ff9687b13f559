/** Before every file of tests: nothing is remembered from the one before. */
import { beforeEach } from "vitest";

beforeEach(() => {
  localStorage.clear();
});
