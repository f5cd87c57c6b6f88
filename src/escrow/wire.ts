import { z } from 'zod';
import { type Instant, toRfc3339, toWire, toWireAmount } from '../kernel/index.js';
import { askedSchema, rfc3339Schema, showAsked, type Vault } from '../runtime/index.js';
import { openQuestion } from './confirm.js';
import type { PlanLine, PlanStage, Term } from './plan.js';
import {
  askedRoles,
  type Deal,
  endingOf,
  type Fund,
  type Lack,
  lacksOf,
  notAccepted,
  objectionTo,
  stageOf,
  standingOf,
} from './rules.js';
import type { Confirmation, Review } from './store.js';
import type { Template } from './template.js';
import { TEMPLATES } from './templates/index.js';

const amount = z.int().meta({ description: 'Minor units', example: 10_000 });
const instant = rfc3339Schema.nullable();

const lineSchema = z
  .strictObject({
    to: z.string().meta({ description: 'A role, or `payers`: back to whoever paid' }),
    percent: z.int().optional().meta({ description: 'Hundredths of a percent, rounded down' }),
    fixed: amount.optional(),
    rest: z.literal(true).optional(),
  })
  .meta({ id: 'EscrowLine' });

function showLine({ to, take }: PlanLine): z.input<typeof lineSchema> {
  if (take === 'rest') return { to, rest: true };
  return 'percent' in take ? { to, percent: take.percent } : { to, fixed: toWireAmount(take.fixed) };
}

/** A condition and what it lacks go out as trees; their forms are told in words. */
const tree = z.unknown().meta({
  description:
    '`at` a moment; so many `days` `since` the stage opened or a condition was met; `confirmed` by a `quorum` of roles; a `review` of the bank; `all` or `any` of several',
});
const lacksSchema = z.unknown().meta({
  description:
    '`time` until a moment; a `confirmation` by so many more of some parties; a `review`; `money`; another `stage`; `one-of` several lists',
});

function showTerm(term: Term): unknown {
  if ('at' in term) return { at: toRfc3339(term.at) };
  if ('since' in term) return { since: term.since === 'open' ? 'open' : showTerm(term.since), days: term.days };
  if ('all' in term) return { all: term.all.map(showTerm) };
  if ('any' in term) return { any: term.any.map(showTerm) };
  return term;
}

function showLack(lack: Lack): unknown {
  if (lack.lacks === 'money') return { lacks: 'money', amount: toWireAmount(lack.amount) };
  return lack.lacks === 'one-of' ? { lacks: 'one-of', each: lack.each.map((lacks) => lacks.map(showLack)) } : lack;
}

const stageSchema = z
  .strictObject({
    key: z.string(),
    en: z.string(),
    zh: z.string(),
    amount: amount.meta({ description: 'What it is for' }),
    funded: amount.meta({ description: 'What has come in for it' }),
    fundBy: rfc3339Schema.meta({ description: 'From then on nothing is taken for it' }),
    standing: z.enum(['unfunded', 'waiting', 'open', 'review', 'due', 'ended']),
    when: tree,
    by: instant.meta({ description: 'The first moment at which it is too late' }),
    pay: z.array(lineSchema),
    otherwise: z.union([z.literal('review'), z.array(lineSchema)]),
    objects: z.array(z.string()).meta({ description: 'Who may object while it is open' }),
    lacks: lacksSchema,
    ended: z
      .strictObject({
        how: z.enum(['met', 'failed', 'unpaid', 'cancelled', 'exited', 'decided']),
        at: rfc3339Schema,
        instruction: z.string().nullable().meta({ description: 'Null while the books are still to be told' }),
        paid: z.array(z.strictObject({ to: z.string(), amount })),
      })
      .nullable(),
  })
  .meta({ id: 'EscrowStage' });

function showStage(deal: Deal, stage: PlanStage, nowMs: Instant): z.input<typeof stageSchema> {
  const { key, en, zh, fundBy, by, otherwise } = stage;
  const end = stageOf(deal, key)?.state.end ?? null;
  const ending = endingOf(deal, key);
  const ended =
    ending === undefined || ending.atMs > nowMs
      ? null
      : {
          ...{
            how: ending.how,
            at: toRfc3339(ending.atMs),
            instruction: end === null ? null : toWire('instruction', end.instruction),
          },
          paid: end?.paid.map((each) => ({ to: each.to, amount: toWireAmount(each.amount) })) ?? [],
        };
  return {
    ...{ key, en, zh, amount: toWireAmount(stage.amount), funded: toWireAmount(stageOf(deal, key)?.state.funded ?? 0n) },
    ...{ fundBy: toRfc3339(fundBy), standing: standingOf(deal, key, nowMs), when: showTerm(stage.when) },
    ...{ by: by === null ? null : toRfc3339(by), pay: stage.pay.map(showLine), objects: [...stage.objects] },
    ...{ otherwise: otherwise === 'review' ? otherwise : otherwise.map(showLine), ended },
    lacks: lacksOf(deal, key, nowMs).map(showLack),
  };
}

