/** Tells the story as it happens: chapters, sentences, and progress with phase and done/total. */

export interface Narrator {
  chapter(title: string): void;
  say(line: string): void;
  /** what is being waited for; `done` never shows as more than `total` */
  progress(phase: string, done: number, total: number, more?: string): void;
}

/** Where there is no terminal, progress becomes lines; more often than this would only be noise. */
const lineEveryMs = 2000;

interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** A narrator on a stream: on a terminal progress rewrites its line, elsewhere it is a line now and then. */
export function createNarrator(output: Output, now: () => number = () => performance.now()): Narrator {
  const startedAt = now();
  let open = false;
  let shownAt = -Infinity;
  let shown = '';
  const close = (): void => {
    if (open) output.write('\r\u001B[K');
    open = false;
  };
  const write = (line: string): void => {
    close();
    output.write(`${line}\n`);
  };
  return {
    chapter: (title) => write(`\n[${((now() - startedAt) / 1000).toFixed(0).padStart(3)} s] ${title}`),
    say: (line) => write(`        ${line}`),
    progress(phase, done, total, more = '') {
      const count = total > 0 ? ` ${Math.min(done, total)}/${total}` : '';
      const line = `        ${phase}${count}${more === '' ? '' : `, ${more}`}`;
      if (line === shown) return;
      if (output.isTTY) {
        output.write(`\r\u001B[K${line.slice(0, (output.columns ?? 80) - 1)}`);
        open = true;
      } else {
        if (now() - shownAt < lineEveryMs) return;
        output.write(`${line}\n`);
      }
      shown = line;
      shownAt = now();
    },
  };
}
