import type { RefusalEntry } from './entry.js';

/** Terms of channels and their outages. */
export const ROUTING_REFUSALS = {
  TERMS_BACKDATED: {
    http: 422,
    en: 'Terms of a channel begin tomorrow at the earliest: payments of today were routed by those in force.',
    zh: '渠道条款最早自次日生效',
    retry: 'new-number',
    actor: 'bank',
  },
  TERMS_EXIST: {
    http: 409,
    en: 'There are other terms of this channel from that day on, and what is written is not rewritten.',
    zh: '该渠道当日已有其他条款',
    retry: 'never',
    actor: 'bank',
  },
  OUTAGE_TIMES: {
    http: 422,
    en: 'An outage ends after it begins, and not before now.',
    zh: '停运时间无效',
    retry: 'new-number',
    actor: 'bank',
  },
  OUTAGE_OVER: {
    http: 409,
    en: 'The outage is over.',
    zh: '停运已结束',
    retry: 'never',
    actor: 'nobody',
  },
} as const satisfies Record<string, RefusalEntry>;
