/** Services behind the adapters of shared/azure as a subject: those of local/, or an account that settings name. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import {
  isServiceBusError,
  ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from '@azure/service-bus';
import { connect } from '../../shared/azure/connect.ts';
import { signedIn } from '../../shared/azure/person.ts';
import { type Config, readConfig } from '../../shared/config.ts';
import { queues } from '../../shared/resources.ts';
import { startServices } from '../services.ts';
import type { QueuePath, Received, Subject } from './subject.ts';

const localLockSeconds = 1;
/** a job that runs as long as `SLEEP_MS` says and ends with `EXIT_CODE` */
const job = 'setTimeout(() => process.exit(Number(process.env.EXIT_CODE ?? 0)), Number(process.env.SLEEP_MS ?? 0))';

/** Starts the local services, and connects as handlers do. */
export async function openLocal(): Promise<Subject> {
  const services = await startServices({ jobCommand: [process.execPath, '-e', job], lockSeconds: localLockSeconds });
  const subject = openServices(readConfig(services.platform.settings), localLockSeconds);
  return {
    ...subject,
    async close() {
      await subject.close();
      await services.close();
    },
  };
}

/**
 * Connects to what a file of settings names: with its keys, or as whoever is signed in with azd or the Azure CLI.
 * Jobs are not tried: a start in Azure takes minutes and money.
 */
export async function openAccount(settingsFile: string): Promise<Subject> {
  const settings = parseEnv(await readFile(settingsFile, 'utf8'));
  return {
    ...openServices(readConfig(settings), queues.deployments.lockSeconds),
    compute: undefined,
    machineLearning: undefined,
  };
}

function openServices(config: Config, lockSeconds: number): Subject {
  const ports = connect(config, signedIn());
  const bus =
    'connectionString' in config.serviceBus
      ? new ServiceBusClient(config.serviceBus.connectionString)
      : new ServiceBusClient(config.serviceBus.fullyQualifiedNamespace, signedIn());
  const receivers = new Map<QueuePath, ServiceBusReceiver>();
  const receiverOf = (queue: QueuePath): ServiceBusReceiver => {
    const [name = '', sub] = queue.split('/');
    const known =
      receivers.get(queue) ??
      // locks are left to run out: that is what is looked at
      bus.createReceiver(name, {
        maxAutoLockRenewalDurationInMs: 0,
        ...(sub === undefined ? {} : { subQueueType: 'deadLetter' as const }),
      });
    receivers.set(queue, known);
    return known;
  };
  const { documents, blobs, messages, compute, otherComputes } = ports;
  return {
    ...{ documents, blobs, messages, compute, machineLearning: otherComputes?.['azure-ml'], lockSeconds },
    unique: `c${randomBytes(6).toString('hex')}`,
    maxDeliveryCount: queues.deployments.maxDeliveryCount,
    now: () => Date.now(),
    sleep: (ms) => sleep(ms),
    async receive(queue, waitMs) {
      const receiver = receiverOf(queue);
      const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: waitMs });
      return message === undefined ? undefined : received(receiver, message);
    },
    async getUrl(url) {
      const response = await fetch(url);
      const body = Buffer.from(await response.arrayBuffer());
      return response.status === 200 ? body : undefined;
    },
    async putUrl(url, body) {
      const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'image/png' };
      const { status } = await fetch(url, { method: 'PUT', headers, body: new Uint8Array(body) });
      return status === 201 ? 'created' : 'refused';
    },
    close: () => bus.close(),
  };
}

function received(receiver: ServiceBusReceiver, message: ServiceBusReceivedMessage): Received {
  return {
    body: message.body as unknown,
    // the SDK counts the deliveries before this one, the runtime of functions counts this one too
    deliveries: (message.deliveryCount ?? 0) + 1,
    reason: message.deadLetterReason,
    async complete() {
      try {
        await receiver.completeMessage(message);
        return 'completed';
      } catch (error) {
        if (isServiceBusError(error) && error.code === 'MessageLockLost') return 'lost';
        throw error;
      }
    },
    abandon: () => receiver.abandonMessage(message),
    die: () => undefined,
  };
}
