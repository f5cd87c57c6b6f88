import type { RefusalEntry } from './entry.js';

/** Proofs of custody. */
export const PROOF_REFUSALS = {
  DAY_NOT_PROVED: {
    http: 409,
    en: 'The books of the day have not been proved against the bank yet.',
    zh: '该日尚未完成总分核对',
    retry: 'same-number',
    actor: 'bank',
  },
  DAY_BEFORE_PROOFS: {
    http: 409,
    en: 'The chain of custody proofs begins on a later day.',
    zh: '存管证明自更晚日期起出具',
    retry: 'never',
    actor: 'nobody',
  },
} as const satisfies Record<string, RefusalEntry>;
