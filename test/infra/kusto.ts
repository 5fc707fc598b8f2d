/** Kusto's own language service, bound to the tables of Application Insights: a query that names no such column fails. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** What is used of the language service, which is C# turned into JavaScript by Bridge and sets globals. */
interface Kusto {
  Language: {
    GlobalState: { Default: { WithDatabase(database: object): object } };
    KustoCode: { ParseAndAnalyze(text: string, globals: object): { GetDiagnostics(): object } };
    Symbols: {
      DatabaseSymbol: { ctor: new (name: string, members: object[]) => object };
      TableSymbol: { $ctor7: new (name: string, schema: string, description: string | null) => object };
    };
  };
}
interface Diagnostic {
  Message: string;
  Start: number;
}

const common = `timestamp: datetime, itemId: string, itemType: string, customDimensions: dynamic, operation_Name: string,
  operation_Id: string, operation_ParentId: string, cloud_RoleName: string, cloud_RoleInstance: string, appId: string,
  itemCount: int`;
/** https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete: the tables that the code writes to */
const tables: Record<string, string> = {
  customEvents: `(${common}, name: string, customMeasurements: dynamic)`,
  customMetrics: `(${common}, name: string, value: real, valueCount: int, valueSum: real, valueMin: real, valueMax: real, valueStdDev: real)`,
  requests: `(${common}, id: string, source: string, name: string, url: string, success: string, resultCode: string, duration: real, performanceBucket: string, customMeasurements: dynamic)`,
  traces: `(${common}, message: string, severityLevel: int, customMeasurements: dynamic)`,
};

const require = createRequire(import.meta.url);
interface Loaded {
  Kusto: Kusto;
  Bridge: { toArray(list: object): Diagnostic[] };
}
let globals: object | undefined;

function load(): Loaded & { globals: object } {
  require('@kusto/language-service-next/bridge.min.js');
  require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
  const { Kusto, Bridge } = globalThis as unknown as Loaded;
  const { DatabaseSymbol, TableSymbol } = Kusto.Language.Symbols;
  const members = Object.entries(tables).map(([name, schema]) => new TableSymbol.$ctor7(name, schema, null));
  globals ??= Kusto.Language.GlobalState.Default.WithDatabase(new DatabaseSymbol.ctor('insights', members));
  return { Kusto, Bridge, globals };
}

/** What the language service objects to in a query, with line numbers; nothing: every table, column and function exists. */
export function diagnose(query: string): string[] {
  const { Kusto, Bridge, globals } = load();
  const found = Kusto.Language.KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  return Bridge.toArray(found).map(
    ({ Message, Start }) => `line ${query.slice(0, Start).split('\n').length}: ${Message}`,
  );
}

/** Custom dimensions that a query reads. */
export function dimensionsOf(query: string): string[] {
  const found = query.matchAll(/customDimensions(?:\.(\w+)|\["(\w+)"\])/g);
  return [...new Set([...found].map(([, plain, quoted]) => plain ?? quoted ?? ''))];
}

const folder = path.join(import.meta.dirname, '..', '..', 'infra', 'queries');

/** The queries of infra/queries by file name, as they are kept. */
export function keptQueries(): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.kql'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}
