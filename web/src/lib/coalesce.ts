/** Many reasons to read something again, few reads: the first at once, the others together after a pause. */

/** Calls `read` now, or once more `gap` ms after the last one ended. */
export function coalesce(read: () => Promise<unknown>, gap: number): () => void {
  let busy = false;
  let again = false;
  const start = () => {
    busy = true;
    void read().catch(() => undefined).then(() => {
      setTimeout(() => {
        busy = false;
        if (!again) return;
        again = false;
        start();
      }, gap);
    });
  };
  return () => {
    if (busy) again = true;
    else start();
  };
}
