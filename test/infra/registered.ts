/** What the functions register, as the host would hear it. */
import { addFunctions } from '../../functions/triggers.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { appSettingsOf, evaluated } from './templates.ts';

/** Names of all functions, the queues that wake some of them, and the names of those woken by HTTP. */
export function registered(): { names: string[]; queueOf: Record<string, string>; http: string[] } {
  const queueOf: Record<string, string> = {};
  const http: string[] = [];
  const names: string[] = [];
  const recorder = {
    serviceBusQueue(name: string, { queueName }: { queueName: string }) {
      names.push(name);
      queueOf[name] = queueName;
    },
    timer: (name: string) => void names.push(name),
    http(name: string) {
      names.push(name);
      http.push(name);
    },
  };
  const ports = connect(readConfig(evaluated(appSettingsOf('dev'))));
  const unused = () => Promise.reject(new Error('registering calls nothing'));
  addFunctions(recorder, {
    ...ports,
    inspect: unused,
    preprocess: unused,
    draw: unused,
    toTensor: unused,
    infer: unused,
    inferServed: unused,
    inferPinned: unused,
    validate: unused,
  });
  return { names, queueOf, http };
}
