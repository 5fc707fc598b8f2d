/** The workbook: one page over the queries of infra/queries. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface Panel {
  title: string;
  /** file in infra/queries */
  query: string;
  as: 'table' | 'timechart' | 'barchart';
}

export const panels: Panel[] = [
  { title: 'What became of uploads', query: 'uploads', as: 'barchart' },
  { title: 'Stages', query: 'stages', as: 'table' },
  { title: 'What failed, and why', query: 'problems', as: 'table' },
  { title: 'Longest wait in each queue, in seconds', query: 'queue-ages', as: 'timechart' },
  { title: 'Trainings', query: 'trainings', as: 'table' },
  { title: 'Models: verdicts of the gate and deployments', query: 'models', as: 'table' },
  { title: 'Scoring', query: 'scoring', as: 'table' },
  { title: 'Time and what it costs', query: 'costs', as: 'table' },
];

const hour = 3_600_000;
const ranges = [1, 4, 24, 7 * 24, 30 * 24].map((hours) => ({ durationMs: hours * hour }));

const application = 'microsoft.insights/components';

const parameters = {
  type: 9,
  name: 'parameters',
  content: {
    version: 'KqlParameterItem/1.0',
    style: 'pills',
    queryType: 0,
    resourceType: application,
    parameters: [
      {
        id: '6a7cb1b6-4f0e-4c1f-9a2f-1d0c9b0a7e01',
        version: 'KqlParameterItem/1.0',
        name: 'TimeRange',
        label: 'Time range',
        type: 4,
        isRequired: true,
        value: { durationMs: 24 * hour },
        typeSettings: { selectableValues: ranges, allowCustom: true },
      },
      {
        id: '6a7cb1b6-4f0e-4c1f-9a2f-1d0c9b0a7e02',
        version: 'KqlParameterItem/1.0',
        name: 'Project',
        type: 1,
        description: 'name of a project, or * for all',
        isRequired: true,
        value: '*',
      },
    ],
  },
};

const panel = ({ title, query, as }: Panel) => ({
  type: 3,
  name: query,
  content: {
    version: 'KqlItem/1.0',
    query: readFileSync(path.join(import.meta.dirname, 'queries', `${query}.kql`), 'utf8'),
    size: 0,
    title,
    timeContextFromParameter: 'TimeRange',
    queryType: 0,
    resourceType: application,
    visualization: as,
  },
});

/** Contents of infra/workbook.json. `{insightsId}` and prices are put in by modules/workbook.bicep. */
export function workbook(): string {
  const items = [parameters, ...panels.map(panel)];
  const body = {
    version: 'Notebook/1.0',
    items,
    fallbackResourceIds: ['{insightsId}'],
    $schema: 'https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json',
  };
  return `${JSON.stringify(body, undefined, 2)}\n`;
}
