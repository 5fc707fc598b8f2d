/** Plain text tables. */

type Cell = string | number;

/** a number with its decimals, perhaps in percent; digests, which may be all digits, have no point */
const decimal = /^\d+\.\d+( %)?$/;
const isNumber = (cell: Cell | undefined): boolean => typeof cell === 'number' || decimal.test(cell ?? '');

/** Lays out rows under their titles; columns of numbers stand right. Returns lines. */
export function table(titles: string[], rows: Cell[][]): string[] {
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => String(row[i] ?? '').length)));
  const line = (cells: Cell[], isTitle: boolean): string =>
    widths
      .map((width, i) => {
        const right = rows.length > 0 && rows.every((row) => isNumber(row[i]));
        const text = String(cells[i] ?? '');
        return right ? text.padStart(width) : isTitle || i < widths.length - 1 ? text.padEnd(width) : text;
      })
      .join('  ')
      .trimEnd();
  return [
    line(titles, true),
    line(
      widths.map((width) => '-'.repeat(width)),
      true,
    ),
    ...rows.map((row) => line(row, false)),
  ];
}
