import { z } from 'zod';
import { asId, Refused, refuse, toWire } from '../kernel/index.js';
import {
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  route,
  textSchema,
  type Vault,
  wireId,
} from '../runtime/index.js';
import { decideReview, type WakeInstruction } from './decide.js';
import { approveRule, endRuleAsked, proposeRule } from './rule-life.js';
import { REVIEW_STATES } from './states.js';
import { findReview, listReviews, listRules, type ReviewView, type StoredRule } from './store.js';
import { reviewSchema, ruleRequest, ruleSchema, showReview, showRule } from './wire.js';

const staff = { audience: 'operator', tag: 'Reviews' } as const;
const writing = { ...staff, permission: 'reviews.write' } as const;
const reading = { ...staff, permission: 'instructions.read' } as const;
const reviewParams = z.strictObject({ instruction: wireId('instruction') });
const ruleParams = z.strictObject({ rule: wireId('review-rule') });

export interface ReviewParts {
  readonly wake: WakeInstruction;
  /** What an instruction asked, from its stored body, with what names a person masked. */
  readonly dataOf: (kind: string, body: string, vault: Vault) => Record<string, unknown>;
}

/** What the bank's staff does with instructions in review and with the rules that send them there. */
export function reviewRoutes(rt: Runtime, parts: ReviewParts): Route[] {
  return [
    listRoute(rt, parts),
    readRoute(rt, parts),
    ...(['approve', 'reject'] as const).map((verdict) => decideRoute(rt, parts, verdict)),
    rulesRoute(rt),
    proposeRoute(rt),
    ...(['approved', 'declined'] as const).map((state) => approveRoute(rt, state)),
    endRoute(rt),
  ];
}

function listRoute({ db, vault }: Runtime, { dataOf }: ReviewParts): Route {
  return route({
    ...reading,
    method: 'GET',
    path: '/admin/v1/reviews',
    summary: 'Instructions in review, oldest first; of one state, of one platform or of all',
    summaryZh: '复核队列',
    query: z.strictObject({
      ...pageQuery,
      state: z.enum(REVIEW_STATES).default('open'),
      platform: wireId('platform').optional(),
    }),
    answers: { 200: { description: 'A page', schema: pageSchema(reviewSchema) } },
    refusals: ['CURSOR_INVALID'],
    async handle({ query: { state, platform, cursor, limit } }) {
      const list = `reviews:${state}:${platform ?? ''}`;
      const after = idAfter(list, cursor) ?? asId('0');
      const rows = await db.snapshot('reviews', (tx) => listReviews(tx, { state, platformId: platform, after }, limit + 1));
      return {
        status: 200,
        body: page(
          list,
          rows,
          limit,
          ({ review }) => [review.instruction],
          (view) => shown(view, dataOf, vault),
        ),
      };
    },
  });
}

function shown(view: ReviewView, dataOf: ReviewParts['dataOf'], vault: Vault) {
  return showReview(view, dataOf(view.review.kind, view.body, vault));
}

function readRoute({ db, vault }: Runtime, { dataOf }: ReviewParts): Route {
  return route({
    ...reading,
    method: 'GET',
    path: '/admin/v1/reviews/{instruction}',
    summary: 'A review: why it was asked for, by which figures, who decided what, and what became of it',
    summaryZh: '复核详情',
    params: reviewParams,
    answers: { 200: { description: 'The review', schema: reviewSchema } },
    async handle({ params }) {
      const view = await db.snapshot('review', (tx) => findReview(tx, params.instruction));
      if (view === undefined) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: shown(view, dataOf, vault) };
    },
  });
}

