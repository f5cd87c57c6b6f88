import { z } from 'zod';
import { type Instant, Refused, refuse, toRfc3339, toWire } from '../kernel/index.js';
import { type Route, type Runtime, rfc3339Schema, route, showAsked, wireId } from '../runtime/index.js';
import type { AnswerHandlers } from './answer.js';
import { newLink } from './ask.js';
import { consentPageRoutes } from './page/routes.js';
import { CONSENT_STATES } from './records.js';
import { answeredBefore, SUBJECTS } from './rules.js';
import { findConsent, replaceToken, type StoredConsent } from './store.js';
import { linkSchema, userLinkRoutes } from './user-links.js';

const TAG = 'Consents';

const consentSchema = z
  .strictObject({
    id: z.string(),
    subject: z.enum(SUBJECTS).meta({ description: 'What the customer is asked about' }),
    instruction: z.string().optional().meta({ description: 'The instruction that it was asked for' }),
    mandate: z.string().optional().meta({ description: 'The mandate that it was asked for' }),
    state: z.enum(CONSENT_STATES),
    expiresAt: rfc3339Schema,
    answeredAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'Consent' });

function showConsent(consent: StoredConsent, nowMs: Instant): z.input<typeof consentSchema> {
  const { id, subject, subjectId, state, expiresMs, answeredMs } = consent;
  return {
    id: toWire('consent', id),
    subject,
    ...(subject === 'instruction' || subject === 'mandate' ? { [subject]: toWire(subject, subjectId) } : {}),
    // Late is late, also before somebody has written it down.
    state: state === 'pending' && nowMs >= expiresMs ? 'expired' : state,
    expiresAt: toRfc3339(expiresMs),
    answeredAt: answeredMs === null ? null : toRfc3339(answeredMs),
  };
}

/** What platforms ask and read of consents, and the pages on which customers answer. */
export function consentRoutes(rt: Runtime, { handlers }: { readonly handlers: AnswerHandlers }): Route[] {
  return [readRoute(rt), linkRoute(rt), ...userLinkRoutes(rt), ...consentPageRoutes({ rt, handlers })];
}

const Params = z.strictObject({ consent: wireId('consent') });

function readRoute({ db, clock }: Runtime): Route {
  return route({
    method: 'GET',
    path: '/v1/consents/{consent}',
    audience: 'platform',
    tag: TAG,
    summary: 'A consent: what it is about and whether it is answered',
    summaryZh: '查询客户确认',
    params: Params,
    answers: { 200: { description: 'The consent', schema: consentSchema } },
    async handle({ caller, params }) {
      const consent = await db.read('read-consent', (tx) => findConsent(tx, params.consent));
      if (consent?.platformId !== caller.platformId) throw new Refused(refuse('NOT_FOUND'));
      return { status: 200, body: showConsent(consent, clock.now()) };
    },
  });
}

function linkRoute(rt: Runtime): Route {
  return route({
    method: 'POST',
    path: '/v1/consents/{consent}/link',
    audience: 'platform',
    tag: TAG,
    summary: 'Another address for the page of a consent that is not answered yet; the one before no longer works',
    summaryZh: '重新获取确认页面链接',
    params: Params,
    answers: { 200: { description: 'The address', schema: linkSchema } },
    refusals: ['CONSENT_ANSWERED', 'CONSENT_EXPIRED', 'CONSENT_LOCKED'],
    async handle({ caller, params }) {
      const asked = await rt.db.withTx(
        'consent-link',
        async (tx) => {
          const consent = await findConsent(tx, params.consent);
          if (consent?.platformId !== caller.platformId) throw new Refused(refuse('NOT_FOUND'));
          const over = answeredBefore(consent, rt.clock.now());
          if (over !== undefined) throw new Refused(refuse(over));
          const { url, tokenHash } = newLink(rt);
          if (!(await replaceToken(tx, consent.id, tokenHash))) throw new Refused(refuse('CONSENT_ANSWERED'));
          return { consent: consent.id, url, expiresMs: consent.expiresMs };
        },
        async () => undefined, // another address again, and nobody knows the first
      );
      return { status: 200, body: { consent: showAsked(asked) } };
    },
  });
}
