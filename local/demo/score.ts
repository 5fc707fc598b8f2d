/** Scoring pictures that no model has seen. */
import pMap from 'p-map';
import { type Client, Refused } from '../../client/client.ts';
import { score as scoreImage, type Score } from '../../client/endpoint.ts';
import type { Narrator } from './narrator.ts';
import type { Picture } from './pictures.ts';

const scoresAtOnce = 8;

export interface Scored {
  picture: Picture;
  answer: Score;
}

/** Scores pictures through `POST /score`, in order. What cannot be read as an image is told and left out. */
export async function score(
  client: Client,
  narrator: Narrator,
  project: string,
  pictures: Picture[],
): Promise<Scored[]> {
  let done = 0;
  const scored = await pMap(
    pictures,
    async (picture): Promise<Scored | undefined> => {
      const bytes = await picture.bytes();
      try {
        const answer = await scoreImage(client, project, bytes, picture.contentType);
        narrator.progress('scoring', (done += 1), pictures.length);
        return { picture, answer };
      } catch (error) {
        if (!(error instanceof Refused) || (error.status !== 400 && error.status !== 415)) throw error;
        narrator.say(`${picture.label}/${picture.name} is left out: ${error.message}`);
        return undefined;
      }
    },
    { concurrency: scoresAtOnce },
  );
  const answered = scored.filter((one) => one !== undefined);
  if (answered.length === 0) throw new Error(`Expected scores of ${pictures.length} images; seen: none`);
  return answered;
}

/** Share of the pictures whose label was given, 0 to 1. */
export function accuracyOf(scored: Scored[]): number {
  if (scored.length === 0) return 0;
  return (
    scored.filter(({ picture, answer }) => 'class' in answer && answer.class === picture.label).length / scored.length
  );
}

/** Throws unless every answer came from this model. */
export function mustComeFrom(scored: Scored[], model: number): void {
  const others = [...new Set(scored.map(({ answer }) => answer.model.version))].filter((version) => version !== model);
  if (others.length > 0) {
    throw new Error(`Expected every score to come from model ${model}; seen: scores from model ${others.join(', ')}`);
  }
}
