import { z } from 'zod';
import { type BusinessDate, type Id, type Instant, type Minor, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { askedSchema, instantSchema, moneySchema, rfc3339Schema, showAsked, textSchema, wireId } from '../runtime/index.js';
import { openQuestion } from './confirm.js';
import type { Word } from './confirm-store.js';
import { addParts, dueAsOf, earlyOf, type Parts, payableOn, planOf, REPAYMENT_METHODS, sumOf } from './plan.js';
import {
  type Bid,
  type Compensation,
  FUNDING_MODES,
  loanTerms,
  type Project,
  type ProjectTerms,
  ROLES,
  toRaise,
} from './rules.js';
import { PROJECT_STATES } from './states.js';
import type { OwnClaim } from './store.js';

/** How lending looks on the wire. */
const rate = z.int().min(0).max(1_000_000).meta({ description: 'Of a year, in millionths', example: 140_700 });
/** A fifth at the most. */
const share = z.int().min(0).max(2_000).default(0);

export const newProject = z
  .strictObject({
    projectNo: z
      .string()
      .regex(/^[A-Za-z0-9_.:-]{1,64}$/, { error: 'must be 1 to 64 of A–Z a–z 0–9 _ . : -' })
      .meta({ description: "The platform's own number of the project; remembered for ever" }),
    borrower: wireId('account').meta({ description: 'A Class II account of a person, or the sub-account of a company' }),
    guarantor: wireId('account').optional().meta({ description: 'Who pays what the borrower is behind with' }),
    payee: wireId('account').optional().meta({ description: 'Who is paid in place of the borrower (受托支付)' }),
    amount: moneySchema,
    months: z.int().min(1).max(120),
    rate,
    penaltyRate: rate.meta({ description: 'Of a year, in millionths, on what is overdue' }),
    method: z.enum(REPAYMENT_METHODS).meta({
      description: 'annuity 等额本息, equal-principal 等额本金, interest-first 先息后本, bullet 一次性还本付息',
    }),
    lendFee: share.meta({ description: 'Basis points of what is lent, out of the proceeds to the platform' }),
    interestFee: share.meta({ description: 'Basis points of the interest that a lender gets, to the platform' }),
    lenderMin: moneySchema.optional().meta({ description: 'The least that one lender has in it; the last of it may be less' }),
    lenderMax: moneySchema.optional().meta({ description: 'The most that one lender has in it' }),
    raiseUntil: instantSchema.meta({ description: 'The first moment at which nobody can lend to it any more' }),
    mode: z.enum(FUNDING_MODES).default('direct').meta({ description: 'direct 直投, advance 垫付, entrusted 代付' }),
    purpose: textSchema(128),
  })
  .meta({ id: 'NewProject' });

export function projectTermsOf(body: z.output<typeof newProject>): ProjectTerms {
  const { amount, lenderMin, lenderMax, raiseUntil, rate: millionths, penaltyRate, ...rest } = body;
  return {
    ...rest,
    ...{ guarantor: rest.guarantor ?? null, payee: rest.payee ?? null, amount: amount.amount, rate: BigInt(millionths) },
    ...{ penaltyRate: BigInt(penaltyRate), lenderMin: lenderMin?.amount ?? null, lenderMax: lenderMax?.amount ?? null },
    raiseUntilMs: raiseUntil,
  };
}

const minor = z.int().meta({ description: 'Minor units', example: 10_000 });
const date = z.string().meta({ description: 'A date', format: 'date', example: '2026-03-02' });

export const projectSchema = z
  .strictObject({
    ...{ id: z.string(), platform: z.string(), projectNo: z.string(), state: z.enum(PROJECT_STATES), borrower: z.string() },
    ...{ guarantor: z.string().nullable(), payee: z.string().nullable(), amount: minor, months: z.int(), rate: z.int() },
    ...{ penaltyRate: z.int(), method: z.enum(REPAYMENT_METHODS), lendFee: z.int(), interestFee: z.int() },
    ...{ lenderMin: minor.nullable(), lenderMax: minor.nullable(), raiseUntil: rfc3339Schema, mode: z.enum(FUNDING_MODES) },
    ...{ purpose: z.string(), raised: minor, toRaise: minor, lentOn: date.nullable() },
    principalLeft: minor.meta({ description: 'Of what was lent, not paid back' }),
    unrecovered: minor.meta({ description: 'What others paid for the borrower and he has not given back' }),
    registeredAt: rfc3339Schema,
    endedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'Project' });

const account = (id: Id | null) => (id === null ? null : toWire('account', id));
const money = (amount: Minor | null) => (amount === null ? null : toWireAmount(amount));
const at = (instant: Instant | null) => (instant === null ? null : toRfc3339(instant));

export function showProject(p: Project): z.input<typeof projectSchema> {
  return {
    ...{ id: toWire('project', p.id), platform: toWire('platform', p.platformId), projectNo: p.projectNo, state: p.state },
    ...{ borrower: toWire('account', p.borrower), guarantor: account(p.guarantor), payee: account(p.payee) },
    ...{ amount: toWireAmount(p.amount), months: p.months, rate: Number(p.rate), penaltyRate: Number(p.penaltyRate) },
    ...{ method: p.method, lendFee: p.lendFee, interestFee: p.interestFee, lenderMin: money(p.lenderMin) },
    ...{ lenderMax: money(p.lenderMax), raiseUntil: toRfc3339(p.raiseUntilMs), mode: p.mode, purpose: p.purpose },
    ...{ raised: toWireAmount(p.raised), toRaise: toWireAmount(toRaise(p)), lentOn: p.lentOn },
    ...{ principalLeft: toWireAmount(p.left), unrecovered: toWireAmount(p.unrecovered) },
    ...{ registeredAt: toRfc3339(p.createdMs), endedAt: at(p.endedMs) },
  };
}

const partsSchema = { principal: minor, interest: minor, penalty: minor };
const showParts = ({ principal, interest, penalty }: Parts) => ({
  ...{ principal: toWireAmount(principal), interest: toWireAmount(interest), penalty: toWireAmount(penalty) },
});

export const wordSchema = z
  .strictObject({
    ...{ id: z.string(), role: z.enum(ROLES), way: z.enum(['page', 'paper']) },
    state: z.enum(['asked', 'given', 'declined', 'lapsed']),
    ...{ user: z.string().nullable(), askedAt: rfc3339Schema, givenAt: rfc3339Schema.nullable() },
    consent: askedSchema.nullable(),
  })
  .meta({ id: 'ProjectConfirmation' });

export function showWord(word: Word, asked = openQuestion(word)): z.input<typeof wordSchema> {
  return {
    ...{ id: toWire('confirmation', word.id), role: word.role, way: word.way, state: word.state },
    user: word.userId === null ? null : toWire('user', word.userId),
    ...{ askedAt: toRfc3339(word.createdMs), givenAt: at(word.givenMs) },
    consent: asked === undefined ? null : showAsked(asked),
  };
}

export const projectViewSchema = z
  .strictObject({
    ...projectSchema.shape,
    asOf: date.meta({ description: 'The open business date, as of which what is due is told' }),
    plan: z
      .array(z.strictObject({ no: z.int(), dueOn: date, principal: minor, interest: minor, paid: z.boolean() }))
      .meta({ description: 'The plan in force: made anew when principal is paid ahead of time' }),
    due: z
      .strictObject({ total: minor, instalments: z.array(z.strictObject({ no: z.int(), dueOn: date, ...partsSchema })) })
      .meta({ description: 'What is due and not paid, the oldest first' }),
    payable: minor.meta({
      description:
        'The most that a repayment of what is due takes on that date: what is due, and what is left of the instalment after it',
    }),
    early: minor.nullable().meta({ description: 'What settles it on that date; null unless it is lent' }),
    compensations: z.array(
      z.strictObject({
        ...{ id: z.string(), payer: z.string(), way: z.enum(['direct', 'indirect']), amount: minor, recovered: minor },
      }),
    ),
    confirmations: z.array(wordSchema),
  })
  .meta({ id: 'ProjectWithPlan' });

export interface ProjectView {
  readonly project: Project;
  readonly on: BusinessDate;
  readonly compensations: readonly Compensation[];
  readonly words: readonly Word[];
}

export function showView({ project, on, compensations, words }: ProjectView): z.input<typeof projectViewSchema> {
  const { lentOn, loan } = project;
  const terms = lentOn === null ? undefined : loanTerms(project);
  const plan = terms === undefined ? [] : planOf({ ...terms, principal: loan.planPrincipal, behind: loan.planBehind });
  const due = terms === undefined ? [] : dueAsOf(terms, loan, on);
  return {
    ...showProject(project),
    asOf: on,
    plan: plan.map(({ no, dueOn, principal, interest }) => ({
      ...{ no, dueOn, principal: toWireAmount(principal), interest: toWireAmount(interest), paid: no < loan.next },
    })),
    due: {
      total: toWireAmount(sumOf(addParts(due))),
      instalments: due.map(({ no, dueOn, ...parts }) => ({ no, dueOn, ...showParts(parts) })),
    },
    payable: toWireAmount(terms === undefined ? 0n : payableOn(terms, loan, { on, ahead: true })),
    early: terms === undefined || project.state !== 'lent' ? null : toWireAmount(sumOf(earlyOf(terms, loan, on))),
    compensations: compensations.map(({ id, payer, way, amount, recovered }) => ({
      ...{ id: toWire('compensation', id), payer: toWire('account', payer), way },
      ...{ amount: toWireAmount(amount), recovered: toWireAmount(recovered) },
    })),
    confirmations: words.map((word) => showWord(word)),
  };
}

export const bidSchema = z
  .strictObject({
    ...{ bid: z.string(), platform: z.string(), project: z.string(), projectNo: z.string(), account: z.string() },
    ...{ own: minor, marketing: minor, cancelled: minor, state: z.enum(['open', 'lent', 'freed']), placedAt: rfc3339Schema },
  })
  .meta({ id: 'Bid' });

export function showBid(bid: Bid): z.input<typeof bidSchema> {
  return {
    ...{ bid: toWire('bid', bid.id), platform: toWire('platform', bid.platformId), project: toWire('project', bid.projectId) },
    ...{ projectNo: bid.projectNo, account: toWire('account', bid.account), own: toWireAmount(bid.own) },
    ...{ marketing: toWireAmount(bid.marketing), cancelled: toWireAmount(bid.cancelled), state: bid.state },
    placedAt: toRfc3339(bid.createdMs),
  };
}

export const claimSchema = z
  .strictObject({
    ...{ claim: z.string(), platform: z.string(), project: z.string(), projectNo: z.string() },
    no: z.int().meta({ description: 'Its number in the project, by which payments name it' }),
    account: z.string(),
    principal: minor,
    left: minor.meta({ description: 'Of the principal, not paid back' }),
    earned: minor.meta({ description: 'Interest and penalty that came in on it, less the fee' }),
  })
  .meta({ id: 'Claim' });

export function showClaim({ claim, project }: OwnClaim): z.input<typeof claimSchema> {
  return {
    ...{ claim: toWire('claim', claim.id), platform: toWire('platform', project.platformId) },
    ...{ project: toWire('project', project.id), projectNo: project.projectNo, no: claim.no },
    ...{ account: toWire('account', claim.account), principal: toWireAmount(claim.principal) },
    ...{ left: toWireAmount(claim.left), earned: toWireAmount(claim.earned) },
  };
}
