import { verifyChanges, verifyOpenings } from '../src/accounts/index.js';
import type { JobDefinition } from './job.js';

export const verifyOpeningsJob: JobDefinition = {
  name: 'verify-openings',
  en: 'has the elements of electronic accounts that are to be opened or changed verified by the banks of their cards; key: the shard',
  zh: '核验开户及变更要素',
  concurrency: 4,
  async run({ rt, channels: { verification } }, key) {
    const openings = await verifyOpenings(rt, verification, Number(key));
    const changes = await verifyChanges(rt, verification, Number(key));
    return openings + changes;
  },
};
