import { z } from 'zod';
import { type Id, toRfc3339, toWire, toWireAmount, WIRE_MAX } from '../kernel/index.js';
import { businessDateSchema, currencySchema, rfc3339Schema, textSchema } from '../runtime/index.js';
import { REVIEWABLE_KINDS, type ReviewTest } from './rules.js';
import { REVIEW_STATES } from './states.js';
import type { ReviewView, StoredRule } from './store.js';

const minor = z.int().meta({ description: 'Minor units' });
const fen = z.int().min(0).max(Number(WIRE_MAX)).transform(BigInt);

const testSchema = z
  .discriminatedUnion('by', [
    z.strictObject({ by: z.literal('amount'), above: fen.meta({ description: 'Minor units' }) }),
    z.strictObject({ by: z.literal('new-payee') }),
    z.strictObject({ by: z.literal('deviation'), most: z.int().min(1).max(10_000).meta({ description: 'Basis points' }) }),
    z.strictObject({
      by: z.literal('velocity'),
      per: z.enum(['account', 'platform']),
      within: z
        .union([z.literal('day'), z.int().min(1).max(1_440)])
        .meta({ description: 'Minutes (the one in which they begin counts whole), or the natural day' }),
      times: z.int().min(1).max(1_000_000).nullable().default(null),
      sum: fen.nullable().default(null).meta({ description: 'Minor units' }),
    }),
    z.strictObject({ by: z.literal('list-hit') }),
    z.strictObject({ by: z.literal('changed-account') }),
  ])
  .meta({
    description:
      'amount: more is taken; new-payee: the payer never paid him; deviation: a split off its agreement’s rule, by up to so much; velocity: ' +
      'more often or more than so much; list-hit: the watch list; changed-account: it pays out elsewhere than the last time',
  });

export const ruleRequest = z.strictObject({
  name: textSchema(64),
  kinds: z.array(z.enum(REVIEWABLE_KINDS)).min(1).max(REVIEWABLE_KINDS.length),
  test: testSchema,
  minutes: z.int().min(1).max(43_200).meta({ description: 'How long people have to decide' }),
  onDeadline: z.enum(['refuse', 'execute']).default('refuse').meta({ description: 'What happens when they have not' }),
  from: businessDateSchema,
  until: businessDateSchema.nullable().default(null).meta({ description: 'Its last day; null: until it is ended' }),
});

const by = z.string().nullable();

export const ruleSchema = z
  .strictObject({
    id: z.string(),
    platform: z.string(),
    name: z.string(),
    kinds: z.array(z.string()),
    test: z.record(z.string(), z.unknown()),
    minutes: z.int(),
    onDeadline: z.enum(['refuse', 'execute']),
    from: z.string(),
    until: z.string().nullable(),
    state: z.enum(['proposed', 'approved', 'declined', 'ended']),
    proposedBy: z.string(),
    decidedBy: by,
    endAskedBy: by,
    endedBy: by,
  })
  .meta({ id: 'ReviewRule', description: 'What sends instructions of a platform to review' });

const operator = (id: Id | null) => (id === null ? null : toWire('operator', id));

function showTest(test: ReviewTest): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(test).map(([key, value]) => [key, typeof value === 'bigint' ? toWireAmount(value) : value]),
  );
}

export function showRule(rule: StoredRule): z.output<typeof ruleSchema> {
  return {
    ...{ id: toWire('review-rule', rule.id), platform: toWire('platform', rule.platformId), name: rule.name },
    ...{ kinds: [...rule.kinds], test: showTest(rule.test), minutes: rule.minutes, onDeadline: rule.onDeadline },
    ...{ from: rule.from, until: rule.until, state: rule.state },
    ...{ proposedBy: toWire('operator', rule.proposedBy), decidedBy: operator(rule.decidedBy) },
    ...{ endAskedBy: operator(rule.endAskedBy), endedBy: operator(rule.endedBy) },
  };
}

export const reviewSchema = z
  .strictObject({
    instruction: z.string(),
    platform: z.string(),
    requestNo: z.string(),
    kind: z.string(),
    givenBy: z.string().meta({ description: 'A key of the platform, a member of staff, or a part of the system' }),
    data: z.record(z.string(), z.unknown()).meta({ description: 'What was asked; what names a person is masked' }),
    currency: currencySchema,
    amount: minor.meta({ description: 'What it takes from customers and the platform' }),
    state: z.enum(REVIEW_STATES).meta({
      description: 'approved, passed (by the deadline): it is executed; rejected, lapsed (by the deadline): it is refused',
    }),
    reasons: z.array(
      z.strictObject({ rule: z.string(), name: z.string(), by: z.string(), figures: z.record(z.string(), z.unknown()) }),
    ),
    held: z.array(z.strictObject({ account: z.string(), amount: minor, open: z.boolean() })),
    askedAt: rfc3339Schema,
    decideBy: rfc3339Schema,
    onDeadline: z.enum(['refuse', 'execute']),
    decidedAt: rfc3339Schema.nullable(),
    decisions: z.array(
      z.strictObject({ operator: z.string(), verdict: z.enum(['approve', 'reject']), at: rfc3339Schema, noted: z.boolean() }),
    ),
    outcome: z.strictObject({ state: z.enum(['posted', 'refused']), code: z.string().nullable() }).nullable(),
  })
  .meta({ id: 'Review', description: 'An instruction that two people of the bank look at before it is executed' });

/** @param data what was asked, with what names a person masked */
export function showReview(view: ReviewView, data: Record<string, unknown>): z.output<typeof reviewSchema> {
  const { review, decisions } = view;
  return {
    instruction: toWire('instruction', review.instruction),
    platform: toWire('platform', review.platformId),
    ...{ requestNo: view.requestNo, kind: review.kind, givenBy: view.actor, data, currency: 'CNY' },
    ...{ amount: toWireAmount(review.amount), state: review.state },
    reasons: review.reasons.map(({ rule, ...reason }) => ({ rule: toWire('review-rule', rule), ...reason })),
    held: review.held.map(({ accountId, amount, open }) => ({
      account: toWire('account', accountId),
      amount: toWireAmount(amount),
      open,
    })),
    ...{ askedAt: toRfc3339(review.askedMs), decideBy: toRfc3339(review.dueMs), onDeadline: review.onDeadline },
    decidedAt: review.decidedMs === null ? null : toRfc3339(review.decidedMs),
    decisions: decisions.map(({ operatorId, verdict, decidedMs, noteSealed }) => ({
      ...{ operator: toWire('operator', operatorId), verdict, at: toRfc3339(decidedMs), noted: noteSealed !== null },
    })),
    outcome: view.outcome,
  };
}
