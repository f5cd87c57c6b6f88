import { z } from 'zod';
import { type Id, type Minor, type Refusal, refuse } from '../../../kernel/index.js';
import {
  addParts,
  type ClaimLine,
  claimRecords,
  earlyOf,
  loanTerms,
  notNow,
  type Paid,
  type Project,
  payAhead,
  payableOn,
  payDue,
  payEarly,
  shareAmong,
  sumOf,
  withLoan,
  withPaid,
} from '../../../lending/index.js';
import { moneySchema, wireId } from '../../../runtime/index.js';
import { type At, type Effects, type Facts, type Kind, refused } from '../../kind.js';
import { voucher } from '../../wire.js';
import { claimsChange, claimsOn, ofProject, projectChange, projectIn, projectNeeds, projectNo, Sums } from './project.js';

const schema = z.strictObject({
  projectNo,
  from: wireId('account').meta({ description: "The borrower's account" }),
  amount: moneySchema,
  of: z.enum(['due', 'early', 'part-early']).meta({
    description:
      'due: what is owed by the plan, the oldest first, and the next instalment before its date; early: all of it, settled today; part-early: ' +
      'principal ahead of time, after which the plan is made anew over the months that are left',
  }),
  mandate: wireId('mandate').optional(),
  voucher,
});

/**
 * The borrower pays back: to each lender what is his of it, by the principal that he is still owed, to the fen. It takes the borrower's own
 * act or his mandate; of a company the contract that it signed for the project, since the money goes nowhere else.
 */
export const repayment: Kind<z.output<typeof schema>> = {
  name: 'repayment',
  en: 'Repayment to lenders',
  zh: '还款',
  origins: ['P', 'S', 'O'],
  proof: 'will',
  schema,
  example: { projectNo: 'LP-1004', from: 'acc_2236512894231552006', amount: { amount: 1000, currency: 'CNY' }, of: 'due' },
  act: ({ projectNo: project, from, amount, mandate, voucher: form }) => ({
    ...{ account: from, amount: amount.amount, payee: { project }, mandate, voucher: form },
  }),
  needs: (data, at) => ({ accounts: [data.from, at.book.accounts.commission], records: projectNeeds(data, at) }),
  needsThen: ofProject(claimRecords),
  decide(data, facts, at) {
    const project = projectIn(data, facts, at);
    if ('code' in project) return refused(project);
    if (data.from !== project.borrower) return refused(refuse('PROJECT_WRONG_PARTY', 'It is not the borrower’s account.'));
    if (project.state !== 'lent') return refused(notNow(project));
    const paid = paidBy(project, data.of, data.amount.amount, at);
    if ('code' in paid) return refused(paid);
    return paidTo(project, paid, data.from, facts, at);
  },
};

function paidBy(project: Project, of: 'due' | 'early' | 'part-early', amount: Minor, at: At): Paid | Refusal {
  const terms = loanTerms(project);
  const on = at.book.businessDate;
  if (of === 'due') {
    const most = payableOn(terms, project.loan, { on, ahead: true });
    return (
      payDue(terms, project.loan, { amount, on, ahead: true }) ?? refuse('REPAYMENT_EXCEEDED', undefined, { most: String(most) })
    );
  }
  if (of === 'part-early') return payAhead(terms, project.loan, { amount, on }) ?? refuse('REPAYMENT_NOT_AHEAD');
  const owed = sumOf(earlyOf(terms, project.loan, on));
  return payEarly(terms, project.loan, { amount, on }) ?? refuse('REPAYMENT_INEXACT', undefined, { owed: String(owed) });
}

/**
 * What a payment of the plan does, whoever pays: to each holder of claims his part in one credit, and the platform's fee on the interest.
 */
export function paidTo(
  project: Project,
  paid: Paid,
  from: Id,
  facts: Facts,
  at: At,
): Effects & { readonly records: NonNullable<Effects['records']> } {
  const parts = addParts(paid.lines);
  const claims = claimsOn(project, facts);
  const lines = shareAmong(claims, parts, project.interestFee);
  const sums = new Sums().add(from, -sumOf(parts));
  for (const { claim, fee, ...line } of lines) sums.add(claim.account, sumOf(line) - fee);
  sums.add(
    at.book.accounts.commission,
    lines.reduce((sum, { fee }) => sum + fee, 0n),
  );
  const after = withLoan(project, paid.state, parts, at.nowMs);
  return {
    postings: sums.postings(facts, at),
    records: [projectChange(after, at), claimsChange(project, withPaid(claims, lines))],
    result: {
      ...{ principal: String(parts.principal), interest: String(parts.interest), penalty: String(parts.penalty) },
      ...{ left: String(after.left), lines: lines.map(shownLine) },
    },
  };
}

/** Number of the claim, principal, interest, penalty, fee: a project has up to a thousand of them. */
const shownLine = ({ claim, principal, interest, penalty, fee }: ClaimLine) => [
  claim.no,
  ...[principal, interest, penalty, fee].map(String),
];
