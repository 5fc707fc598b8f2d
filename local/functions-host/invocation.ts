/** Runs hooks and handlers inside the worker, in the order of the real worker's InvocationHandler. */
import type { App, CoreInvocationContext, LogCategory } from './core-api.ts';
import type { InvocationRequest, LogLevel, ReportedError, TypedData, WorkerLog } from './protocol.ts';

/** Sends a log line to the host. */
export type SendLog = (log: WorkerLog) => void;

interface InvocationLogContext {
  invocationId: string;
  functionName: string;
  hookData: object;
  invocationContext: unknown;
}

/** An Error for whatever was thrown; only `message` and `stack` of it reach the host. */
export function reportError(thrown: unknown): ReportedError {
  if (thrown instanceof Error) return { message: thrown.message, stack: thrown.stack ?? thrown.message };
  const message =
    thrown === undefined || thrown === null
      ? 'Unknown error'
      : typeof thrown === 'object'
        ? JSON.stringify(thrown)
        : String(thrown as string | number | boolean);
  return { message, stack: message };
}

/** The shared part of every hook context: `hookData` and `appHookData` can be read, not replaced. */
function hookContext<T extends object>(app: App, hookData: object, own: T): T {
  const readOnly = (name: string, value: unknown) => ({
    enumerable: true,
    get: () => value,
    set: () => {
      throw new TypeError(`Cannot assign to read only property '${name}'`);
    },
  });
  return Object.defineProperties(own, {
    hookData: readOnly('hookData', hookData),
    appHookData: readOnly('appHookData', app.appHookData),
  });
}

/** Runs the hooks of an app's start or end; a throwing hook rejects. */
export async function runAppHooks(app: App, name: 'appStart' | 'appTerminate', own: object): Promise<void> {
  for (const hook of app.hooks[name]) await hook(hookContext(app, app.appLevelHookData, { ...own }));
}

/**
 * Passes a log line through the app's log hooks and on to the host.
 * Hooks may change user logs only, and a throwing hook loses nothing (WorkerContext.ts of the real worker).
 */
export function logThroughHooks(
  app: App,
  send: SendLog,
  level: LogLevel,
  category: LogCategory,
  message: string,
  invocation?: InvocationLogContext,
): void {
  const line = { level, message };
  try {
    const context = hookContext(app, invocation?.hookData ?? {}, {
      level,
      message,
      category,
      invocationContext: invocation?.invocationContext,
    });
    for (const hook of app.hooks.log) hook(context);
    if (category === 'user') Object.assign(line, { level: context.level, message: context.message });
  } catch {
    // as in the real worker: a hook cannot keep a line from being written
  }
  const { functionName, invocationId } = invocation ?? {};
  send({
    ...line,
    category: functionName ? `Function.${functionName}.${category === 'user' ? 'User' : 'Worker'}` : 'Worker.node',
    ...(functionName && { functionName }),
    ...(invocationId && { invocationId }),
  });
}

/**
 * Invokes one function: arguments, pre hooks, handler, post hooks, response. Resolves with the return value.
 * Rejects with whatever the function threw, except `undefined` and `null`: those count as success, as they do in Azure.
 */
export async function runInvocation(
  app: App,
  request: InvocationRequest,
  send: SendLog,
): Promise<TypedData | undefined> {
  const registered = app.functions.get(request.functionId);
  if (!registered || !app.model) {
    throw new Error(`Function code for '${request.functionId}' is not loaded and cannot be invoked.`);
  }
  const hookData = {};
  const logContext: InvocationLogContext = {
    invocationId: request.invocationId,
    functionName: registered.metadata.name,
    hookData,
    invocationContext: undefined,
  };
  const core: CoreInvocationContext = {
    invocationId: request.invocationId,
    metadata: registered.metadata,
    request,
    state: undefined,
    log: (level, category, message) => logThroughHooks(app, send, level, category, message, logContext),
  };
  const model = await app.model.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  logContext.invocationContext = context;

  const pre = hookContext(app, hookData, {
    invocationContext: context,
    functionCallback: registered.callback,
    inputs,
  });
  core.state = 'preInvocationHooks';
  for (const hook of app.hooks.preInvocation) await hook(pre);

  const post = hookContext(app, hookData, {
    invocationContext: context,
    inputs: pre.inputs,
    result: null as unknown,
    error: null as unknown,
  });
  core.state = 'invocation';
  try {
    post.result = await model.invokeFunction(context, pre.inputs, pre.functionCallback);
  } catch (thrown) {
    post.error = thrown;
  }
  core.state = 'postInvocationHooks';
  for (const hook of app.hooks.postInvocation) await hook(post);
  core.state = undefined;

  if (post.error !== null && post.error !== undefined) {
    // oxlint-disable-next-line typescript/only-throw-error -- passed on as it came; reportError makes an Error of it
    throw post.error;
  }
  return (await model.getResponse(context, post.result)).returnValue ?? undefined;
}
