/** Scoring pictures that no model has seen. */
import type * as z from 'zod';
import { scoreView } from '../../shared/api/schemas.ts';
import { inBatches } from '../../shared/parallel.ts';
import type { Client } from './client.ts';
import type { Narrator } from './narrator.ts';
import type { Picture } from './pictures.ts';

const scoresAtOnce = 8;

export interface Scored {
  picture: Picture;
  answer: z.infer<typeof scoreView>;
}

/** Scores pictures through `POST /score`, in order. */
export async function score(
  client: Client,
  narrator: Narrator,
  project: string,
  pictures: Picture[],
): Promise<Scored[]> {
  let done = 0;
  return inBatches(pictures, scoresAtOnce, async (picture) => {
    const bytes = await picture.bytes();
    const answer = await client.sendBytes(`/projects/${project}/score`, bytes, picture.contentType, scoreView);
    narrator.progress('scoring', (done += 1), pictures.length);
    return { picture, answer };
  });
}

/** Share of the pictures whose label was given, 0 to 1. */
export function accuracyOf(scored: Scored[]): number {
  if (scored.length === 0) return 0;
  return scored.filter(({ picture, answer }) => answer.class === picture.label).length / scored.length;
}

/** Throws unless every answer came from this model. */
export function mustComeFrom(scored: Scored[], model: number): void {
  const others = [...new Set(scored.map(({ answer }) => answer.model.version))].filter((version) => version !== model);
  if (others.length > 0) {
    throw new Error(`Expected every score to come from model ${model}; seen: scores from model ${others.join(', ')}`);
  }
}
