/** What is loaded when it is first used: a cold start reads only what its first request needs. */

/**
 * The result of `load`, which is called once, and again after it failed: a process may be out of file handles for a while.
 * Node 24 then reads a module again; Node 22 remembers that it could not, until the process is replaced.
 */
export function onFirstUse<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () =>
    (loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    }));
}

type Call = (...parameters: unknown[]) => Promise<unknown>;

/** The port that `load` makes when one of these methods of it is first called; `methods` are all that it has. */
export function portOnFirstUse<T extends object>(methods: Record<keyof T, true>, load: () => Promise<T>): T {
  const loaded = onFirstUse(load);
  const through = (name: string): Call =>
    async function call(...parameters) {
      const port = (await loaded()) as Record<string, Call>;
      return port[name]?.(...parameters);
    };
  return Object.fromEntries(Object.keys(methods).map((name) => [name, through(name)])) as T;
}
