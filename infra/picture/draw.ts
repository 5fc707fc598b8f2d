/** Panels as one SVG in two columns. */
import type { Answer } from './answers.ts';

export interface Drawn {
  title: string;
  answer: Answer;
}

const width = 1120;
const gap = 16;
const panelWidth = (width - 3 * gap) / 2;
const panelHeight = 236;
const inner = { left: 14, top: 44, width: panelWidth - 28, height: panelHeight - 58 };
const rowHeight = 20;
const colours = ['#2563eb', '#d97706', '#059669', '#dc2626', '#7c3aed', '#0891b2', '#be185d'];

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const text = (x: number, y: number, body: string, more = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(body)}</text>`;
const short = (body: string, characters: number): string =>
  body.length <= characters ? body : `${body.slice(0, characters - 1)}…`;

function drawTable({ columns, rows }: Extract<Answer, { kind: 'table' }>): string {
  if (rows.length === 0) return text(inner.left, inner.top + 16, 'no rows', 'fill="#64748b"');
  // columns as wide as what is in them
  const longest = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)) + 2);
  const unit = inner.width / longest.reduce((a, b) => a + b, 0);
  const startOf = (column: number): number => inner.left + unit * longest.slice(0, column).reduce((a, b) => a + b, 0);
  const most = (column: number): number => Math.floor(((longest[column] ?? 0) * unit) / 6.6);
  const cells = (row: string[], y: number, more: string): string =>
    row.map((cell, i) => text(startOf(i), y, short(cell, most(i)), more)).join('');
  const head = cells(columns, inner.top + 10, 'fill="#64748b"');
  return head + rows.map((row, i) => cells(row, inner.top + 10 + rowHeight * (i + 1), 'fill="#0f172a"')).join('');
}

function drawBars({ bars }: Extract<Answer, { kind: 'bars' }>): string {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return bars
    .map(({ name, value }, i) => {
      const y = inner.top + i * 28;
      const long = Math.max(2, ((inner.width - 170) * value) / most);
      return `${text(inner.left, y + 14, name, 'fill="#0f172a"')}<rect x="${inner.left + 110}" y="${y + 2}" width="${long.toFixed(1)}" height="16" rx="3" fill="${colours[i % colours.length]}"/>${text(inner.left + 116 + long, y + 14, String(value), 'fill="#0f172a"')}`;
    })
    .join('');
}

function drawLines({ lines }: Extract<Answer, { kind: 'lines' }>): string {
  const all = lines.flatMap(({ points }) => points);
  const [from, to] = [Math.min(...all.map(({ at }) => at)), Math.max(...all.map(({ at }) => at))];
  const most = Math.max(0.001, ...all.map(({ value }) => value));
  const chart = { width: inner.width - 150, height: inner.height - 8 };
  const x = (at: number): number => inner.left + (to === from ? 0 : ((at - from) / (to - from)) * chart.width);
  const y = (value: number): number => inner.top + chart.height * (1 - value / most);
  const axis = `<path d="M${inner.left} ${inner.top}V${inner.top + chart.height}H${inner.left + chart.width}" fill="none" stroke="#cbd5e1"/>${text(inner.left + 4, inner.top + 4, `${most.toFixed(1)} s`, 'fill="#64748b"')}`;
  const drawn = lines.map(({ name, points }, i) => {
    const colour = colours[i % colours.length];
    const marks = points
      .map(({ at, value }) => `<circle cx="${x(at).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${colour}"/>`)
      .join('');
    const way = points.map(({ at, value }) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('L');
    return `<path d="M${way}" fill="none" stroke="${colour}" stroke-width="1.5"/>${marks}${text(inner.left + chart.width + 14, inner.top + 12 + i * 18, name, `fill="${colour}"`)}`;
  });
  return axis + drawn.join('');
}

function body(answer: Answer): string {
  if (answer.kind === 'table') return drawTable(answer);
  return answer.kind === 'bars' ? drawBars(answer) : drawLines(answer);
}

/** The whole page. */
export function draw(title: string, panels: Drawn[]): string {
  const top = 52;
  const height = top + Math.ceil(panels.length / 2) * (panelHeight + gap);
  const drawn = panels.map((panel, i) => {
    const [x, y] = [gap + (i % 2) * (panelWidth + gap), top + Math.floor(i / 2) * (panelHeight + gap)];
    return `<g transform="translate(${x} ${y})"><rect width="${panelWidth}" height="${panelHeight}" rx="6" fill="#fff" stroke="#e2e8f0"/>${text(inner.left, 24, panel.title, 'font-weight="600" font-size="14" fill="#0f172a"')}${body(panel.answer)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="12" role="img" aria-label="${escaped(title)}">
<rect width="${width}" height="${height}" fill="#f8fafc"/>
${text(gap, 33, title, 'font-size="18" font-weight="600" fill="#0f172a"')}
${drawn.join('\n')}
</svg>
`;
}
