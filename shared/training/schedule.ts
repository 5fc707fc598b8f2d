/**
 * Deciding whether a run starts, waits or is not needed. A request that comes while another waits replaces it when its
 * version is newer (coalescing), so a storm of requests costs two jobs, not a thousand.
 */
import { type LimitCode, type Limits, secondsUntilAllowed, whyHeldBack } from './limits.ts';
import { begin, remember, type Request, samplesTriedOn, type Scheduler } from './scheduler.ts';

export type Decision =
  | { decision: 'start'; run: string }
  | { decision: 'wait'; behind: string | null }
  /** another run does the work: the one that waits already */
  | { decision: 'coalesced'; into: string }
  | {
      decision: 'refused';
      code: LimitCode | 'too-few-new-samples';
      detail: string;
      retryAfterSeconds: number;
    };

/** Why the policy does not train on a version yet: it hardly differs from one that was tried. */
export function tooFewNewSamples(
  scheduler: Pick<Scheduler, 'lastSamples' | 'active'>,
  version: { number: number; samples: number },
  minNewSamples: number,
): { code: 'too-few-new-samples'; detail: string } | undefined {
  const fresh = version.samples - samplesTriedOn(scheduler);
  if (fresh >= minNewSamples) return undefined;
  const detail = `Version ${version.number} has ${fresh} samples more than the largest that a training was made of; retrain.minNewSamples asks for ${minNewSamples}.`;
  return { code: 'too-few-new-samples', detail };
}

/** What became of a run that was asked for before; undefined for one that is new. */
function fateOf(scheduler: Scheduler, run: string): Decision | undefined {
  if (scheduler.active?.run === run) return { decision: 'start', run };
  if (scheduler.waiting?.run === run) return { decision: 'wait', behind: scheduler.active?.run ?? null };
  const known = scheduler.decided.find((s) => s.run === run);
  if (known === undefined) return undefined;
  if (known.decision === 'started') return { decision: 'start', run };
  // the run that took its place may have been replaced in turn
  let into = known.into ?? '';
  for (const s of scheduler.decided.slice(scheduler.decided.indexOf(known))) if (s.run === into) into = s.into ?? into;
  return { decision: 'coalesced', into };
}

/**
 * Decides on a run that is asked for. One that began, waits or gave its place up gets the same answer when it is asked
 * for again; one that was coalesced into a waiting run is asked for anew when that run has begun.
 */
export function schedule(
  scheduler: Scheduler,
  asked: Request,
  limits: Limits,
  now: Date,
): { scheduler: Scheduler; decision: Decision } {
  const fate = fateOf(scheduler, asked.run);
  if (fate !== undefined) return { scheduler, decision: fate };
  const { active, waiting } = scheduler;
  const wait = secondsUntilAllowed(scheduler, limits, now);
  if (waiting === null) {
    if (wait.seconds > 0 && (active === null || wait.code !== 'cooldown'))
      return { scheduler, decision: refusal(wait, limits) };
    if (active === null)
      return { scheduler: begin(scheduler, asked, now), decision: { decision: 'start', run: asked.run } };
    return { scheduler: { ...scheduler, waiting: asked }, decision: { decision: 'wait', behind: active.run } };
  }
  const newer = asked.spec.version.number > waiting.spec.version.number;
  // nothing to save: of a storm only those write that change what will train, the others would wait for each other
  if (!newer && (active !== null || wait.seconds > 0))
    return { scheduler, decision: { decision: 'coalesced', into: waiting.run } };
  const [kept, dropped] = newer ? [asked, waiting] : [waiting, asked];
  const decided = remember(scheduler, { run: dropped.run, decision: 'coalesced', into: kept.run });
  const merged = { ...scheduler, waiting: kept, decided };
  // nothing trains while one waits: a limit held it back, which may not bind this request
  const next = active === null && wait.seconds === 0 ? begin(merged, kept, now) : merged;
  return { scheduler: next, decision: fateOf(next, asked.run) ?? { decision: 'coalesced', into: kept.run } };
}

function refusal({ code, seconds }: { seconds: number; code: LimitCode }, limits: Limits): Decision {
  return { decision: 'refused', code, detail: whyHeldBack[code](limits, seconds), retryAfterSeconds: seconds };
}
