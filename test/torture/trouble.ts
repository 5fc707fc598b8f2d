/** What happens to the processes of the platform in a round: deaths, full disks and stalls, chosen by chance. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { fillDisk, makeRoom, stall } from './disk.ts';
import type { Parts } from './parts.ts';
import { childrenOf, type Part } from './process.ts';

interface Trouble {
  name: string;
  /** of all troubles, in percent */
  share: number;
  /** Resolves when the process is well again; false: there was nothing to trouble. */
  act: (parts: Parts, random: Random) => Promise<boolean>;
}

/** longer than a short lock, so that some messages come twice */
const longestStallMs = 6000;
const longestFullMs = 3000;

const kill = (pid: number | undefined): Promise<boolean> => {
  if (pid === undefined) return Promise.resolve(false);
  try {
    process.kill(pid, 'SIGKILL');
    return Promise.resolve(true);
  } catch {
    // it ended by itself a moment ago
    return Promise.resolve(false);
  }
};

const one = (random: Random, pids: number[]): number | undefined => (pids.length === 0 ? undefined : random.pick(pids));

async function endAndRestart(part: Part, signal: 'SIGKILL' | 'SIGTERM', random: Random): Promise<boolean> {
  if (!part.running()) return false;
  await part.end(signal);
  await sleep(random.between(0, 800));
  await part.restart();
  return true;
}

const stores = ({ bus, cosmos, blob }: Parts): Part[] => [bus, cosmos, blob];

async function fullDisk(parts: Parts, random: Random): Promise<boolean> {
  const part = random.pick(stores(parts));
  const forMs = random.between(200, longestFullMs);
  if (!part.running()) return false;
  const { pid } = part;
  try {
    fillDisk(pid);
    await sleep(forMs);
    makeRoom(pid);
  } catch {
    // killed by another trouble: it starts anew with all the room there is
  }
  return true;
}

async function slowDisk(parts: Parts, random: Random): Promise<boolean> {
  const part = random.pick(stores(parts));
  const forMs = random.between(500, longestStallMs);
  if (!part.running()) return false;
  await stall(part.pid, forMs).catch(() => undefined);
  return true;
}

const troubles: Trouble[] = [
  { name: 'queue worker', share: 28, act: ({ queue }, random) => kill(one(random, random.pick(queue).children())) },
  { name: 'HTTP worker', share: 9, act: ({ http }, random) => kill(one(random, random.pick(http).children())) },
  // the container: its processes go with it
  { name: 'training job', share: 7, act: ({ arm }, random) => kill(one(random, arm.children())) },
  // the program in it: the container ends with an exit code
  {
    name: 'trainer',
    share: 5,
    act: ({ arm }, random) => kill(one(random, arm.children().flatMap(childrenOf))),
  },
  { name: 'queue host', share: 12, act: ({ queue }, random) => endAndRestart(random.pick(queue), 'SIGKILL', random) },
  { name: 'HTTP host', share: 5, act: ({ http }, random) => endAndRestart(random.pick(http), 'SIGKILL', random) },
  { name: 'compute', share: 3, act: ({ arm }, random) => endAndRestart(arm, 'SIGKILL', random) },
  { name: 'broker', share: 8, act: ({ bus }, random) => endAndRestart(bus, 'SIGKILL', random) },
  { name: 'document store', share: 8, act: ({ cosmos }, random) => endAndRestart(cosmos, 'SIGKILL', random) },
  {
    name: 'blob storage (SIGTERM)',
    share: 5,
    act: ({ blob }, random) => endAndRestart(blob, 'SIGTERM', random),
  },
  { name: 'full disk', share: 5, act: fullDisk },
  { name: 'stalled disk', share: 5, act: slowDisk },
];

/** Troubles one process and counts it; resolves when it is well again. */
export async function trouble(parts: Parts, random: Random, counts: Record<string, number>): Promise<void> {
  let left = random.next() * 100;
  const chosen = troubles.find(({ share }) => (left -= share) < 0);
  if (chosen === undefined) return;
  const met = await chosen.act(parts, random);
  if (met) counts[chosen.name] = (counts[chosen.name] ?? 0) + 1;
}
