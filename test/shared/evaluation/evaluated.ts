/** A run whose training succeeded, in a small world where models are words: what they answer is said by the test. */
import { createHash } from 'node:crypto';
import { deploy } from '../../../functions/deploy.ts';
import type { DeployPorts } from '../../../shared/endpoint/deploy.ts';
import { evaluate, type EvaluatePorts } from '../../../shared/evaluation/evaluate.ts';
import { storedName } from '../../../shared/sample/content.ts';
import { compose } from '../../../shared/delivery/compose.ts';
import type { queueMessages, runTrained } from '../../../shared/delivery/message.ts';
import type { ProjectSettingsInput } from '../../../shared/project/settings.ts';
import type * as z from 'zod';
import { labelOf, sample } from '../dataset/samples.ts';
import { answerOf } from '../task/classification/answers.ts';
import { cause, name, succeeded, trainable } from './trainable.ts';

type RunTrained = z.infer<typeof runTrained>;
type Deployments = z.infer<(typeof queueMessages)['deployments']>;

export const digestOfModel = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Makes a project in which `train` leaves models behind. Samples are their own label; a model answers `answer(label)`. */
export async function evaluated(settings: ProjectSettingsInput = {}) {
  const project = await trainable({ retrain: { minNewSamples: 1 }, ...settings });
  const { world } = project;
  for (let n = 0; n < 60; n++) {
    const record = sample(n);
    await world.ports.blobs.create('datasets', storedName(name, record.md5), labelOf(record));
  }
  const answers = new Map<string, (label: number) => number>();
  const ports: EvaluatePorts & DeployPorts = {
    ...world.ports,
    toTensor: (bytes) => Promise.resolve(Float32Array.of(Number(bytes.toString()))),
    async infer(digest, load, tensors) {
      await load();
      const answer = answers.get(digest);
      if (answer === undefined) throw new Error('this model cannot be run');
      return tensors.map(([label = 0]) => {
        const at = answer(label);
        return answerOf(Array.from({ length: 10 }, (_, i) => (i === at ? 0.91 : 0.01)));
      });
    },
    validate: () => Promise.resolve({ ok: true, metadata: {} }),
  };
  let trained = 0;
  return {
    ...project,
    ports,
    answers,
    /** trains a model that answers like this (undefined: it cannot be run); returns the message that it is trained */
    train: async (answer: ((label: number) => number) | undefined, given?: string): Promise<RunTrained> => {
      const text = given ?? `model ${trained}`;
      if (answer !== undefined) answers.set(digestOfModel(text), answer);
      const { run } = await project.ask({ id: `ask-${++trained}` });
      await project.work();
      const token = (await project.run(run)).token ?? '';
      await world.ports.blobs.create('jobs', `${name}/${run}/${token}/model.onnx`, text);
      await project.report(run, token, { ...succeeded, sequence: 1 });
      const found = world.sent.findIndex((s) => s.queue === 'evaluations');
      const [sent] = world.sent.splice(found, 1);
      return (sent?.message ?? compose('darkroom.run.trained', '', { project: name, run }, cause)) as RunTrained;
    },
    evaluate: (message: RunTrained) => evaluate(ports, message),
    /** hands over what is for the deployment stage and due */
    deployAll: async (): Promise<string[]> => {
      const outcomes: string[] = [];
      for (let i = 0; i < 50; i++) {
        const next = world.take({ queue: 'deployments', until: world.ports.clock.now().getTime() });
        if (next === undefined) break;
        outcomes.push((await deploy(ports, next.message as Deployments)).outcome);
      }
      return outcomes;
    },
    deploy: (message: Deployments) => deploy(ports, message),
    endpoint: () => world.read('endpoints', name, 'endpoint'),
  };
}

export const right = (label: number): number => label;
export const wrong = (label: number): number => (label + 1) % 10;
