/**
 * NCRONTAB schedules as timer triggers have them: `{second} {minute} {hour} {day} {month} {day of week}`, UTC.
 * Day and day of week must both match (unlike Unix cron). Five fields mean second 0, as in Azure.
 */

interface Field {
  name: string;
  min: number;
  max: number;
  words?: string[];
}

const fields: Field[] = [
  { name: 'second', min: 0, max: 59 },
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    words: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  { name: 'day of week', min: 0, max: 6, words: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
];

/** Sorted values each field admits, in the order second, minute, hour, day, month, day of week. */
export type Schedule = number[][];

/** 29 February on a given day of week comes back after 28 years at most (40 across 2100). */
const searchDays = 41 * 366;

function parseValue(field: Field, text: string): number {
  const word = field.words?.findIndex((name) => text.toUpperCase().startsWith(name)) ?? -1;
  const value = word >= 0 ? word + field.min : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= field.min && value <= field.max)) throw new Error(`'${text}' is no valid ${field.name}`);
  return value;
}

function parseField(field: Field, text: string): number[] {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/');
    const step = stepText === undefined ? 1 : /^\d+$/.test(stepText) ? Number(stepText) : 0;
    if (more.length > 0 || step < 1) throw new Error(`'${part}' is no valid ${field.name}`);
    let from = field.min;
    let to = field.max;
    if (range !== '*') {
      const [first = '', last, ...rest] = range.split('-');
      if (rest.length > 0) throw new Error(`'${part}' is no valid ${field.name}`);
      from = parseValue(field, first);
      if (last !== undefined) to = parseValue(field, last);
      else if (stepText === undefined) to = from;
      if (to < from) throw new Error(`'${part}' runs backwards`);
    }
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

/** Parses a schedule; throws with the field at fault. Intervals (`00:05:00`) are refused, as in Flex Consumption. */
export function parseSchedule(text: string): Schedule {
  const parts = text.trim().split(/\s+/);
  if (parts.length === 5) parts.unshift('0');
  if (parts.length !== 6) throw new Error(`'${text}' is no NCRONTAB schedule: it needs 6 fields`);
  try {
    return fields.map((field, index) => parseField(field, parts[index] ?? ''));
  } catch (error) {
    throw new Error(`'${text}' is no NCRONTAB schedule: ${(error as Error).message}`, { cause: error });
  }
}

function nextTimeOfDay(schedule: Schedule, afterSecond: number): number | undefined {
  const [seconds = [], minutes = [], hours = []] = schedule;
  for (const hour of hours) {
    if (hour * 3600 + 3599 <= afterSecond) continue;
    for (const minute of minutes) {
      const start = hour * 3600 + minute * 60;
      const second = seconds.find((value) => start + value > afterSecond);
      if (second !== undefined) return start + second;
    }
  }
  return undefined;
}

/** The first moment of the schedule after `after`; undefined when it never comes (31 February). */
export function nextOccurrence(schedule: Schedule, after: Date): Date | undefined {
  const [, , , days = [], months = [], weekDays = []] = schedule;
  let midnight = Date.UTC(after.getUTCFullYear(), after.getUTCMonth(), after.getUTCDate());
  let afterSecond = Math.floor((after.getTime() - midnight) / 1000);
  for (let day = 0; day < searchDays; day++) {
    const date = new Date(midnight);
    const matches =
      days.includes(date.getUTCDate()) &&
      months.includes(date.getUTCMonth() + 1) &&
      weekDays.includes(date.getUTCDay());
    const second = matches ? nextTimeOfDay(schedule, afterSecond) : undefined;
    if (second !== undefined) return new Date(midnight + second * 1000);
    midnight += 86_400_000;
    afterSecond = -1;
  }
  return undefined;
}
