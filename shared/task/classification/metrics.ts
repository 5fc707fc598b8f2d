/** What a model got right on the test samples, in all and class by class. */

/** Per test sample: class indexes of the truth, the candidate's answer and the champion's (null: no champion). */
export interface Judged {
  truth: number;
  candidate: number;
  champion: number | null;
}

export interface Measured {
  /** 0 where there is no sample */
  accuracy: number;
  samples: number;
  /** of the classes that have test samples */
  recall: Record<string, number>;
  /** rows: truth, columns: prediction, in the order of the classes */
  confusion: number[][];
  /** samples of each class that the model has no answer for (not-a-number), in the order of the classes; missing: none */
  unanswered?: number[];
}

/** What says how many samples of a class there are. */
type Counted = Pick<Measured, 'confusion' | 'unanswered'>;

/** Accuracy, recall per class and confusion matrix of the candidate. */
export function measure(judged: readonly Judged[], classes: readonly string[]): Measured {
  const confusion = classes.map(() => classes.map(() => 0));
  const unanswered = classes.map(() => 0);
  for (const { truth, candidate } of judged) {
    const row = confusion[truth];
    if (row?.[candidate] !== undefined) row[candidate] += 1;
    else if (unanswered[truth] !== undefined) unanswered[truth] += 1;
  }
  const counted: Counted = { confusion, ...(unanswered.some((n) => n > 0) ? { unanswered } : {}) };
  const right = judged.filter((j) => j.truth === j.candidate).length;
  const perClass = recallOf(counted);
  const known = classes.flatMap((name, i): [string, number][] => {
    const recall = perClass[i];
    return recall === null || recall === undefined ? [] : [[name, recall]];
  });
  const accuracy = judged.length === 0 ? 0 : right / judged.length;
  return { accuracy, samples: judged.length, recall: Object.fromEntries(known), ...counted };
}

/** Test samples of each class, in the order of the classes. */
export const supportOf = ({ confusion, unanswered = [] }: Counted): number[] =>
  confusion.map((row, i) => row.reduce((a, b) => a + b, unanswered[i] ?? 0));

/** Recall of each class, in the order of the classes; null for one without a test sample. */
export function recallOf(measured: Counted): (number | null)[] {
  const support = supportOf(measured);
  return measured.confusion.map((row, i) => (support[i] ? (row[i] ?? 0) / support[i] : null));
}
