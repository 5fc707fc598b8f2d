import type { Case } from './case.ts';
import { endingCases } from './cases/ending.ts';
import { machineCases } from './cases/machine.ts';
import { pictureCases } from './cases/pictures.ts';
import { storageCases } from './cases/storage.ts';
import { wholeCases } from './cases/whole.ts';

/** Everything that is tried of a trainer. */
export const cases: Case[] = [...wholeCases, ...endingCases, ...storageCases, ...pictureCases, ...machineCases];