function decideRoute(rt: Runtime, { wake, dataOf }: ReviewParts, verdict: 'approve' | 'reject'): Route {
  const approves = verdict === 'approve';
  const note = textSchema(200).meta({ description: 'Why; the platform does not see it' });
  return route({
    ...writing,
    method: 'POST',
    path: `/admin/v1/reviews/{instruction}/${verdict}`,
    confidential: true,
    summary: approves
      ? 'Approves an instruction in review; the second approval has it executed'
      : 'Rejects an instruction in review; it is refused, and its money let go',
    summaryZh: approves ? '复核通过（双人）' : '复核拒绝',
    description: approves
      ? 'It is decided anew, and still refused where something else is against it by then. Nobody approves what he gave himself, nor twice.'
      : 'One rejection is enough, whoever approved before.',
    params: reviewParams,
    body: z.strictObject({ note: approves ? note.optional() : note }),
    answers: { 200: { description: 'The review as it stands now', schema: reviewSchema } },
    refusals: ['REVIEW_DECIDED', 'SAME_OPERATOR'],
    async handle({ caller, params: { instruction }, body, tx }) {
      const of = { verdict, by: caller.operatorId, note: body.note };
      const { view, afterCommit } = await decideReview(tx, rt, wake, instruction, of);
      return {
        status: 200,
        body: shown(view, dataOf, rt.vault),
        audit: { target: `review ${toWire('instruction', instruction)}`, note: `${verdict}: ${view.review.state}` },
        afterCommit,
      };
    },
  });
}

function rulesRoute({ db }: Runtime): Route {
  return route({
    ...reading,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/review-rules',
    summary: 'The review rules of a platform in the order they were proposed, ended ones too',
    summaryZh: '复核规则列表',
    params: z.strictObject({ platform: wireId('platform') }),
    query: z.strictObject(pageQuery),
    answers: { 200: { description: 'A page', schema: pageSchema(ruleSchema) } },
    refusals: ['CURSOR_INVALID'],
    async handle({ params: { platform }, query: { cursor, limit } }) {
      const list = `review-rules:${platform}`;
      const after = idAfter(list, cursor) ?? asId('0');
      const rows = await db.snapshot('review rules', (tx) => listRules(tx, platform, after, limit + 1));
      return { status: 200, body: page(list, rows, limit, ({ id }) => [id], showRule) };
    },
  });
}

const done = (rule: StoredRule) => ({
  status: 200 as const,
  body: showRule(rule),
  audit: { target: `review rule ${toWire('review-rule', rule.id)}`, note: rule.state },
});

function proposeRoute(rt: Runtime): Route {
  return route({
    ...writing,
    method: 'POST',
    path: '/admin/v1/platforms/{platform}/review-rules',
    summary: 'Proposes a review rule; another member of staff approves it',
    summaryZh: '申请复核规则',
    params: z.strictObject({ platform: wireId('platform') }),
    body: ruleRequest,
    answers: { 201: { description: 'Proposed', schema: ruleSchema } },
    refusals: ['REVIEW_RULE_INVALID'],
    async handle({ caller, params: { platform }, body, tx }) {
      return { ...done(await proposeRule(tx, rt, platform, body, caller.operatorId)), status: 201 };
    },
  });
}

function approveRoute(rt: Runtime, state: 'approved' | 'declined'): Route {
  const approves = state === 'approved';
  return route({
    ...writing,
    method: 'POST',
    path: `/admin/v1/review-rules/{rule}/${approves ? 'approve' : 'decline'}`,
    summary: approves ? 'Approves a review rule that another member of staff proposed' : 'Declines a proposed review rule',
    summaryZh: approves ? '复核通过规则' : '驳回规则申请',
    params: ruleParams,
    answers: { 200: { description: 'The rule as it stands now', schema: ruleSchema } },
    refusals: ['REVIEW_RULE_STATE', 'SAME_OPERATOR', 'REVIEW_RULE_INVALID'],
    async handle({ caller, params, tx }) {
      return done(await approveRule(tx, rt, params.rule, { state, by: caller.operatorId }));
    },
  });
}

function endRoute(rt: Runtime): Route {
  return route({
    ...writing,
    method: 'POST',
    path: '/admin/v1/review-rules/{rule}/end',
    summary: 'Asks for the end of a review rule; when another member of staff asks too, it has ended',
    summaryZh: '终止复核规则（双人）',
    description: 'What is in review by it stays there.',
    params: ruleParams,
    answers: { 200: { description: 'The rule as it stands now', schema: ruleSchema } },
    refusals: ['REVIEW_RULE_STATE', 'SAME_OPERATOR'],
    async handle({ caller, params, tx }) {
      return done(await endRuleAsked(tx, rt, params.rule, caller.operatorId));
    },
  });
}
