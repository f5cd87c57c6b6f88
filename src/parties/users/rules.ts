import { type Refusal, type RefusalCode, refuse } from '../../kernel/index.js';
import type { Finding } from '../rules.js';
import type { User } from './records.js';

const FIRST_PAUSE_MS = 1_000;
const PAUSE_MAX_MS = 300_000;

/** How long to wait before somebody is asked again, by how often he gave no answer: 1 s doubling to 5 min. */
export function askAgainMs(attempts: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts, 16), PAUSE_MAX_MS);
}

/** One refusal that carries every fault; its code is that of the first. No value of a field stands in it. */
export function refusalOfFaults([first, ...others]: readonly Finding[]): Refusal | undefined {
  if (first === undefined) return undefined;
  return refuse(first.code, `${first.pointer} ${first.detail}`, { faults: [first, ...others] });
}

/**
 * Whether a user takes its customer's own activation before it may do anything: it was taken over from elsewhere, or the same person
 * stands with that platform under another number that he has not activated, or did not want. No second number goes round his answer.
 */
export function takesActivation(user: Pick<User, 'id' | 'platformId' | 'takenOver'>, ofCustomer: readonly User[]): boolean {
  const unwanted = ({ state, refusal }: User) =>
    state === 'to-activate' || (state === 'refused' && refusal?.code === 'CONSENT_DECLINED');
  return user.takenOver || ofCustomer.some((other) => other.platformId === user.platformId && unwanted(other));
}

/** What an answer about an identity refuses with. */
export const IDENTITY_REFUSALS = {
  'name-differs': 'IDENTITY_NAME_DIFFERS',
  'unknown-number': 'IDENTITY_UNKNOWN',
} as const satisfies Record<string, RefusalCode>;

/** JSON with keys in their order and without absent fields: equal for equal content, however it was sent. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
