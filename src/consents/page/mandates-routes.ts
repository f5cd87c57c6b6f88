import { z } from 'zod';
import { electronicRecords, payeeNames } from '../../accounts/index.js';
import { type Id, type Instant, naturalDate, Refused, refuse } from '../../kernel/index.js';
import { readPlatform } from '../../platforms/index.js';
import { checkShape, hashToken, type Route, type Runtime, route, type Tx, wireId } from '../../runtime/index.js';
import { type Credential, findCredential, linkTriesOn } from '../credentials/store.js';
import { revokeMandate } from '../mandates/mandates.js';
import { type CustomerLink, findLink, findMandate, lastUses, mandatesOfCustomer, type StoredMandate } from '../mandates/store.js';
import { LINK_TRIES_MAX } from '../rules.js';
import { checkLinkPassword } from '../trade-password.js';
import { FORM_BYTES, FormQuery, fieldsOf, hosted, Query, redirect } from './hosted.js';
import { languageOf } from './layout.js';
import { mandatesPage, type ShownMandate } from './mandates-page.js';
import { isNotice, type Notice, noticeIn } from './words.js';

const Form = z.strictObject({ mandate: wireId('mandate'), password: z.string().max(32) });

/** A customer's own page of mandates. Whoever has the address sees them; to end one takes his trade password. */
export function mandatesPageRoutes(rt: Runtime): Route[] {
  return [showRoute(rt), revokeRoute(rt)];
}

async function requireLink({ db, clock }: Runtime, token: string): Promise<CustomerLink> {
  const link = await db.read('link-by-token', async (tx) => {
    const nowMs = clock.now();
    const found = await findLink(tx, hashToken(token), nowMs);
    // Where passwords were guessed at, no address that this platform got shows anything any more today.
    const dead = found !== undefined && (await linkTriesOn(tx, found, naturalDate(nowMs))) >= LINK_TRIES_MAX;
    return dead ? undefined : found;
  });
  if (link === undefined) throw new Refused(refuse('NOT_FOUND'));
  return link;
}

function showRoute(rt: Runtime): Route {
  return route({
    ...hosted,
    method: 'GET',
    path: '/mandates/{token}',
    summary: 'The page on which a customer sees his mandates, what is left of them and how they were used (HTML)',
    summaryZh: '客户授权管理页面',
    query: Query,
    answers: { 200: { description: 'The page' } },
    async handle({ params: { token }, query, headers }) {
      const link = await requireLink(rt, token);
      const { mandates, credential } = await rt.db.snapshot('mandates-page', async (tx) => ({
        mandates: await shownMandates(tx, rt, link),
        credential: await findCredential(tx, link.customerId),
      }));
      const language = languageOf(query.lang, headers['accept-language']);
      const notice = noticeSaid(noticeIn(query.notice), { mandates, credential, nowMs: rt.clock.now() });
      return { status: 200, html: mandatesPage({ token, language, notice, mandates, nowMs: rt.clock.now() }) };
    },
  });
}

interface PageState {
  readonly mandates: readonly ShownMandate[];
  readonly credential: Credential | undefined;
  readonly nowMs: Instant;
}

/** Anybody can write a notice into an address: it is shown only where it is true. */
function noticeSaid(notice: Notice | undefined, { mandates, credential, nowMs }: PageState): Notice | undefined {
  switch (notice) {
    case 'MANDATE_REVOKED':
      return mandates.some(({ mandate }) => mandate.state === 'revoked') ? notice : undefined;
    case 'FACTOR_WRONG':
      return (credential?.attempts ?? 0) > 0 ? notice : undefined;
    case 'FACTOR_MISSING':
      return credential?.passwordHash ? undefined : notice;
    case 'PASSWORD_LOCKED':
      return (credential?.lockedUntilMs ?? 0) > nowMs ? notice : undefined;
    default:
      return notice === 'SHAPE_INVALID' ? notice : undefined;
  }
}

const MANDATES_MAX = 50;
const USES_MAX = 20;

async function shownMandates(tx: Tx, { vault }: Runtime, { customerId, platformId }: CustomerLink): Promise<ShownMandate[]> {
  const mandates = await mandatesOfCustomer(tx, customerId, platformId, MANDATES_MAX);
  if (mandates.length === 0) return [];
  const accounts = await electronicRecords.load(tx, [...new Set(mandates.map(({ accountId }) => accountId))]);
  const names = await payeeNames(tx, vault, [...new Set(mandates.flatMap(({ payees }) => payees.accounts))]);
  const platforms = new Map<Id, string>();
  const shown: ShownMandate[] = [];
  for (const mandate of mandates) {
    const platform = platforms.get(mandate.platformId) ?? (await readPlatform(tx, mandate.platformId))?.name ?? '';
    platforms.set(mandate.platformId, platform);
    shown.push({
      mandate,
      platform,
      virtualNo: accounts.get(mandate.accountId)?.virtualNo ?? '',
      payees: mandate.payees.accounts.map((id) => names.get(id)?.name ?? ''),
      uses: mandate.useCount === 0 ? [] : await lastUses(tx, mandate.id, USES_MAX),
    });
  }
  return shown;
}

function revokeRoute(rt: Runtime): Route {
  return route({
    ...hosted,
    method: 'POST',
    path: '/mandates/{token}',
    summary: 'The customer ends a mandate, with effect at once (a form)',
    summaryZh: '客户撤销授权',
    query: FormQuery,
    body: 'raw',
    rawBody: { schema: Form, mediaTypes: ['application/x-www-form-urlencoded'] },
    bodyLimit: FORM_BYTES,
    answers: { 303: { description: 'To the page, which says what came of it' } },
    refusals: [...hosted.refusals, 'BODY_TOO_LARGE', 'BODY_MALFORMED', 'MEDIA_TYPE_UNSUPPORTED'],
    async handle({ params: { token }, query, headers, text }) {
      const link = await requireLink(rt, token);
      const form = checkShape(Form, fieldsOf(text));
      return redirect('', token, languageOf(query.lang, headers['accept-language']), await revoke(rt, link, form));
    },
  });
}

async function revoke(rt: Runtime, link: CustomerLink, { mandate, password }: z.output<typeof Form>): Promise<Notice> {
  const isHis = ({ customerId, platformId }: StoredMandate) =>
    customerId === link.customerId && (link.platformId === null || link.platformId === platformId);
  const there = await rt.db.read('mandate-to-end', (tx) => findMandate(tx, mandate));
  // No password is looked at for what is not there to be ended.
  if (there === undefined || !isHis(there)) throw new Refused(refuse('NOT_FOUND'));
  if (there.state === 'revoked') return 'MANDATE_REVOKED';
  if (there.state !== 'active') throw new Refused(refuse('NOT_FOUND'));
  const wrong = await checkLinkPassword(rt, link, password);
  if (wrong !== undefined) {
    if (!isNotice(wrong.code)) throw new Refused(wrong);
    return wrong.code;
  }
  await rt.db.withTx(
    'customer-revokes-mandate',
    (tx) => revokeMandate(tx, rt, mandate, 'customer', isHis),
    async () => undefined, // revoked by him or before him: again changes nothing
  );
  return 'MANDATE_REVOKED';
}
