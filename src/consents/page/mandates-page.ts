import { type Instant, maskCardNumber, toWire } from '../../kernel/index.js';
import type { Page } from '../../runtime/index.js';
import { quotaOf } from '../mandates/rules.js';
import { PAYEE_WORDS, PERIOD_WORDS, shownTime, wordsOfKind } from '../mandates/shown.js';
import type { StoredMandate } from '../mandates/store.js';
import { stateOf } from '../mandates/wire.js';
import type { MandateUse } from '../records.js';
import type { Bilingual, Language } from '../rules.js';
import { yuanWithCommas } from './amounts.js';
import { joined, layout, NOTHING, type Piece, piece } from './layout.js';
import { MANDATE_STATES, MANDATE_WORDS, NOTICES, type Notice, WORDS } from './words.js';

/** A mandate as its customer sees it. */
export interface ShownMandate {
  readonly mandate: StoredMandate;
  readonly platform: string;
  /** Number of the account that is debited. */
  readonly virtualNo: string;
  /** Names of the accounts that may be paid. */
  readonly payees: readonly string[];
  /** The last ones, the newest first. */
  readonly uses: readonly MandateUse[];
}

export interface MandatesView {
  /** From the address by which the page was found. */
  readonly token: string;
  readonly language: Language;
  readonly nowMs: Instant;
  readonly mandates: readonly ShownMandate[];
  readonly notice?: Notice | undefined;
}

type Say = (text: Bilingual) => string;

/** A customer's own page: every mandate that he gave, what is left of it, how it was used, and the way to end it. */
export function mandatesPage(view: MandatesView): Page {
  const { language, token, mandates } = view;
  const say: Say = (text) => text[language];
  const none = piece`<p class="after">${say(MANDATE_WORDS.none)}</p>`;
  return layout({
    language,
    title: say(MANDATE_WORDS.title),
    otherLanguage: `${encodeURIComponent(token)}?lang=${language === 'zh' ? 'en' : 'zh'}`,
    content: piece`$${noticeBox(view, say)}<section class="card"><h1>${say(MANDATE_WORDS.title)}</h1>
<p class="after">${say(MANDATE_WORDS.what)}</p>
$${mandates.length === 0 ? none : NOTHING}</section>
$${joined(mandates.map((shown) => card(shown, view, say)))}
<p class="foot">${say(WORDS.secrecy)}</p>`,
  });
}

function noticeBox({ notice }: MandatesView, say: Say): Piece {
  if (notice === undefined) return NOTHING;
  if (notice === 'MANDATE_REVOKED') return piece`<div class="note" role="status"><p>${say(NOTICES[notice])}</p></div>`;
  return piece`<div class="note bad" role="alert" tabindex="-1" autofocus><p>${say(NOTICES[notice])}</p></div>`;
}

function card(shown: ShownMandate, view: MandatesView, say: Say): Piece {
  const { mandate } = shown;
  const state = stateOf(mandate, view.nowMs);
  const rows = factsOf(shown, view.nowMs, say).map(
    ([label, value]) => piece`<div><dt>${label}</dt><dd>${value}</dd></div>
`,
  );
  const id = `mandate-${mandate.id}`;
  return piece`<section class="card" aria-labelledby="${id}">
<h2 id="${id}">${shown.platform}</h2>
<p class="after">${say(MANDATE_STATES[state])}</p>
<dl>
$${joined(rows)}</dl>
$${history(shown, say)}$${state === 'active' ? revokeForm(shown, view, say) : NOTHING}
</section>
`;
}

function factsOf({ mandate, virtualNo, payees }: ShownMandate, nowMs: Instant, say: Say): [string, string][] {
  const quota = quotaOf(mandate, nowMs);
  const yuan = (fen: bigint) => `¥${yuanWithCommas(fen)}`;
  const leftOf = (cap: bigint, left: bigint) => `${yuan(cap)} (${say(MANDATE_WORDS.left)} ${yuan(left)})`;
  const who = [...PAYEE_WORDS.filter(([of]) => mandate.payees[of]).map(([, words]) => say(words)), ...payees];
  return [
    [say(MANDATE_WORDS.number), mandate.mandateNo],
    [say(MANDATE_WORDS.account), maskCardNumber(virtualNo)],
    [say(MANDATE_WORDS.may), mandate.kinds.map((kind) => say(wordsOfKind(kind))).join(' · ')],
    ...(who.length === 0 ? [] : [[say(MANDATE_WORDS.payees), who.join(' · ')] as [string, string]]),
    [say(MANDATE_WORDS.payment), yuan(mandate.paymentCap)],
    ...(mandate.period === null || mandate.periodCap === null || quota.period === null
      ? []
      : [[say(PERIOD_WORDS[mandate.period]), leftOf(mandate.periodCap, quota.period)] as [string, string]]),
    [say(MANDATE_WORDS.total), leftOf(mandate.totalCap, quota.total)],
    [say(MANDATE_WORDS.used), `${yuan(mandate.usedTotal)} · ${mandate.useCount}`],
    [say(MANDATE_WORDS.ends), shownTime(mandate.expiresMs)],
    ...(mandate.revokedMs === null ? [] : [[say(MANDATE_WORDS.revokedAt), shownTime(mandate.revokedMs)] as [string, string]]),
  ];
}

function history({ uses }: ShownMandate, say: Say): Piece {
  if (uses.length === 0) return NOTHING;
  const rows = uses.map(
    ({ seq, amount, usedMs }) => piece`<div><dt>${seq}. ${shownTime(usedMs)}</dt><dd>¥${yuanWithCommas(amount)}</dd></div>
`,
  );
  return piece`<details><summary>${say(MANDATE_WORDS.history)}</summary><dl>
$${joined(rows)}</dl></details>
`;
}

function revokeForm({ mandate }: ShownMandate, { token, language }: MandatesView, say: Say): Piece {
  const field = `password-${mandate.id}`;
  return piece`<form method="post" action="$${`${encodeURIComponent(token)}?lang=${language}`}">
<input type="hidden" name="mandate" value="${toWire('mandate', mandate.id)}">
<div class="field"><label for="${field}">${say(WORDS.password)}</label>
<p class="hint" id="${`${field}-hint`}">${say(MANDATE_WORDS.passwordHint)}</p>
<div class="row"><input id="${field}" name="password" type="password" inputmode="numeric" autocomplete="off" required
 pattern="[0-9]{6}" maxlength="6" aria-describedby="${`${field}-hint`}"></div></div>
<button class="wide no">${say(MANDATE_WORDS.revoke)}</button>
</form>`;
}
