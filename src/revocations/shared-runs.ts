/**
 * Shares runs of one question among its askers, each of whom is answered by a run that began after it asked: an answer
 * that was already on its way may not know of what the asker has just seen happen.
 */
export function shareRuns<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;

  function ask(): Promise<T> {
    if (!running) {
      running = run().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        next = undefined;
        return ask();
      });
    return next;
  }
  return ask;
}
