import { z } from 'zod';
import { type Id, type Refusal, refuse, toWire } from '../../../kernel/index.js';
import {
  addParts,
  type Compensation,
  claimRecords,
  compensationRecords,
  dueAsOf,
  lendingTermsRecords,
  loanTerms,
  notNow,
  type Project,
  payDue,
  sumOf,
} from '../../../lending/index.js';
import { moneySchema, wireId } from '../../../runtime/index.js';
import { type At, change, type Facts, type Kind, type RecordChange, refused } from '../../kind.js';
import { voucher } from '../../wire.js';
import { caughtOn, ofProject, projectChange, projectIn, projectNeeds, projectNo, Sums } from './project.js';
import { paidTo } from './repayment.js';

const common = { projectNo, from: wireId('account'), amount: moneySchema, mandate: wireId('mandate').optional(), voucher };
const compensationSchema = z.strictObject({
  ...common,
  way: z.enum(['direct', 'indirect']).meta({
    description: 'direct: to the lenders (直接代偿); indirect: to the borrower and on to them at the same moment (间接代偿)',
  }),
});

/** The act of whoever pays for a project: nobody but those whom the project owes to gets it. */
const actOf = ({ projectNo: project, from, amount, mandate, voucher: form }: z.output<z.ZodObject<typeof common>>) => ({
  ...{ account: from, amount: amount.amount, payee: { project }, mandate, voucher: form },
});

function paidBefore(project: Project, facts: Facts): readonly Compensation[] {
  return facts.record(compensationRecords, project.id)?.paid ?? [];
}

function paidChange({ id: projectId }: Project, paid: readonly Compensation[]): RecordChange {
  return change(compensationRecords, projectId, { projectId, paid });
}

/**
 * Whoever stands for the project pays what the borrower is behind with: at most that. The lenders have theirs, and the borrower owes the payer
 * exactly what he paid.
 */
export const compensation: Kind<z.output<typeof compensationSchema>> = {
  name: 'compensation',
  en: 'Compensation for the borrower',
  zh: '代偿',
  origins: ['P', 'O'],
  proof: 'will',
  schema: compensationSchema,
  example: {
    ...{ projectNo: 'LP-1005', from: 'acc_2236512894231552004', amount: { amount: 500, currency: 'CNY' }, way: 'indirect' },
  },
  act: actOf,
  needs: (data, at) => ({
    accounts: [data.from, at.book.accounts.commission],
    records: [...projectNeeds(data, at), [lendingTermsRecords, at.platformId]],
  }),
  needsThen: ofProject(claimRecords, compensationRecords),
  decide(data, facts, at) {
    const project = projectIn(data, facts, at);
    if ('code' in project) return refused(project);
    const { from, way } = data;
    const { amount } = data.amount;
    const barred = payerRefusal(project, from, facts, at);
    if (barred !== undefined) return refused(barred);
    if (project.state !== 'lent') return refused(notNow(project));
    // It comes and leaves at the same moment, so that it has no entry there; but what is caught would not leave.
    const caught = way === 'indirect' ? caughtOn(project.borrower, facts) : undefined;
    if (caught !== undefined) return refused(caught);
    const terms = loanTerms(project);
    const on = at.book.businessDate;
    const paid = payDue(terms, project.loan, { amount, on, ahead: false });
    if (paid === undefined) {
      const overdue = sumOf(addParts(dueAsOf(terms, project.loan, on)));
      return refused(refuse('COMPENSATION_EXCEEDED', undefined, { overdue: String(overdue) }));
    }
    const owing: Project = { ...project, unrecovered: project.unrecovered + amount };
    const effects = paidTo(owing, paid, from, facts, at);
    const one: Compensation = { id: at.instruction, payer: from, way, amount, recovered: 0n };
    return {
      ...effects,
      records: [...effects.records, paidChange(project, [...paidBefore(project, facts), one])],
      result: { ...effects.result, compensation: toWire('compensation', one.id) },
    };
  },
};

/** Nobody else's money pays what a borrower owes: the guarantor's whom the project names, or the platform's reserve where two people agreed to it. */
function payerRefusal({ guarantor }: Project, from: Id, facts: Facts, at: At): Refusal | undefined {
  const terms = facts.record(lendingTermsRecords, at.platformId);
  if (from === guarantor || (terms?.reserve === true && from === terms.reserveAccountId)) return undefined;
  return refuse('COMPENSATION_PAYER', undefined, { account: toWire('account', from) });
}

const recoverySchema = z.strictObject({
  ...common,
  compensation: wireId('compensation').meta({ description: 'What is given back' }),
});

/** The borrower gives back what was paid for him: to whoever paid, and never more than that. */
export const recovery: Kind<z.output<typeof recoverySchema>> = {
  name: 'recovery',
  en: 'Recovery of a compensation',
  zh: '还代偿款',
  origins: ['P', 'O'],
  proof: 'will',
  schema: recoverySchema,
  example: {
    ...{ projectNo: 'LP-1006', from: 'acc_2236512894231552006', amount: { amount: 300, currency: 'CNY' } },
    compensation: 'cmp_2236512894231552086',
  },
  act: actOf,
  needs: (data, at) => ({ accounts: [data.from], records: projectNeeds(data, at) }),
  needsThen: ofProject(compensationRecords),
  decide(data, facts, at) {
    const project = projectIn(data, facts, at);
    if ('code' in project) return refused(project);
    const { amount } = data.amount;
    if (data.from !== project.borrower) return refused(refuse('PROJECT_WRONG_PARTY', 'It is not the borrower’s account.'));
    const all = paidBefore(project, facts);
    const found = all.find(({ id }) => id === data.compensation);
    if (found === undefined) return refused(refuse('COMPENSATION_NOT_FOUND'));
    const left = found.amount - found.recovered;
    if (amount > left) return refused(refuse('RECOVERY_EXCEEDED', undefined, { left: String(left) }));
    const after = all.map((each) => (each === found ? { ...each, recovered: each.recovered + amount } : each));
    return {
      postings: new Sums().add(data.from, -amount).add(found.payer, amount).postings(facts, at),
      records: [projectChange({ ...project, unrecovered: project.unrecovered - amount }, at), paidChange(project, after)],
      result: { left: String(left - amount) },
    };
  },
};
