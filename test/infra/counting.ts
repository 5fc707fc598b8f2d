/** Counts what code does to the services it is handed. */
import type { Operations } from '../../infra/costs/usage.ts';
import type { Ports } from '../../shared/ports.ts';

const counted = ['documents', 'blobs', 'messages', 'compute'] as const;

/** The same ports, and the operations that were done through them: `documents.read`, `blobs.create`, ... */
export function counting<P extends Ports>(ports: P): { ports: P; operations: Operations } {
  const operations: Operations = {};
  const add = (name: string, count = 1): void => {
    operations[name] = (operations[name] ?? 0) + count;
  };
  const wrap = <T extends object>(service: string, port: T): T =>
    new Proxy(port, {
      get(target, method, self) {
        const original: unknown = Reflect.get(target, method, self);
        if (typeof original !== 'function') return original;
        return async (...parameters: unknown[]) => {
          const name = `${service}.${String(method)}`;
          if (name === 'documents.batch') add(`${name}.item`, (parameters[2] as unknown[]).length);
          // each message is billed, however many go in one call
          add(name, name === 'messages.send' ? (parameters[1] as unknown[]).length : 1);
          const answer: unknown = await Reflect.apply(original, target, parameters);
          if (name === 'documents.query') add(`${name}.item`, (answer as { items: unknown[] }).items.length);
          return answer;
        };
      },
    });
  const wrapped = Object.fromEntries(counted.map((service) => [service, wrap(service, ports[service])]));
  return { ports: { ...ports, ...wrapped } as P, operations };
}
