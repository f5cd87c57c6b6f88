import { type Refusal, refuse } from '../../kernel/index.js';
import type { Effects, Facts, Kind } from '../kind.js';

/**
 * Money of funds moves between the account of the customer and the custody of the fund, and what the bank advances between its account and
 * the customer's: no kind that is not about funds touches either. Asked here for every kind, so that none can forget it.
 */
export function fundTouched(kind: Kind, { postings }: Effects, facts: Facts): Refusal | undefined {
  if (kind.onFunds === true) return undefined;
  const touched = postings.some(({ account }) => {
    const type = facts.account(account)?.type;
    return type === 'fund-collection' || type === 'fund-advance';
  });
  return touched ? refuse('FUND_BOUND') : undefined;
}
