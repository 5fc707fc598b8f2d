/** `dataset-commits`: a message wakes a commit window. */
import { commitWhenQuiet } from '../shared/dataset/commit-when-quiet.ts';
import type { Ports } from '../shared/ports.ts';
import { consume, type QueueFunction } from './consume.ts';

/** Commits what is staged as the next dataset version. */
export const commitFunction = (ports: Ports): QueueFunction =>
  consume(ports, 'dataset-commits', 'commit', (message) => commitWhenQuiet(ports, message));
