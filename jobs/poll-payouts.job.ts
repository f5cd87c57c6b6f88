import { pollDue } from '../src/dispatch/index.js';
import type { JobDefinition } from './job.js';

export const pollPayoutsJob: JobDefinition = {
  name: 'poll-payouts',
  en: 'reads the feeds of the channels, and asks after payouts without a result; key: the shard',
  zh: '查询未决出款并接收通道通知',
  concurrency: 2,
  run: async (desk, key) => pollDue(desk, Number(key)),
};
