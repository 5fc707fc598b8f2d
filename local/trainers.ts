/** Trainers of a person's own, beside those of this repository: `DARKROOM_TRAINERS=name=command;...` of `npm start`. */
import { execFile } from 'node:child_process';
import { trainerName } from '../shared/project/settings.ts';
import {
  builtInDescriptions,
  maxDescriptionBytes,
  type TrainerDescription,
  trainerDescriptions,
} from '../shared/training/trainers.ts';

/** A program that loads PyTorch takes seconds to say anything. */
const describeTimeoutMs = 20_000;

/** Reads `name=command;...`; a command is one line for `/bin/sh`, without `;`. Throws an Error that says what is wrong. */
export function readOwnTrainers(text: string): Map<string, string> {
  const trainers = new Map<string, string>();
  for (const part of text.split(';').map((one) => one.trim())) {
    if (part === '') continue;
    const [, name = '', command = ''] = /^([^=]*)=(.*)$/s.exec(part) ?? [];
    if (!trainerName.safeParse(name.trim()).success || command.trim() === '')
      throw new Error(
        `"${part.slice(0, 100)}" is not name=command, the name of a-z, 0-9 and -, beginning with a letter`,
      );
    if (trainers.has(name.trim())) throw new Error(`the trainer "${name.trim()}" is there twice`);
    trainers.set(name.trim(), command.trim());
  }
  return trainers;
}

/** What a program prints when it is run with `--describe`; undefined when it fails, or takes too long. */
function described(command: string, cwd: string): Promise<string | undefined> {
  const options = { cwd, timeout: describeTimeoutMs, killSignal: 'SIGKILL', maxBuffer: maxDescriptionBytes } as const;
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', `${command} --describe`], options, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    ).stdin?.end();
  });
}

/**
 * What is known of own trainers: the schema that each prints, or its name alone where it prints none. Throws an Error
 * where what one prints is no description.
 */
async function describe(name: string, command: string, cwd: string): Promise<TrainerDescription> {
  const text = await described(command, cwd);
  if (text === undefined) return { name };
  try {
    const { trainers } = trainerDescriptions.parse(JSON.parse(text));
    const one = trainers.find((trainer) => trainer.name === name) ?? trainers[0];
    return { ...one, name };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `What the trainer "${name}" prints with --describe cannot be used: ${why}. docs/trainers.md shows what it may print; one that knows no --describe has to fail with it.`,
      { cause: error },
    );
  }
}

/**
 * The training job of a platform with these trainers beside the built-in ones, and the setting by which its app knows them.
 * `cwd` is where commands run.
 */
export async function trainingJob(own: ReadonlyMap<string, string>, cwd: string) {
  const program = own.size === 0 ? 'trainers/embedded/main.ts' : 'local/own-trainer.ts';
  const commands = [...own].map(([name, command]) => `${name}=${command}`).join(';');
  return {
    jobCommand: [process.execPath, program],
    jobEnvironment: { DARKROOM_TRAINERS: commands },
    extraSettings: { TRAINERS: await describeAll(own, cwd) },
  };
}

async function describeAll(own: ReadonlyMap<string, string>, cwd: string): Promise<string> {
  if (own.size === 0) return 'built-in';
  const theirs = await Promise.all([...own].map(([name, command]) => describe(name, command, cwd)));
  const others = builtInDescriptions.filter(({ name }) => !own.has(name));
  // JSON without an apostrophe, so that it can stand between two in a file of settings
  return JSON.stringify({ trainers: [...others, ...theirs] }).replaceAll("'", String.raw`\u0027`);
}
