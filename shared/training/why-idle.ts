/** Why nothing trains in a project, for whoever wonders. */
import type { VersionSummary } from '../dataset/document.ts';
import type { Ports } from '../ports.ts';
import type { ProjectSettings } from '../project/settings.ts';
import { missingCompute } from './compute.ts';
import { limitsFor, secondsUntilAllowed, whyHeldBack } from './limits.ts';
import { tooFewNewSamples } from './schedule.ts';
import { newScheduler, type Scheduler } from './scheduler.ts';
import { checkTrainer, unknownTrainers } from './trainers.ts';
import type { Reason } from '../task/task.ts';
import { emptySplit, untrainable } from './untrainable.ts';

/** A version that has started no training for so long starts none any more: its message is handled by then. */
const versionMessageSeconds = 120;

/** What a platform has to train with. */
type Equipment = Pick<Ports, 'trainers' | 'otherComputes'>;

/** Why a version starts no training, whatever the scheduler says; undefined: it may. */
export function whyNotOn(
  settings: ProjectSettings,
  version: VersionSummary,
  ports: Equipment = {},
): Reason | undefined {
  if (!settings.retrain.onVersion) {
    const detail = `Version ${version.number} starts no training, since retrain.onVersion is off. POST .../trainings starts one.`;
    return { code: 'switched-off', detail };
  }
  return (
    untrainable(settings, version) ??
    emptySplit(version) ??
    wrongTrainer(settings, ports) ??
    missingCompute(ports, settings)
  );
}

function wrongTrainer(
  { task, trainer }: ProjectSettings,
  { trainers = unknownTrainers }: Equipment,
): Reason | undefined {
  const checked = checkTrainer(trainers, task, trainer);
  return checked.ok ? undefined : { code: checked.code, detail: checked.detail };
}

/** What the next training of a project waits for; null: one is at work or about to be. */
export function whyIdle(
  settings: ProjectSettings,
  head: VersionSummary | null,
  scheduler: Scheduler = newScheduler,
  now: Date,
  ports?: Equipment,
): Reason | null {
  if (scheduler.active !== null) return null;
  if (scheduler.waiting !== null) return heldBack(scheduler, settings, scheduler.waiting.spec.requestedBy, now);
  if (head === null) {
    const detail =
      'There is no dataset version yet. Upload labelled images; uploads?outcome=unlabelled lists those that wait for a label.';
    return { code: 'no-version', detail };
  }
  const why = whyNotOn(settings, head, ports);
  if (why !== undefined) return why;
  return (
    tooFewNewSamples(scheduler, head, settings.retrain.minNewSamples) ??
    heldBack(scheduler, settings, 'policy', now) ??
    nextVersion(head, now)
  );
}

/** A version asks once: what ended its training without trying it, or held it back then, does not make it ask again. */
function nextVersion({ number, createdAt }: VersionSummary, now: Date): Reason | null {
  if (now.getTime() - Date.parse(createdAt) < versionMessageSeconds * 1000) return null;
  const detail = `Version ${number} has asked for its training: compute failed it, or the settings were others then. The next version starts one, or POST .../trainings.`;
  return { code: 'next-version', detail };
}

function heldBack(scheduler: Scheduler, { retrain }: ProjectSettings, requestedBy: string, now: Date): Reason | null {
  const limits = limitsFor(retrain, requestedBy);
  const { seconds, code } = secondsUntilAllowed(scheduler, limits, now);
  return seconds === 0
    ? null
    : { code, detail: `A limit holds the next training back: ${whyHeldBack[code](limits, seconds)}.` };
}
