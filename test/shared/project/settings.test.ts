import { describe, expect, test } from 'vitest';
import { projectSettings } from '../../../shared/project/settings.ts';

describe('project settings', () => {
  test('have defaults for everything', () => {
    expect(projectSettings.parse({})).toEqual({
      task: 'classification',
      classes: [],
      image: null,
      trainer: { name: 'auto', parameters: {}, timeoutSeconds: 3600 },
      gate: { minimum: 0.8, minimumRecall: 0.5, maxRegression: 0.01, confidence: 0.95, approval: 'automatic' },
      retrain: { onVersion: true, minNewSamples: 50, cooldownSeconds: 0, maxPerDay: 24, computeSecondsPerDay: 86_400 },
      deploy: { mode: 'automatic', canary: null },
      commit: { maxWaitSeconds: 60, quietSeconds: 3, maxItems: 10_000 },
      split: { validationPercent: 15, testPercent: 15 },
    });
  });

  test('given in part keep the other defaults, and parsing them again changes nothing', () => {
    const some = projectSettings.parse({ gate: { minimum: 0.9 }, commit: { quietSeconds: 1 } });
    expect([some.gate.minimum, some.gate.confidence, some.commit.maxWaitSeconds]).toEqual([0.9, 0.95, 60]);
    expect(projectSettings.parse(some)).toEqual(some);
  });

  test.each([
    [{ colour: 1 }, ''],
    [{ task: 'astrology' }, 'task'],
    [{ gate: { minimun: 1 } }, 'gate'],
    [{ classes: ['a', 'a'] }, 'classes'],
    [{ classes: ['only one'] }, 'classes'],
    [{ classes: ['a', '../b'] }, 'classes.1'],
    [{ classes: ['a', '__proto__'] }, 'classes.1'],
    [{ classes: ['a', '\u0007b'] }, 'classes.1'],
    [{ image: { width: 7, height: 8, channels: 1 } }, 'image.width'],
    [{ image: { width: 641, height: 640, channels: 3 } }, 'image.width'],
    [{ image: { width: 8, height: 8, channels: 2 } }, 'image.channels'],
    [{ trainer: { name: 'Softmax' } }, 'trainer.name'],
    [{ gate: { minimum: 80 } }, 'gate.minimum'],
    [{ gate: { confidence: 1 } }, 'gate.confidence'],
    [{ retrain: { maxPerDay: -1 } }, 'retrain.maxPerDay'],
    [{ retrain: { computeSecondsPerDay: 1.5 } }, 'retrain.computeSecondsPerDay'],
    [
      { deploy: { canary: { percent: 100, minRequests: 1, maxErrorRate: 0, durationSeconds: 1 } } },
      'deploy.canary.percent',
    ],
    [{ commit: { maxItems: 0 } }, 'commit.maxItems'],
    [{ split: { testPercent: 46 } }, 'split.testPercent'],
  ])('%j is refused at %j', (settings, where) => {
    const parsed = projectSettings.safeParse(settings);
    expect(parsed.error?.issues.map((i) => i.path.join('.'))).toEqual([where]);
  });
});
