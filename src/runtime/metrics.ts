import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The figures that operations watch. Names follow Prometheus: base units, `_total` for counters. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    httpSeconds: new Histogram({
      name: 'cunguan_http_request_seconds',
      help: 'Time to answer a request',
      registers,
      labelNames: ['method', 'path', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    }),
    instructions: new Counter({
      name: 'cunguan_instructions_total',
      help: 'Instructions decided',
      registers,
      labelNames: ['kind', 'state', 'code'],
    }),
    batchSeconds: new Histogram({
      name: 'cunguan_batch_seconds',
      help: 'Time to decide and commit one batch',
      registers,
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    }),
    batchSize: new Histogram({
      name: 'cunguan_batch_instructions',
      help: 'Instructions in a batch',
      registers,
      buckets: [1, 5, 20, 100, 500, 2000],
    }),
    payouts: new Counter({
      name: 'cunguan_payouts_total',
      help: 'Payouts by state reached',
      registers,
      labelNames: ['channel', 'state'],
    }),
    inboxDepth: new Gauge({
      name: 'cunguan_inbox_depth',
      help: 'Received and undecided instructions',
      registers,
      labelNames: ['shard'],
    }),
    breaksOpen: new Gauge({ name: 'cunguan_breaks_open', help: 'Reconciliation breaks not closed', registers }),
    filesDiffering: new Counter({
      name: 'cunguan_check_files_differing_total',
      help: 'Check files that were made again and came out otherwise',
      registers,
    }),
    breaksOverdue: new Gauge({
      name: 'cunguan_breaks_overdue',
      help: 'Reconciliation breaks open for longer than they may be',
      registers,
    }),
    reportsLate: new Gauge({
      name: 'cunguan_supervision_reports_late',
      help: 'Reports to authorities that are overdue, or near it where the law names no day',
      registers,
      labelNames: ['kind'],
    }),
    jobs: new Counter({ name: 'cunguan_jobs_total', help: 'Job runs by result', registers, labelNames: ['job', 'result'] }),
  };
}
export type Metrics = ReturnType<typeof createMetrics>;
