/** Runs `work` over `items`, at most `width` at a time, and returns the results in order. */
export async function inBatches<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}

/** Tries every piece of work in turn and returns what went wrong, so that one failure does not hide the others. */
export async function attemptsAt(what: string, work: readonly (() => Promise<void>)[]): Promise<string[]> {
  const problems: string[] = [];
  for (const piece of work) {
    try {
      await piece();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return problems;
}
