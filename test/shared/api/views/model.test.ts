import { expect, test } from 'vitest';
import { modelSummaryView, modelView, toModelSummary, toModelView } from '../../../../shared/api/views/model.ts';
import type { ModelDocument } from '../../../../shared/model/document.ts';

/** As a release wrote it that kept a recall of 0 for a class without a test sample, and compared with no baseline. */
const stored: ModelDocument = {
  ...{
    id: '00000001',
    pk: 'pets',
    number: 1,
    state: 'approved',
    digest: 'd',
    sizeBytes: 1,
    task: 'classification',
    classes: ['cat', 'dog'],
  },
  ...{ image: { width: 8, height: 8, channels: 1 }, run: 't1', version: { id: 'v', number: 1 }, smoke: [] },
  metrics: {
    accuracy: 0.75,
    samples: 4,
    recall: { cat: 0.75, dog: 0 },
    confusion: [
      [3, 1],
      [0, 0],
    ],
  },
  verdict: {
    ...{
      decision: 'approved',
      reasons: [],
      samples: 4,
      accuracy: 0.75,
      interval: { low: 0.2, high: 1 },
      champion: null,
    },
  },
  lineage: { trainer: 'softmax', parameters: {}, seed: 1, code: null },
  ...{ createdAt: '2026-03-01T12:00:00.000Z', decidedBy: 'gate' },
};

test('the recall of a class without a test sample is null, never 0', () => {
  const shown = modelView.parse(toModelView(stored, undefined));
  expect(shown.metrics).toMatchObject({ recall: { cat: 0.75, dog: null }, support: { cat: 4, dog: 0 } });
  expect(shown.verdict).toMatchObject({ baseline: null });
});

test('the accuracy of a model that was judged on nothing is null', () => {
  const metrics = {
    accuracy: 0,
    samples: 0,
    recall: {},
    confusion: [
      [0, 0],
      [0, 0],
    ],
  };
  const verdict = { ...stored.verdict, samples: 0, accuracy: 0 };
  const shown = modelView.parse(toModelView({ ...stored, metrics, verdict }, undefined));
  expect([shown.metrics, shown.verdict]).toMatchObject([{ accuracy: null }, { accuracy: null }]);
});

test('a summary says how many rules passed, failed and could not be judged, and names no class', () => {
  const reasons = ['passed: "cat" is fine', 'failed: "dog" is not', 'noted: "dog" 0', 'passed: 4 test samples'];
  const verdict = { ...stored.verdict, reasons };
  const shown = modelSummaryView.strict().parse(toModelSummary({ ...stored, verdict }, undefined));
  expect(shown).toMatchObject({ version: 1, classCount: 2, metrics: { accuracy: 0.75, samples: 4 } });
  expect(shown.verdict).toEqual({
    ...{ decision: 'approved', samples: 4, accuracy: 0.75 },
    rules: { passed: 2, failed: 1, noted: 1 },
  });
  expect(JSON.stringify(shown)).not.toMatch(/cat|dog/);
});
