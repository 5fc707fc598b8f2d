/** Whether a model may be registered: read first, then tried where it can hurt nobody. */
import path from 'node:path';
import { type ProbeLimits, probeModel } from './probe.ts';
import type { ModelEnds } from './ends.ts';
import { validateModel } from './validate.ts';

type Checked = { ok: true; metadata: Record<string, string> } | { ok: false; reason: string; detail: string };

/** The probe lies beside this file: as a source beside the source, as a bundle beside the bundle. */
const probeEntry = path.join(import.meta.dirname, `probe-child${path.extname(import.meta.filename)}`);

const advice = {
  refused: 'Export it again and try it with onnxruntime before it is uploaded.',
  crashed: 'It ended the process that loaded it; nothing was registered.',
  timeout: 'A model must load and score one image, and as many as are scored at once, in that time: make it smaller.',
  memory: 'A model must load and score as many images as are scored at once within that: make it smaller.',
} as const;

/**
 * A check of untrusted models: `validateModel`, then `probeModel` in a child process. One model is tried at a time,
 * since each may use up to the limits. Resolves within the time limit per model that waits; rejects, to be asked again,
 * when no process could be started. `metadata`: the file's `metadata_props`.
 */
export function createModelCheck(limits: ProbeLimits): (bytes: Uint8Array, ends: ModelEnds) => Promise<Checked> {
  let last: Promise<unknown> = Promise.resolve();
  return async (bytes, ends) => {
    const valid = validateModel(bytes, ends);
    if (!valid.ok) return { ...valid, detail: `${valid.detail}. docs/models.md lists what a model may be made of.` };
    const probed = last.then(() => probeModel(bytes, ends, probeEntry, limits));
    // one that fails must not keep the next from being tried
    last = probed.catch(() => undefined);
    const result = await probed;
    if (result.ok) return { ok: true, metadata: valid.metadata };
    const { reason, detail } = result;
    if (reason === 'not-started') throw new Error(`No process could be started to try a model: ${detail}`);
    if (reason in advice) {
      const next = advice[reason as keyof typeof advice];
      return { ok: false, reason: `does-not-run-${reason}`, detail: `${detail}. ${next}` };
    }
    return { ok: false, reason, detail: `${detail}. docs/models.md says what a model has to answer.` };
  };
}