export const confirmationSchema = z
  .strictObject({
    id: z.string(),
    item: z.string().meta({ description: 'A stage, an exit, `accept` (the deal itself), or `<stage>:objection`' }),
    role: z.string(),
    way: z.enum(['page', 'paper']),
    state: z.enum(['asked', 'given', 'declined', 'lapsed']),
    user: z.string().nullable(),
    askedAt: rfc3339Schema,
    givenAt: instant,
    consent: askedSchema.nullable(),
  })
  .meta({ id: 'EscrowConfirmation' });

export function showConfirmation(c: Confirmation, asked = openQuestion(c)): z.input<typeof confirmationSchema> {
  return {
    ...{ id: toWire('confirmation', c.id), item: c.item, role: c.role, way: c.way, state: c.state },
    user: c.userId === null ? null : toWire('user', c.userId),
    ...{ askedAt: toRfc3339(c.createdMs), givenAt: c.givenMs === null ? null : toRfc3339(c.givenMs) },
    consent: asked === undefined ? null : showAsked(asked),
  };
}

export const dealSchema = z
  .strictObject({
    id: z.string(),
    escrowNo: z.string(),
    template: z.string(),
    version: z.int(),
    state: z.enum(['agreeing', 'open', 'ended']),
    openedAt: rfc3339Schema,
    endedAt: instant,
    parties: z.array(z.strictObject({ role: z.string(), account: z.string().nullable(), user: z.string().nullable() })),
    funded: amount,
    released: amount,
    back: amount.meta({ description: 'What falls to those who paid' }),
    sentBack: amount.meta({ description: 'What of it was sent' }),
    stages: z.array(stageSchema),
    exits: z.array(z.strictObject({ key: z.string(), en: z.string(), zh: z.string(), when: tree })),
    awaits: z.array(z.strictObject({ item: z.string(), roles: z.array(z.string()) })).meta({
      description: 'Whose word counts for what',
    }),
  })
  .meta({ id: 'Escrow' });

const sum = (funds: readonly Fund[], of: (fund: Fund) => bigint) =>
  toWireAmount(funds.reduce((total, fund) => total + of(fund), 0n));

export function showDeal(deal: Deal, funds: readonly Fund[], nowMs: Instant): z.input<typeof dealSchema> {
  const { plan } = deal;
  const items = ['accept', ...plan.stages.flatMap(({ key }) => [key, objectionTo(key)]), ...plan.exits.map(({ key }) => key)];
  return {
    ...{ id: toWire('escrow', deal.id), escrowNo: deal.escrowNo, template: plan.template, version: plan.version },
    state: deal.endedMs !== null ? 'ended' : notAccepted(deal).length > 0 ? 'agreeing' : 'open',
    ...{ openedAt: toRfc3339(deal.openedMs), endedAt: deal.endedMs === null ? null : toRfc3339(deal.endedMs) },
    parties: plan.parties.map(({ role, account, user }) => ({
      ...{
        role,
        account: account === null ? null : toWire('account', account),
        user: user === null ? null : toWire('user', user),
      },
    })),
    ...{ funded: sum(funds, (fund) => fund.amount), released: sum(funds, (fund) => fund.released) },
    ...{ back: sum(funds, (fund) => fund.back), sentBack: sum(funds, (fund) => fund.sent) },
    stages: plan.stages.map((stage) => showStage(deal, stage, nowMs)),
    exits: plan.exits.map(({ key, en, zh, when }) => ({ key, en, zh, when: showTerm(when) })),
    awaits: items.flatMap((item) => {
      const roles = askedRoles(deal, item) ?? [];
      return roles.length === 0 ? [] : [{ item, roles }];
    }),
  };
}

