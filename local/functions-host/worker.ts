/** The worker process: holds the app, runs its functions, dies with its host. Started by worker-process.ts only. */
import { pathToFileURL } from 'node:url';
import { emptyApp, provideCoreModule } from './core-api.ts';
import { logThroughHooks, reportError, runAppHooks, runInvocation } from './invocation.ts';
import type { HostMessage, InvocationRequest, ReportedFunction, WorkerLog, WorkerMessage } from './protocol.ts';

/** Application Insights cuts messages here; a longer line would only fill the pipe. */
const maxLogCharacters = 32_768;
/** how long a dying worker tries to get its last line out */
const lastWordsMs = 500;

const app = emptyApp();

function send(message: WorkerMessage, sent?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => sent?.());
}

function sendLog(log: WorkerLog, sent?: () => void): void {
  send({ type: 'log', log: { ...log, message: log.message.slice(0, maxLogCharacters) } }, sent);
}

/** In Azure the worker starts as a placeholder: only now do environment and directory become the app's. */
function specialize(appRoot: string, env: Record<string, string>): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.chdir(appRoot);
}

async function start(message: Extract<HostMessage, { type: 'start' }>): Promise<void> {
  try {
    specialize(message.appRoot, message.env);
    provideCoreModule(app, (level, category, text) => logThroughHooks(app, sendLog, level, category, text));
    await import(pathToFileURL(message.entry).href);
    await runAppHooks(app, 'appStart', { functionAppDirectory: message.appRoot });
    const capabilities = (await app.model?.getCapabilities({ RawHttpBodyBytes: 'true' })) ?? {};
    app.locked = true;
    const functions: ReportedFunction[] = [...app.functions.values()].map(({ metadata }) => ({
      name: metadata.name,
      rawBindings: Object.entries(metadata.bindings).map(([name, binding]) => JSON.stringify({ ...binding, name })),
    }));
    send({ type: 'started', functions, ...(capabilities['HttpUri'] && { httpUri: capabilities['HttpUri'] }) });
  } catch (thrown) {
    send({ type: 'startFailed', error: reportError(thrown), registered: app.functions.size });
  }
}

async function invoke(request: InvocationRequest): Promise<void> {
  const { invocationId } = request;
  try {
    const returnValue = await runInvocation(app, request, sendLog);
    // Return values of other triggers go nowhere: do not carry them through the pipe.
    send({ type: 'succeeded', invocationId, ...(returnValue?.http && { returnValue }) });
  } catch (thrown) {
    send({ type: 'failed', invocationId, error: reportError(thrown) });
  }
}

async function terminate(): Promise<void> {
  try {
    await runAppHooks(app, 'appTerminate', {});
  } catch (thrown) {
    sendLog({ level: 'error', category: 'Worker.node', message: `appTerminate hook: ${reportError(thrown).stack}` });
  }
  process.exit(0);
}

process.on('message', (message: HostMessage) => {
  switch (message.type) {
    case 'start':
      void start(message);
      break;
    case 'invoke':
      void invoke(message.request);
      break;
    case 'terminate':
      void terminate();
      break;
  }
});

// An unhandled rejection arrives here too. The real worker ends, and so every invocation in flight fails.
process.on('uncaughtException', (error) => {
  setTimeout(() => process.exit(1), lastWordsMs);
  const message = `Worker uncaught exception: ${reportError(error).stack}`;
  sendLog({ level: 'error', category: 'Worker.node', message }, () => process.exit(1));
});

process.on('disconnect', () => process.exit(0));
