/** `training-events`: a message is a report that a job has written. */
import type { Ports } from '../shared/ports.ts';
import type { ReportPorts } from '../shared/training/apply-report.ts';
import { receiveReport, traceOfReport } from '../shared/training/receive-report.ts';
import { consume, type QueueFunction } from './consume.ts';

/** Carries reports of jobs into their runs; a report is part of its run's trace. */
export const trainingEventFunction = (ports: Ports & ReportPorts): QueueFunction =>
  consume(
    ports,
    'training-events',
    'training-event',
    (event) => receiveReport(ports, event),
    (event) => traceOfReport(ports, event),
  );
