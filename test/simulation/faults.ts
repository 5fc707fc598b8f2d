/** What can go wrong with an operation, and the two ways to decide when: at random by seed, or once on purpose. */
import { RetryLater } from '../../shared/errors.ts';
import type { Random } from '../random.ts';
import type { OperationKind, Scope } from './scheduler.ts';

/**
 * `throttle`, `fail-before`: refused, nothing happened. `fail-after`: it happened and the answer was lost. `repeat`: the
 * answer was lost and the SDK asked again by itself, so the second answer comes ("exists", "changed"). `crash-*`: the
 * process dies before or after the effect.
 */
export const operationFaults = [
  'throttle',
  'fail-before',
  'fail-after',
  'repeat',
  'crash-before',
  'crash-after',
] as const;
export type Fault = (typeof operationFaults)[number];

export const services = ['documents', 'blobs', 'messages', 'compute'] as const;
export type Service = (typeof services)[number];

/** The service that does an operation; undefined for the network before the API, and for work of a process itself. */
export function serviceOf(label: string): Service | undefined {
  const [verb = '', what = ''] = label.split(' ');
  if (verb === 'send' || verb === 'complete' || verb === 'abandon') return 'messages';
  if (what === 'compute') return 'compute';
  if (/^blobs?$/.test(what) || /^(get|put)$/i.test(verb)) return 'blobs';
  return /^(read|create|replace|remove|batch|query|count)$/.test(verb) ? 'documents' : undefined;
}

/** A call that got no answer, as the adapters report it. */
export class Lost extends RetryLater {
  constructor(fault: Fault, label: string) {
    const service = serviceOf(label);
    super(`no answer (${fault}); it is tried again`, service === undefined ? {} : { service });
    this.name = 'Lost';
  }
}

/** Faults that an operation of a kind can have. */
export const faultsOf = (kind: OperationKind): readonly Fault[] =>
  kind === 'read'
    ? ['throttle', 'crash-before']
    : operationFaults.filter((fault) => fault !== 'repeat' || kind === 'write');

export interface Rates {
  fault: Record<Fault, number>;
  /** an operation takes seconds to minutes instead of milliseconds */
  slow: number;
  /** a message or an event comes twice, the second time later */
  duplicate: number;
  /** an event overtakes others by up to a minute */
  delayed: number;
  /** a message's lock is lost while its handler works */
  lockLost: number;
  /** a message is dead-lettered, as if the instances that had it had crashed again and again */
  deadLettered: number;
  /** a call of a client to the API or to storage is lost, before or after it was done */
  network: number;
  /** a training job ends in an odd way */
  oddJob: number;
  /** the largest difference of an instance's clock from the true time */
  skewMs: number;
}

/** A service that does nothing for anybody, in virtual milliseconds. */
export interface Outage {
  service: Service;
  fromMs: number;
  toMs: number;
}

export interface Faults {
  rates: Rates;
  /** what the rates were before faults stopped */
  drawn: Rates;
  /** stops all faults for good: the system is to come to rest */
  stop(): void;
  decide(who: Scope, label: string, kind: OperationKind, nowMs: number): Fault | undefined;
  delayMs(who: Scope): number;
  /** whether something that happens with `rate` happens now */
  strikes(rate: number): boolean;
  /** whether a service does nothing now */
  away(service: Service | undefined, nowMs: number): boolean;
  /** how often each (handler, operation, fault) struck; outages among them */
  struck: Map<string, number>;
  /** every (handler, operation) that was seen, and how often */
  seen: Map<string, { kind: OperationKind; times: number }>;
}

export const noFaults: Rates = {
  fault: { throttle: 0, 'fail-before': 0, 'fail-after': 0, repeat: 0, 'crash-before': 0, 'crash-after': 0 },
  slow: 0,
  duplicate: 0,
  delayed: 0,
  lockLost: 0,
  deadLettered: 0,
  network: 0,
  oddJob: 0,
  skewMs: 0,
};

/** Rates of a seed: some faults are off and some are frequent, since a mix of everything hides what one alone shows. */
export function drawRates(random: Random): Rates {
  const rate = (highest: number): number => (random.next() < 0.4 ? 0 : random.next() ** 2 * highest);
  return {
    fault: {
      throttle: rate(0.1),
      'fail-before': rate(0.05),
      'fail-after': rate(0.08),
      repeat: rate(0.1),
      'crash-before': rate(0.03),
      'crash-after': rate(0.04),
    },
    slow: rate(0.02),
    duplicate: rate(0.3),
    delayed: rate(0.2),
    lockLost: rate(0.1),
    deadLettered: rate(0.03),
    network: rate(0.1),
    oddJob: rate(0.5),
    skewMs: random.next() < 0.7 ? 0 : 2000,
  };
}

const count = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);

/** Notes an operation; returns how often it was seen. */
function see(seen: Faults['seen'], at: string, kind: OperationKind): number {
  const times = (seen.get(at)?.times ?? 0) + 1;
  seen.set(at, { kind, times });
  return times;
}

/** Faults at random, and outages as they are told. */
export function randomFaults(random: Random, drawn: Rates, outages: readonly Outage[] = []): Faults {
  let present = outages;
  const struck = new Map<string, number>();
  const seen: Faults['seen'] = new Map();
  const faults: Faults = {
    rates: drawn,
    drawn,
    struck,
    seen,
    stop() {
      present = [];
      faults.rates = { ...noFaults, skewMs: drawn.skewMs };
    },
    strikes: (rate) => rate > 0 && random.next() < rate,
    away: (service, nowMs) =>
      present.some((outage) => outage.service === service && outage.fromMs <= nowMs && nowMs < outage.toMs),
    decide({ kind: whose, handler }, label, kind, nowMs) {
      const { fault: rates, network } = faults.rates;
      if (faults.away(serviceOf(label), nowMs)) {
        count(struck, `${handler} | ${label} | outage`);
        return 'fail-before';
      }
      if (whose === 'client') {
        if (!faults.strikes(network)) return undefined;
        return kind === 'read' || random.next() < 0.5 ? 'fail-before' : 'fail-after';
      }
      see(seen, `${handler} | ${label}`, kind);
      let dice = random.next();
      for (const fault of faultsOf(kind)) {
        if (dice < rates[fault]) {
          count(struck, `${handler} | ${label} | ${fault}`);
          return fault;
        }
        dice -= rates[fault];
      }
      return undefined;
    },
    delayMs() {
      const ordinary = 1 + random.next() ** 3 * 40;
      return faults.strikes(faults.rates.slow) ? ordinary + random.next() ** 2 * 120_000 : ordinary;
    },
  };
  return faults;
}

/** One fault on purpose: at the given occurrence of an operation of a handler. */
export interface Planned {
  /** `handler | operation` */
  at: string;
  fault: Fault;
  /** counted from 1 */
  occurrence: number;
}

/** Faults of the surroundings at random, and of all others only the planned one. */
export function plannedFaults(random: Random, surroundings: Rates, planned: Planned): Faults {
  const faults = randomFaults(random, { ...surroundings, fault: noFaults.fault });
  let stopped = false;
  return {
    ...faults,
    stop() {
      stopped = true;
      faults.stop();
    },
    get rates() {
      return faults.rates;
    },
    decide(who, label, kind, nowMs) {
      const at = `${who.handler} | ${label}`;
      if (who.kind === 'client') return faults.decide(who, label, kind, nowMs);
      if (stopped || see(faults.seen, at, kind) !== planned.occurrence || at !== planned.at) return undefined;
      count(faults.struck, `${at} | ${planned.fault}`);
      return planned.fault;
    },
  };
}
