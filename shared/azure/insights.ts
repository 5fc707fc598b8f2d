/** Telemetry to Application Insights. Loading it costs more than all else of a start, so telemetry.ts does that when it is first used. */
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { context, metrics, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import * as insights from 'applicationinsights';
import { withoutSecrets } from '../secrets.ts';
import { managedIdentity } from './identity.ts';
import type { FlushableTelemetry } from './telemetry.ts';

/**
 * The exporter turns every `http:` ingestion address into `https:`, and then sends nothing without saying so
 * (ConnectionStringParser.sanitizeUrl of @azure/monitor-opentelemetry-exporter). The address is used as it was given.
 */
function asGiven(connectionString: string): PipelinePolicy {
  const plain = /IngestionEndpoint=http:/i.test(connectionString);
  return {
    name: 'ingestion-endpoint-as-given',
    sendRequest(request, next) {
      if (plain) {
        request.url = request.url.replace(/^https:/, 'http:');
        request.allowInsecureConnection = true;
      }
      return next(request);
    },
  };
}

const off = { enabled: false };

function startClient(connectionString: string, authentication: string | undefined): insights.TelemetryClient {
  // the SDK reports on itself to Microsoft, and asks who the machine is, unless told not to
  process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] ??= 'true';
  process.env['APPLICATIONINSIGHTS_STATSBEAT_DISABLED'] ??= 'true';
  process.env['APPLICATIONINSIGHTS_SDKSTATS_DISABLED'] ??= 'true';
  process.env['APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED'] ??= 'true';
  process.env['OTEL_NODE_RESOURCE_DETECTORS'] ??= 'none';
  const client = new insights.TelemetryClient(connectionString);
  const clientId = /ClientId=([^;]+)/i.exec(authentication ?? '')?.[1];
  const byIdentity = /Authorization=AAD/i.test(authentication ?? '');
  client.config.enableAutoCollectExceptions = false;
  client.config.azureMonitorOpenTelemetryOptions = {
    azureMonitorExporterOptions: {
      connectionString,
      ...(byIdentity ? { credential: managedIdentity(clientId) } : {}),
      additionalPolicies: [{ position: 'perRetry', policy: asGiven(connectionString) }],
      disableOfflineStorage: true,
    },
    enableLiveMetrics: false,
    enableStandardMetrics: false,
    enablePerformanceCounters: false,
    // 0 spans a second means: all of them, by the ratio; the default keeps five
    samplingRatio: 1,
    tracesPerSecond: 0,
    // a span per stage tells more than one per call of an SDK, and costs a fiftieth
    instrumentationOptions: {
      ...{ http: off, azureSdk: off, mongoDb: off, mySql: off, postgreSql: off, redis: off, redis4: off },
      ...{ bunyan: off, winston: off, console: off },
    },
  };
  client.initialize();
  return client;
}

/** Texts of others, such as the message of an SDK's error, may quote an address with its signature. */
const told = (properties: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(properties).map(([name, text]) => [name, withoutSecrets(text)]));

/** Connects to Application Insights; nothing is checked, and nothing is sent until there is something to send. */
export function connectInsights(connectionString: string, authentication: string | undefined): FlushableTelemetry {
  const client = startClient(connectionString, authentication);
  const tracer = trace.getTracer('darkroom');
  const meter = metrics.getMeter('darkroom');
  const histograms = {
    'queue-age-seconds': meter.createHistogram('queue-age-seconds', { unit: 's' }),
    'stage-milliseconds': meter.createHistogram('stage-milliseconds', { unit: 'ms' }),
    'score-milliseconds': meter.createHistogram('score-milliseconds', { unit: 'ms' }),
  };
  return {
    span(name, parent, work) {
      const above = parent === undefined ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, { traceparent: parent });
      // the exporter names requests of HTTP alone; others by this attribute
      const options = { kind: SpanKind.CONSUMER, attributes: { 'ai.operation.name': name } };
      return tracer.startActiveSpan(name, options, above, async (span) => {
        const carrier: { traceparent?: string } = {};
        propagation.inject(context.active(), carrier);
        try {
          return await work(carrier.traceparent);
        } catch (error) {
          span.setStatus({
            code: SpanStatusCode.ERROR,
            message: withoutSecrets(error instanceof Error ? error.message : ''),
          });
          throw error;
        } finally {
          span.end();
        }
      });
    },
    stage({ ids, ...record }) {
      client.trackEvent({
        name: 'pipeline.stage',
        properties: told({ ...record, durationMs: String(record.durationMs), ...ids }),
      });
    },
    metric: (name, value, attributes) => histograms[name].record(value, attributes),
    problem(message, attributes) {
      console.warn(withoutSecrets(message));
      client.trackEvent({ name: 'pipeline.problem', properties: told({ message, ...attributes }) });
    },
    flush: () => client.flush(),
  };
}