export const reviewSchema = z
  .strictObject({
    id: z.string(),
    item: z.string(),
    lines: z
      .array(lineSchema)
      .nullable()
      .meta({ description: 'Who gets what of the stage; null: what its condition leaves to the bank is so' }),
    reason: z.string(),
    state: z.enum(['proposed', 'approved', 'rejected', 'withdrawn']),
    proposedBy: z.string(),
    proposedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    decidedAt: instant,
    note: z.string().nullable(),
  })
  .meta({ id: 'EscrowReview' });

export function showReview(vault: Vault, r: Review): z.input<typeof reviewSchema> {
  return {
    ...{
      id: toWire('escrow-review', r.id),
      item: r.item,
      lines: r.lines?.map(showLine) ?? null,
      reason: vault.open(r.reasonSealed),
      state: r.state,
    },
    ...{
      proposedBy: toWire('operator', r.proposedBy),
      proposedAt: toRfc3339(r.proposedMs),
      note: r.noteSealed === null ? null : vault.open(r.noteSealed),
    },
    decidedBy: r.decidedBy === null ? null : toWire('operator', r.decidedBy),
    decidedAt: r.decidedMs === null ? null : toRfc3339(r.decidedMs),
  };
}

/** Who said what and when; the platform does not see who of the bank decided. */
export const viewSchema = z
  .strictObject({
    ...dealSchema.shape,
    orders: z.array(
      z.strictObject({ orderNo: z.string(), stage: z.string(), amount, released: amount, back: amount, sent: amount }),
    ),
    confirmations: z.array(confirmationSchema),
    decisions: z.array(z.strictObject({ item: z.string(), lines: z.array(lineSchema).nullable(), at: rfc3339Schema })),
  })
  .meta({ id: 'EscrowWithHistory' });

export interface DealView {
  readonly deal: Deal;
  readonly funds: readonly Fund[];
  readonly confirmations: readonly Confirmation[];
}

export function showView({ deal, funds, confirmations }: DealView, nowMs: Instant): z.input<typeof viewSchema> {
  return {
    ...showDeal(deal, funds, nowMs),
    orders: funds.map(({ orderNo, stage, ...of }) => ({
      ...{ orderNo, stage, amount: toWireAmount(of.amount), released: toWireAmount(of.released) },
      ...{ back: toWireAmount(of.back), sent: toWireAmount(of.sent) },
    })),
    confirmations: confirmations.map((each) => showConfirmation(each)),
    decisions: deal.decided.map(({ item, lines, atMs }) => ({ item, lines: lines?.map(showLine) ?? null, at: toRfc3339(atMs) })),
  };
}

export const staffViewSchema = z
  .strictObject({
    ...viewSchema.shape,
    reviews: z.array(reviewSchema),
    papers: z.array(z.strictObject({ confirmation: z.string(), voucher: z.string(), recordedBy: z.string() })),
  })
  .meta({ id: 'EscrowForStaff' });

export function showStaffView(
  vault: Vault,
  view: DealView & { readonly reviews: readonly Review[] },
  nowMs: Instant,
): z.input<typeof staffViewSchema> {
  return {
    ...showView(view, nowMs),
    reviews: view.reviews.map((each) => showReview(vault, each)),
    papers: view.confirmations.flatMap(({ id, voucherSealed, recordedBy }) =>
      voucherSealed === null || recordedBy === null
        ? []
        : [
            {
              confirmation: toWire('confirmation', id),
              voucher: vault.read(voucherSealed),
              recordedBy: toWire('operator', recordedBy),
            },
          ],
    ),
  };
}

const words = { en: z.string(), zh: z.string() };
const named = z.strictObject({ name: z.string(), ...words });

export const templateSchema = z
  .strictObject({
    name: z.string(),
    version: z.int(),
    title: z.strictObject(words),
    story: z.strictObject(words),
    roles: z.array(
      z.strictObject({ role: z.string(), ...words, does: z.array(z.enum(['pays', 'many', 'receives'])), accepts: z.boolean() }),
    ),
    amounts: z.array(named),
    dates: z.array(named),
    counts: z.array(named.extend({ most: z.int() })),
    stages: z.array(z.unknown()).meta({ description: 'As they stand in the template, with names for dates and amounts' }),
    exits: z.array(z.unknown()).meta({ description: 'What ends all stages that are open, and who gets what of them then' }),
  })
  .meta({ id: 'EscrowTemplate' });

function showTemplate(template: Template): z.input<typeof templateSchema> {
  return structuredClone(template) as z.input<typeof templateSchema>;
}

export const allTemplates = () => [...TEMPLATES.values()].map(showTemplate);
