/** What a soak prints at its end. */
import type { Timings } from './load.ts';
import type { Memory } from './memory.ts';

/** of the heap after collection, from the end of the warm-up to the end */
export const maxGrowth = 0.1;

/** Bytes in megabytes, with a digit after the point. */
export const megabytes = (bytes: number): string => (bytes / (1024 * 1024)).toFixed(1);

/** The heap of all processes together, in bytes. */
export const heapBytesOf = (memory: Memory[]): number => memory.reduce((sum, one) => sum + one.heapBytes, 0);

function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  return [head, ...rows].map(line).join('\n');
}

/** The value below which the share `q` of sorted values lies. */
const quantile = (sorted: number[], q: number): string =>
  sorted.length === 0 ? '-' : (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0).toFixed(0);

/** Requests, errors and latencies by action. */
export function latencyTable(timings: Map<string, Timings>): string {
  const rows = [...timings].map(([name, { milliseconds, errors }]) => {
    const sorted = milliseconds.toSorted((a, b) => a - b);
    const quantiles = [0.5, 0.95, 0.99, 1].map((q) => quantile(sorted, q));
    return [name, String(milliseconds.length), String(errors.length), ...quantiles];
  });
  return table(['action', 'requests', 'errors', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'], rows);
}

/** Heap after collection and resident memory of each process, before and after. A worker that was replaced has no before. */
export function memoryTable(before: Memory[], after: Memory[]): string {
  const rows = after.map(({ process, heapBytes, residentBytes }) => {
    const first = before.find((one) => one.process === process);
    const grown = first === undefined ? '-' : `${((heapBytes / first.heapBytes - 1) * 100).toFixed(1)} %`;
    const was = (bytes: number | undefined): string => (bytes === undefined ? '-' : megabytes(bytes));
    return [
      process,
      ...[was(first?.heapBytes), megabytes(heapBytes), grown],
      ...[was(first?.residentBytes), megabytes(residentBytes)],
    ];
  });
  return table(['process', 'heap MB', 'at the end', 'grown', 'RSS MB', 'at the end'], rows);
}

/** The longest wait of a message in each queue. */
export const queueTable = (longest: Map<string, number>): string =>
  table(
    ['queue', 'longest wait'],
    [...longest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([queue, seconds]) => [queue, `${seconds.toFixed(1)} s`]),
  );
