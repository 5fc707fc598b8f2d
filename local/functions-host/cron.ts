/** NCRONTAB schedules as timer triggers have them: `{second} {minute} {hour} {day} {month} {day of week}`, UTC. */
import { Cron } from 'croner';

/** What a field lists: `*`, a number or a name, or a range of them, then perhaps a step. croner also knows L, W, #, ?, + and @daily. */
const ncrontabItem = /^(\*|(\d+|[a-z]{3,})(-(\d+|[a-z]{3,}))?)(\/\d+)?$/i;
/** Sunday is 0 alone in NCRONTAB: croner takes 7 as well, and the SUN that ends a range. */
const sundayAsSeven = /(^|[,-])0*7(?!\d)|-sun/i;
/** Names may be written out; croner takes three letters. */
const longName = /([a-z]{3})[a-z]+/gi;

/**
 * Parses a schedule, whose `nextRun(after)` is null when it never comes (31 February). Day and day of week must both match
 * (unlike Unix cron); five fields mean second 0. Throws with what is wrong. Intervals (`00:05:00`) are refused, as in
 * Flex Consumption.
 */
export function parseSchedule(text: string): Cron {
  const fields = text.trim().split(/\s+/);
  const refuse = (why: string, cause?: unknown) => new Error(`'${text}' is no NCRONTAB schedule: ${why}`, { cause });
  if (fields.length !== 5 && fields.length !== 6) throw refuse('it needs 6 fields');
  const odd = fields
    .join(',')
    .split(',')
    .find((item) => !ncrontabItem.test(item));
  if (odd !== undefined) throw refuse(`'${odd}' is no number, name, range or step`);
  if (sundayAsSeven.test(fields.at(-1) ?? '')) throw refuse('days of the week are 0 (Sunday) to 6');
  const pattern = fields.join(' ').replaceAll(longName, '$1');
  try {
    // steps may follow a number (`5/20`), which croner calls sloppy
    return new Cron(pattern, { timezone: 'UTC', domAndDow: true, sloppyRanges: true });
  } catch (error) {
    throw refuse((error as Error).message, error);
  }
}
