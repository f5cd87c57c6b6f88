import { describe, expect, it } from '@jest/globals';
import { POT } from '../../scripts/docs/example-funds.js';
import { fundTouched } from '../../src/instructions/judging/fund-bound.js';
import { DESK, Desk } from '../support/world/desk.js';

describe('money of funds', () => {
  it.each([POT.collection, POT.advance])('on the account %s is touched by no kind that is not about funds', (account) => {
    const { kind, facts } = new Desk('fund-subscription');
    const effects = {
      postings: [
        { account, amount: -5n },
        { account: DESK.lily2, amount: 5n },
      ],
    };
    expect(fundTouched({ ...kind, onFunds: undefined } as never, effects, facts)).toMatchObject({ code: 'FUND_BOUND' });
    expect(fundTouched(kind, effects, facts)).toBeUndefined();
  });
});
