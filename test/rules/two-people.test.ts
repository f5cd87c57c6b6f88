import { expect, test } from '@jest/globals';
import { asId, endOfProposal, Refused } from '../../src/kernel/index.js';

const [LI, WANG] = [asId('1000000000000000001'), asId('1000000000000000002')];

test.each([
  ['proposed', WANG, 'yes', 'approved'],
  ['proposed', WANG, 'no', 'rejected'],
  ['proposed', LI, 'yes', 'SAME_OPERATOR'],
  ['proposed', LI, 'no', 'withdrawn'],
  ['approved', WANG, 'yes', 'PROPOSAL_DECIDED'],
  ['rejected', LI, 'yes', 'PROPOSAL_DECIDED'],
  ['withdrawn', WANG, 'no', 'PROPOSAL_DECIDED'],
] as const)('what Li proposed, and is %s, ends when %s says %s: %s', (state, by, says, end) => {
  const became = () => endOfProposal({ state, proposedBy: LI }, by, says);
  if (/^[A-Z]/.test(end)) {
    expect(became).toThrow(Refused);
    expect(became).toThrow(end);
  } else expect(became()).toBe(end);
});
