import { endIntercepted, sendDue } from '../src/dispatch/index.js';
import type { JobDefinition } from './job.js';

const AT_ONCE = ['withdrawal', 'refund', 'top-up', 'closing'] as const;

export const sendPayoutsJob: JobDefinition = {
  name: 'send-payouts',
  en: 'sends the withdrawals, refunds and closings of a shard, and collects its top-ups (what a clearing makes is sent by its close); key: the shard',
  zh: '发送提现、退款、销户出款及充值代收',
  concurrency: 4,
  async run(desk, key) {
    const shardId = Number(key);
    await endIntercepted(desk); // whoever stopped a payout rang for it here
    // What a clearing made and no channel took then goes out as soon as one does.
    const sent = (await sendDue(desk, { shardId, purposes: AT_ONCE })) + (await sendDue(desk, { shardId, again: true }));
    if (sent === 0) return 'nothing';
    await desk.rt.bells.ring('poll-payouts', key); // a result may be there already
    return 'done';
  },
};
