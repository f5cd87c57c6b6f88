import { orderInterest } from '../src/clearing/index.js';
import { asId } from '../src/kernel/index.js';
import type { JobDefinition } from './job.js';

export const orderInterestJob: JobDefinition = {
  name: 'order-interest',
  en: 'orders from the core bank the interest that was credited; key: the platform',
  zh: '利息入账通知',
  concurrency: 1,
  run: async (desk, key) => ((await orderInterest(desk, asId(key))) === undefined ? 'done' : 'waiting'),
};
