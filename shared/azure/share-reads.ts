/** Reads of the same thing that come at once share requests. */

interface Line<T> {
  running: Promise<T>;
  /** begins when the running one has ended */
  next: Promise<T> | null;
}

/**
 * Who asks for a key while nobody reads it reads it by `load`. Who asks while somebody does gets what the next read finds,
 * together with all who ask until then: it begins after they asked, so nobody gets what was there before.
 */
export function shareReads<T>(): (key: string, load: () => Promise<T>) => Promise<T> {
  const lines = new Map<string, Line<T>>();
  const begin = (key: string, load: () => Promise<T>): Promise<T> => {
    const line: Line<T> = { running: load(), next: null };
    lines.set(key, line);
    const end = (): void => {
      if (line.next === null) lines.delete(key);
    };
    line.running.then(end, end);
    return line.running;
  };
  return (key, load) => {
    const line = lines.get(key);
    if (line === undefined) return begin(key, load);
    const afterwards = (): Promise<T> => begin(key, load);
    return (line.next ??= line.running.then(afterwards, afterwards));
  };
}
