/**
 * Memory of running processes as they are: SIGUSR1 opens Node's inspector in each, one after the other, which collects
 * garbage, tells the heap, and is closed again. Nothing has to be prepared in the process.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Parts } from '../torture/parts.ts';
import type { Part } from '../torture/process.ts';

export interface Memory {
  process: string;
  /** what JavaScript holds after a collection */
  heapBytes: number;
  residentBytes: number;
}

/** where SIGUSR1 opens the inspector unless a process was told otherwise */
const inspector = '127.0.0.1:9229';
const openTries = 100;
const openPauseMs = 50;
const answerTimeoutMs = 30_000;

const targets = z.array(z.object({ webSocketDebuggerUrl: z.string() })).min(1);
const answer = z.object({ id: z.number(), result: z.record(z.string(), z.unknown()) });
const usage = z.object({ usedSize: z.number() });
const evaluated = z.object({ result: z.object({ value: z.unknown() }) });

async function inspectorUrl(): Promise<string | undefined> {
  try {
    const response = await fetch(`http://${inspector}/json/list`, { signal: AbortSignal.timeout(1000) });
    return targets.parse(await response.json())[0]?.webSocketDebuggerUrl;
  } catch {
    return undefined;
  }
}

async function openInspector(pid: number): Promise<string> {
  if ((await inspectorUrl()) !== undefined)
    throw new Error(`Another process is being inspected on ${inspector}: end that first.`);
  process.kill(pid, 'SIGUSR1');
  for (let tries = 0; tries < openTries; tries++) {
    const url = await inspectorUrl();
    if (url !== undefined) return url;
    await sleep(openPauseMs);
  }
  throw new Error(`Process ${pid} did not open its inspector on ${inspector}.`);
}

/** Speaks the Chrome DevTools protocol over one connection. */
async function connect(url: string) {
  const socket = new WebSocket(url);
  const waiting = new Map<number, (result: Record<string, unknown>) => void>();
  socket.addEventListener('message', ({ data }) => {
    const parsed = answer.safeParse(JSON.parse(String(data)));
    if (parsed.success) waiting.get(parsed.data.id)?.(parsed.data.result);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`${url} cannot be opened`)));
  });
  let last = 0;
  return {
    ask: (method: string, params: object = {}): Promise<Record<string, unknown>> =>
      new Promise((resolve, reject) => {
        const id = ++last;
        const timer = setTimeout(() => reject(new Error(`${method} was not answered`)), answerTimeoutMs);
        waiting.set(id, (result) => {
          clearTimeout(timer);
          resolve(result);
        });
        socket.send(JSON.stringify({ id, method, params }));
      }),
    close: () => socket.close(),
  };
}

/** Bytes that a process holds after a full collection. */
async function heapOf(pid: number): Promise<number> {
  const session = await connect(await openInspector(pid));
  const { result } = evaluated.parse(await session.ask('Runtime.evaluate', { expression: 'process.pid' }));
  if (result.value !== pid) throw new Error(`Process ${String(result.value)} answered in the place of ${pid}.`);
  // the second takes what finalizers of the first let go
  for (let time = 0; time < 2; time++) await session.ask('HeapProfiler.collectGarbage');
  const { usedSize } = usage.parse(await session.ask('Runtime.getHeapUsage'));
  // closing waits for this very connection, so it is left for later
  const expression = "setTimeout(() => process.getBuiltinModule('node:inspector').close(), 100)";
  await session.ask('Runtime.evaluate', { expression });
  session.close();
  for (let tries = 0; tries < openTries && (await inspectorUrl()) !== undefined; tries++) await sleep(openPauseMs);
  return usedSize;
}

async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Memory of every process of ours: services, functions hosts and their workers; Azurite and jobs are others'. */
export async function memoryOf({ bus, cosmos, insights, arm, blob, http, queue }: Parts): Promise<Memory[]> {
  const measured: Memory[] = [];
  const measure = async (name: string, pid: number): Promise<void> => {
    measured.push({ process: name, heapBytes: await heapOf(pid), residentBytes: await residentOf(pid) });
  };
  for (const { name, pid } of [bus, cosmos, insights, arm, blob] satisfies Part[]) await measure(name, pid);
  for (const host of [...http, ...queue]) {
    await measure(host.name, host.pid);
    for (const worker of host.children()) await measure(`${host.name} worker`, worker);
  }
  return measured;
}
