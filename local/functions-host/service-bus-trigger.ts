/** Receives messages for one function: peek-lock, complete on success, abandon on failure. */
import type { HostConfig } from './host-config.ts';
import type { Invoke, Log } from './invoker.ts';
import { openQueueReceiver, type QueueReceiver } from './queue-receiver.ts';
import type { RegisteredFunction, ServiceBusTrigger } from './registered-function.ts';
import { fromMessage } from './service-bus-message.ts';
import { expandSettings, serviceBusConnection } from './settings.ts';

const firstPauseMs = 500;
const longestPauseMs = 5000;
/** the same receive error is logged at most this often */
const errorLogIntervalMs = 10_000;

export interface RunningTrigger {
  /** takes no more work; what runs goes on */
  stop(): Promise<void>;
  /** stops, waits for the messages in work, frees connections */
  close(): Promise<void>;
}

interface Options {
  function: RegisteredFunction<ServiceBusTrigger>;
  config: HostConfig['serviceBus'];
  settings: Record<string, string>;
  invoke: Invoke;
  log: Log;
}

/** Runs the function for a message and settles it. Never rejects. */
function messageHandler({
  function: target,
  config,
  invoke,
  log,
}: Options): Parameters<typeof openQueueReceiver>[0]['handle'] {
  const { name, trigger } = target;
  const autoComplete = trigger.autoCompleteMessages ?? config.autoComplete;
  return async (message, settler) => {
    let succeeded = false;
    try {
      await invoke(target, fromMessage(message, trigger.dataType));
      succeeded = true;
    } catch {
      // logged by invoke; the message goes back to the queue
    }
    if (!autoComplete) return;
    try {
      await (succeeded ? settler.completeMessage() : settler.abandonMessage());
    } catch (error) {
      // The lock is lost: the message comes again, whatever this invocation did.
      const what = succeeded ? 'complete' : 'abandon';
      log('warning', `cannot ${what} message ${String(message.messageId)}: ${(error as Error).message}`, name);
    }
  };
}

/**
 * Starts receiving for a function; throws when a setting is missing. A queue that is not there or a broker that is away is
 * logged and tried again, every time with a fresh connection: the SDK's own recovery was seen to hang when the connection
 * broke while a link was closing.
 */
export function startServiceBusTrigger(options: Options): RunningTrigger {
  const { config, log } = options;
  const { name, trigger } = options.function;
  const queueName = expandSettings(trigger.queueName, options.settings);
  const connection = serviceBusConnection(trigger.connection, options.settings);
  const handle = messageHandler(options);
  const open = new Set<QueueReceiver>();
  let current: QueueReceiver | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let pauseMs = firstPauseMs;
  let lastLog = { message: '', at: 0 };

  const logError = (error: Error, isLinkError: boolean) => {
    const message = `${isLinkError ? `receiving from '${queueName}'` : `renewing a lock of '${queueName}'`}: ${error.message}`;
    const now = performance.now();
    if (message === lastLog.message && now - lastLog.at < errorLogIntervalMs) return;
    lastLog = { message, at: now };
    // a lock that is lost is no fault of the link: the message comes again
    log(isLinkError ? 'error' : 'warning', message, name);
  };

  const start = () => {
    const receiver = openQueueReceiver({
      connection,
      queueName,
      maxConcurrentCalls: config.maxConcurrentCalls,
      maxAutoLockRenewalMs: config.maxAutoLockRenewalMs,
      handle(message, settler) {
        pauseMs = firstPauseMs;
        return handle(message, settler);
      },
      onError(error, isLinkError) {
        if (stopped || current !== receiver) return;
        logError(error, isLinkError);
        if (!isLinkError) return;
        current = undefined;
        void receiver.close().then(() => open.delete(receiver));
        timer = setTimeout(start, pauseMs);
        pauseMs = Math.min(longestPauseMs, pauseMs * 2);
      },
    });
    open.add(receiver);
    current = receiver;
  };

  start();
  const stop = async () => {
    stopped = true;
    clearTimeout(timer);
    await current?.stop();
  };
  return {
    stop,
    async close() {
      await stop();
      await Promise.all([...open].map((receiver) => receiver.close()));
    },
  };
}
